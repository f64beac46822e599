"""What a run of `up` prints: a line for what was done, each cause once, and at the end what a person wants to know."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from recorded import play_up
from terminal_screen import OnTerminal, on_terminal

from dusty_tasks.core.plan.change import Change, Kind
from dusty_tasks.core.plan.container_state import RUNNING, STOPPED
from dusty_tasks.core.text.looks import Look
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.foot import Foot
from dusty_tasks.operations.launch.printed import ALONE
from dusty_tasks.operations.launch.receipt import LISTED, short_trouble

ROOT = Path(__file__).resolve().parents[3]
SCREENS = ROOT / "tests/screens"


def created(*names: str) -> list[Change]:
    return [Change(Kind.CREATE, name, "it has no container yet", f"apps/{name}.yml:1:1") for name in names]


def test_a_cause_is_said_once_and_files_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    play_up([*created("a", "b"), Change(Kind.START, "c", "it exited with status 137")], files=14)
    assert capsys.readouterr().out.splitlines() == [
        "wrote 14 files below build/",
        "created a (it had no container)",
        "created b",
        "started c (it had exited with status 137)",
        "3 changes, 12.4 s",
    ]


def test_every_detail_is_there_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    play_up(created("a"), files=14, verbose=True)
    out = capsys.readouterr().out
    assert out.count("wrote build/commands/app") == 14 and "1 change, 9 Docker reads, 0 sudo, 12.40 s\n" in out


def test_many_of_one_kind_and_cause_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"app{number}" for number in range(ALONE + 1)]
    play_up(created(*names))
    assert capsys.readouterr().out.splitlines()[0] == (
        f"created {len(names)} containers (they had no container): {', '.join(names)}"
    )
    play_up(created(*names), failing={"app3": "could not be started"}, failures=(Failure("app3: no"),))
    said = capsys.readouterr().out.splitlines()[0]
    assert said.startswith(f"created {len(names) - 1} containers") and "app3," not in said


def test_what_failed_comes_last_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    failing = {"a": "exited with status 1", "b": "does not answer at http://b.test/: nothing listens"}
    play_up(
        [*created("a", "c"), Change(Kind.START, "b", "it was stopped by hand")],
        failing=failing,
        failures=(Failure("a: no"),),
        urls={"c": ("http://c.test/",), "a": ("http://a.test/",)},
    )
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "c  http://c.test/"
    assert err.splitlines()[-2:] == [
        "FAILED a (exit 1): dusty logs a",
        "FAILED b (does not answer): dusty logs b",
    ]
    play_up(created("d"), failing={"d": "could not be made"}, failures=(Failure("d: no"),))
    assert capsys.readouterr().err.splitlines()[-1].startswith("FAILED d (")


def test_urls_of_what_is_up_are_said_always_and_at_most_ten(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"app{number:02}" for number in range(30)]
    urls = {name: (f"http://{name}.test/",) for name in names}
    play_up([], urls=urls, conditions={**dict.fromkeys(names, RUNNING), "app00": STOPPED})
    receipt, *lines = capsys.readouterr().out.splitlines()
    assert receipt.startswith("up to date: 0 changes, 1 Docker read, 0 sudo")
    assert len(lines) == LISTED + 1 and lines[0] == "app01  http://app01.test/"
    assert lines[-1] == "and 19 more: dusty status"


@pytest.mark.parametrize(
    ("what", "short"),
    [
        ("exited with status 1", "exit 1"),
        ("exited with status 137, and a route points to it", "exit 137"),
        ("does not answer at http://a.test/ and http://b.test/: nothing listens", "does not answer"),
        ("is unhealthy: its health check exited with status 3", "is unhealthy"),
        ("could not be started: no such\nfile", "could not be started"),
    ],
)
def test_trouble_in_a_few_words(what: str, short: str) -> None:
    assert short_trouble(what) == short


@pytest.mark.parametrize(("situation", "screens"), [("up_of_the_example", 1), ("up_of_thirty_apps", 2)])
def test_a_first_up_takes_no_more_screens_than_it_may(situation: str, screens: int) -> None:
    lines = (SCREENS / situation / "80.txt").read_text().splitlines()
    # The command itself and the next prompt stand there, too.
    assert len(lines) + 2 <= 24 * screens


MOVING = """
import os, sys, time
from dusty_tasks.core.plan.change import Change, Kind
from dusty_tasks.console import progress, say_interrupted, warn
from dusty_tasks.operations.launch.printed import Printed
def until(flag):
    while not os.path.exists(f"{sys.argv[1]}/{flag}"):
        time.sleep(0.01)
