"""`dusty logs`: which containers, which lines, in which order."""

from __future__ import annotations

import json

import pytest
from chosen import Chosen
from engines import Engine, engine, wanted

__all__ = ["engine"]

LOGS = {
    "id-web": [
        ("2026-01-01T00:00:01.000000000Z", False, "web one"),
        ("2026-01-01T00:00:03.000000000Z", True, "web two"),
    ],
    "id-db": [("2026-01-01T00:00:02.000000000Z", False, "db one")],
    "id-old": [],
}


def test_one_container_is_the_engines_own_output(dusty: Chosen, engine: Engine) -> None:
    engine.script("echo out; echo err >&2; exit 5")
    assert dusty("logs", "web", "-f", "-t", "--tail", "3", "--since", "2d").code == 5
    assert engine.calls == ["logs --tail 3 --since 48h --follow --timestamps id-web"]


def test_several_are_merged_by_time_each_after_its_name(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    ended = dusty("logs", "web", "db")
    assert (ended.code, ended.out, ended.err) == (0, "web | web one\ndb  | db one\n", "web | web two\n")


def test_times_are_shown_when_asked_for(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    assert dusty("logs", "-t", "db", "web").out.splitlines()[0] == "web | 2026-01-01T00:00:01.000000000Z web one"


def test_no_name_is_the_stack_and_ended_containers_count(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    wanted(dusty.home, "db", "old", "notyet")
    dusty("logs")
    assert sorted(path.split("/")[2] for path in engine.logs_asked) == ["id-db", "id-old"]


def test_without_a_stack_it_is_all_that_exist(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    dusty("logs")
    assert sorted(path.split("/")[2] for path in engine.logs_asked) == ["id-db", "id-old", "id-web"]


def test_following_goes_on_after_what_was_shown(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    assert dusty("logs", "-f", "--tail", "5", "web", "old").code == 0
    asked = "stdout=1&stderr=1&timestamps=1"
    assert sorted(path for path in engine.logs_asked if "follow=1" in path) == [
        f"/containers/id-old/logs?{asked}&tail=5&follow=1",
        f"/containers/id-web/logs?{asked}&tail=all&since=1767225603.000000001&follow=1",
    ]
    assert not engine.calls, "no program is started for it"


def test_a_container_whose_log_fails_is_no_success(dusty: Chosen, engine: Engine) -> None:
    assert dusty("logs", "web", "db").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wbe"], 'no app or service named "wbe"\n    hint: did you mean "web"?'),
        (["web", "wbe"], 'no app or service named "wbe"'),
        (["notyet"], "notyet has no container"),
        (["--tail", "x"], '"x" is not a number of lines'),
        (["--since", "soon"], "neither a duration"),
        (["ünknown"], 'no app or service named "ünknown"'),
        (["x" * 5000], "no app or service named"),
    ],
    ids=["unknown", "one of two unknown", "no container", "tail", "since", "unicode", "long"],
)
def test_bad_words_are_one_sentence_and_exit_1(dusty: Chosen, engine: Engine, words: list[str], said: str) -> None:
    wanted(dusty.home, "web", "notyet")
    ended = dusty("logs", *words)
    assert ended.code == 1 and said in ended.err and not engine.calls and not engine.logs_asked


def test_no_engine_is_exit_2_and_says_what_to_do(dusty: Chosen, engine: Engine) -> None:
    engine.is_down = True
    ended = dusty("logs", "web")
    assert ended.code == 2 and "does not answer" in ended.err and "dusty start" in ended.err


def test_broken_specs_are_no_hindrance(dusty: Chosen, engine: Engine) -> None:
    dusty.write("apps/web.yml", "{")
    assert dusty("logs", "web").code == 0


def test_lines_are_searched_and_names_left_out(dusty: Chosen, engine: Engine) -> None:
    engine.logs = LOGS
    assert dusty("logs", "web", "db", "--grep", "o.*ONE$".lower(), "--no-prefix").out == ""
    assert dusty("logs", "web", "db", "--grep", "b ONE$".lower(), "--no-prefix").out == "web one\ndb one\n"
    assert dusty("logs", "web", "db", "--grep", "Web").out == ""
    assert dusty("logs", "web", "--grep", "two").err == "web two\n"
    refused = dusty("logs", "--grep", "[")
    assert refused.code == 1 and "--grep" in refused.err


def test_lines_for_programs_are_one_object_each(dusty: Chosen, engine: Engine) -> None:
    engine.logs = {**LOGS, "id-db": [("2026-01-01T00:00:02.000000000Z", False, "\x1b[2J\u202edb")]}
    rows = [json.loads(line) for line in dusty("logs", "web", "db", "--json").out.splitlines()]
    assert rows[0] == {
        "at": "2026-01-01T00:00:01.000000000Z",
        "name": "web",
        "stream": "stdout",
        "text": "web one",
    }
    assert [row["text"] for row in rows] == ["web one", "\x1b[2J\u202edb", "web two"]
    assert dusty("logs", "db", "--json").out.isascii(), "what steers a terminal is escaped"
    assert len(dusty("logs", "web", "--json", "--grep", "one").out.splitlines()) == 1
