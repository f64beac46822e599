"""`timeline`, `logs --timeline` and `why` with an engine that is a few values: one clock, what is refused, the journal."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from chosen import Chosen
from engines import Engine, engine, wanted

from dusty_tasks.core.history.events import Event
from dusty_tasks.core.history.journal import JOURNAL, line_of

__all__ = ["engine"]

AHEAD = 3600.0
"""Seconds that the engine's clock is ahead of that of this machine."""
LATE = 10
"""This engine tells the time that it had when the test began."""


def there(at: float) -> str:
    return datetime.fromtimestamp(at + AHEAD, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def raw(what: str, at: float, name: str = "web", **attributes: str) -> bytes:
    labels = {"dusty.name": name, "com.docker.compose.project": "dusty", **attributes}
    event = {"Action": what, "Actor": {"ID": f"id-{name}", "Attributes": labels}, "timeNano": int((at + AHEAD) * 1e9)}
    return json.dumps(event).encode() + b"\n"


@pytest.fixture
def now(dusty: Chosen, engine: Engine) -> float:
    now = float(int(time.time()))
    wanted(dusty.home, "web", "db")
    ended = {"Status": "exited", "ExitCode": 1, "StartedAt": there(now - 60), "FinishedAt": there(now - 30)}
    found: dict[str, Any] = {"Id": "id-web", "State": ended, "Config": {"Image": "busybox:1"}}
    answers = {
        "/info": {"SystemTime": datetime.fromtimestamp(time.time() + AHEAD, UTC).isoformat()},
        "/networks/bridge": {"Created": there(now - 90000)},
        "/containers/id-web/logs": b"\x01\0\0\0\0\0\0\x07i died\n",
        "/containers/id-web/json": found,
        "/events": raw("start", now - 60) + raw("die", now - 30, exitCode="1") + raw("exec_die", now - 29),
    }
    engine.answers = {**answers, **{path: answer for path, answer in engine.answers.items() if path not in answers}}
    engine.containers = [
        each._replace(state="exited", exit_status=1) if each.name == "web" else each for each in engine.containers
    ]
    engine.logs = {
        "id-old": [],
        "id-web": [(there(now - 40), False, "hello")],
        "id-db": [(there(now - 20), True, "here")],
    }
    journal = dusty.home / "host" / JOURNAL
    journal.parent.mkdir(parents=True)
    note = Event(now - 59.9 + AHEAD, "run", text="up: 2 changes", by="ann@laptop")
    journal.write_bytes(line_of(note) + b'\n{"torn')
    return now


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


@pytest.mark.parametrize("words", [["timeline"], ["logs", "--timeline"]], ids=" ".join)
def test_all_times_are_of_this_machines_clock(dusty: Chosen, engine: Engine, now: float, words: list[str]) -> None:
    ended = dusty(*words)
    assert (ended.code, ended.err) == (0, "")
    shown = [line for line in ended.out.splitlines() if not line.startswith("20")]
    assert [(abs(seconds_of(line) - at) < LATE, line[13:]) for line, at in zip(shown, times(now), strict=True)] == [
        (True, "web * started"),
        (True, "    * up by ann@laptop: 2 changes"),
        (True, "web | hello"),
        (True, "web * exited with status 1: it failed on its own 30 s after its start"),
        (True, "db  | here"),
    ]


def times(now: float) -> list[float]:
    return [now - 60, now - 59.9, now - 40, now - 30, now - 20]


def seconds_of(line: str) -> float:
    """The moment in a line, of today or yesterday."""
    today = datetime.now()
    hour, minute, second = line[:12].split(":")
    moment = today.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0).timestamp() + float(second)
    return moment if moment <= time.time() + 5 else moment - 86400


def test_for_machines_each_line_is_an_object(dusty: Chosen, engine: Engine, now: float) -> None:
    rows = [json.loads(line) for line in dusty("timeline", "--json", "web").out.splitlines()]
    assert [(row["name"], row["what"]) for row in rows] == [
        ("web", "start"),
        ("", "run"),
        ("web", "line"),
        ("web", "die"),
    ]
    assert (rows[2]["stream"], rows[2]["text"], rows[3]["cause"]["kind"]) == ("stdout", "hello", "crashed")
    assert abs(datetime.fromisoformat(rows[3]["at"]).timestamp() - (now - 30)) < LATE


def test_why_tells_the_cause_the_moment_and_the_last_lines(dusty: Chosen, engine: Engine, now: float) -> None:
    told = dusty("why", "web").out
    assert "web exited with status 1\n  why: it failed on its own 30 s after its start\n  when: 20" in told
    assert told.endswith("  its last lines:\n    i died\n")
    facts = json.loads(dusty("why", "--json", "web").out)
    assert (facts["died"]["kind"], facts["printed"], facts["condition"]) == ("crashed", ["i died"], "failed")
    assert abs(datetime.fromisoformat(facts["died"]["at"]).timestamp() - (now - 30)) < LATE


def test_since_leaves_out_what_was_before(dusty: Chosen, engine: Engine, now: float) -> None:
    assert "started" not in dusty("timeline", "--since", "50s").out
    assert dusty("timeline", "--tail", "3").code == 0
    assert any("tail=3" in path for path in engine.logs_asked)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["timeline", "wbe"], 'did you mean "web"?'),
        (["timeline", "--since", "yesterday"], '--since: "yesterday" is neither a duration'),
        (["timeline", "--since", "2026-13-01"], "is not a time"),
        (["timeline", "--tail", "few"], '--tail: "few" is not a number'),
        (["logs", "--timeline", "--since", "x"], "--since"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(
    dusty: Chosen, engine: Engine, now: float, words: list[str], said: str
) -> None:
    ended = dusty(*words)
    assert (ended.code, ended.out) == (1, "") and said in ended.err


def test_nothing_is_said_to_be_nothing(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web")
    engine.containers = []
    assert dusty("timeline").out.startswith("nothing was printed and nothing happened since 1h\n    hint: ")


def test_without_an_engine_it_is_said(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web")
    engine.is_down = True
    assert dusty("timeline").code == 2


def test_why_tells_the_last_events(dusty: Chosen, engine: Engine, now: float) -> None:
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now - 30))
    both = dusty("why", "web", "-n", "10").out.splitlines()
    assert len(both) >= 2 and both[-1].startswith(f"{day}  ") and "status 1" in both[-1]
    assert dusty("why", "web", "-n", "1").out.splitlines() == both[-1:]
    assert [event["what"] for event in json.loads(dusty("why", "web", "-n", "1", "--json").out)["history"]] == ["die"]
    assert dusty("why", "web", "-n", "0").code == 1