printed = Printed()
changes = [Change(Kind.CREATE, name, "it has no container yet") for name in sys.argv[2:]]
for change in changes:
    printed.begun(change)
until("one")
"""
TWO = """
warn("a word in between")
printed.done(changes[0])
with progress("waiting until ready") as tell:
    tell("worker (its health check)")
    until("two")
"""
NAMES = ("web", "worker", "db")


def moving(code: str, folder: Path, *names: str) -> AbstractContextManager[OnTerminal]:
    argv = [sys.executable, "-c", MOVING + code, str(folder), *names]
    return on_terminal(argv, 60, 12, {"PYTHONPATH": str(ROOT)})


def test_what_is_being_done_moves_at_the_foot_and_becomes_what_was_done(tmp_path: Path) -> None:
    with moving(TWO + "for change in changes[1:]: printed.done(change)\nprinted.stop()", tmp_path, *NAMES) as program:
        program.read("creating db  1 s")
        shown = [re.fullmatch(r"\S creating (\w+)  \d s", line) for line in program.screen.lines]
        assert [line and line[1] for line in shown] == list(NAMES)
        (tmp_path / "one").touch()
        program.read("waiting until ready: worker (its health check)")
        word, created, *rest = program.screen.lines
        assert word == "a word in between" and len(rest) == 3
        assert re.fullmatch(r"created web \(it had no container\)  \d+\.\d s", created)
        (tmp_path / "two").touch()
        program.read()
        ended = program.screen.text.splitlines()
    assert [re.sub(r"  \d+\.\d s$", "", line) for line in ended] == [
        "a word in between",
        "created web (it had no container)",
        "created worker",
        "created db",
    ]


def test_an_interrupted_run_leaves_nothing_that_moves(tmp_path: Path) -> None:
    with moving(TWO + "say_interrupted()", tmp_path, *NAMES) as program:
        (tmp_path / "one").touch()
        program.read("waiting until ready")
        (tmp_path / "two").touch()
        program.read()
        assert "creating" not in program.screen.text and program.screen.lines[-1] == "interrupted"


def test_of_many_that_are_under_way_as_many_are_shown_as_fit(tmp_path: Path) -> None:
    names = [f"{'a-long-name-' * 6}{number}" for number in range(40)]
    with moving("printed.stop()", tmp_path, *names) as program:
        program.read("and 35 more")
        assert len(program.screen.lines) == 6 and not program.screen.above
        (tmp_path / "one").touch()
        program.read()
        assert program.screen.text == ""


def test_a_terminal_that_gets_narrower_keeps_no_rest_of_what_moved() -> None:
    stream = io.StringIO()
    foot = Foot(stream, Look())
    foot.size = lambda: (60, 12)
    foot.begin("a", "creating " + "a" * 45)
    foot.size = lambda: (20, 12)
    foot.end("a")
    assert "\x1b[2A\x1b[J" in stream.getvalue(), "55 columns take three rows of 20"


def test_in_a_pipe_the_lines_are_the_same(tmp_path: Path) -> None:
    for situation in ("up_of_the_example", "up_with_a_failure"):
        piped = subprocess.run(
            [sys.executable, str(SCREENS / situation / "show.py")],
            env={"PYTHONPATH": f"{ROOT}:{SCREENS}", "DUSTY_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = (SCREENS / situation / "120.txt").read_text()
        for line in piped.stdout.splitlines() + piped.stderr.splitlines():
            assert line in re.sub(r"  \d+\.\d s$", "", lines, flags=re.M)
