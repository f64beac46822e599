"""What `dusty status` shows of facts that are there already."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal_screen import OnTerminal, Screen, on_terminal, resize

from dusty_tasks.core.plan.change import Plan
from dusty_tasks.core.plan.found import Found, Sources
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import http, reads
from dusty_tasks.operations import status_facts
from dusty_tasks.operations.look import View
from dusty_tasks.verbs import status

FACTS: dict[str, Any] = {
    "problems": "",
    "bundles": ["shop"],
    "docker_host": {"name": "this machine", "answers": False, "state": "off", "trouble": "it is off"},
    "stack": [],
    "repos": [],
}
PROXY = {"name": "dustyInternalNginx", "type": "proxy", "state": "absent", "routes": [], "pending": ""}


@pytest.mark.parametrize(("stack", "tells"), [([], False), ([PROXY], True)])
def test_an_earlier_compile_is_told_of_only_where_there_was_one(
    stack: list[dict[str, Any]], tells: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    status.show({**FACTS, "problems": "no specs repo is configured", "stack": stack})
    said = capsys.readouterr().err
    assert "no specs repo is configured" in said and ("this is what was compiled last" in said) == tells


def test_an_engine_that_did_not_answer_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "read_info", lambda _engine: pytest.fail("it may take its minute once more"))
    view = View(Wanted(containers=()), Sources(), Found(), Plan(), "it took too long to answer")
    assert status_facts.host_facts(http.Engine(docker_host(Settings(home="/h"))), view) == {
        "name": "this machine",
        "answers": False,
        "state": "unknown",
        "trouble": "it took too long to answer",
    }


def test_watching_goes_on_while_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = iter([FACTS, Failure("config.yml:1:1: broken"), FACTS, KeyboardInterrupt()])

    def read(_names: list[str], **_options: bool) -> dict[str, Any]:
        if isinstance(found := next(seen), BaseException):
            raise found
        return found

    monkeypatch.setattr(status, "read_facts", read)
    monkeypatch.setattr(status.time, "sleep", lambda _seconds: None)
    with pytest.raises(KeyboardInterrupt):
        status.run([], watch=True)
    captured = capsys.readouterr()
    assert captured.out.count("shop") == 2 and captured.err.count("config.yml:1:1: broken\n") == 1
    seen = iter([Failure("config.yml:1:1: broken")])
    with pytest.raises(Failure):
        status.run([], watch=True)


WATCHED = """
import sys
from recorded import SHOP
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.cli import doit_state, endings
from dusty_tasks.verbs import status
looks = 0
def read(_names, **_options):
    global looks
    looks += 1
    if looks == 3:
        raise Failure("config.yml:1:1: broken")
    return {**SHOP, "bundles": [f"look{looks}"]}
status.read_facts, status.INTERVAL = read, 0.3
doit_state.catch_signals()
print("the shell's own line")
sys.exit(endings.ending(lambda: status.run([], watch=True)))
"""


def environment(home: Path) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    return {"PYTHONPATH": f"{root}:{root}/tests/screens", "DUSTY_HOME": str(home), "HOME": "/home/ada"}


@contextlib.contextmanager
def watched(home: Path) -> Iterator[OnTerminal]:
    with on_terminal([sys.executable, "-c", WATCHED], 80, 16, environment(home)) as program:
        program.read("bundles: look1")
        yield program


def test_watching_takes_the_whole_screen_and_fits_it_whatever_its_size(tmp_path: Path) -> None:
    with watched(tmp_path) as program:
        screen = program.screen
        assert screen.is_alternate and screen.is_cursor_hidden and not screen.above
        assert len(screen.lines) <= 16 and "failed (exited 1)" in screen.text
        program.read("config.yml:1:1: broken")
        program.read("bundles: look5")
        assert "broken" not in screen.text, "what was mended is not said any more"
        # Half the lines and a narrower screen: at once, without another look.
        program.screen = screen = Screen(50, 9)
        screen.is_alternate = True
        resize(program.master, 50, 9)
        os.kill(program.process.pid, signal.SIGWINCH)
        program.read("more:")
        assert len(screen.lines) <= 9 and not screen.above and "worker" in screen.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_terminal_is_as_it_was_however_watching_ends(number: signal.Signals, code: int, tmp_path: Path) -> None:
    with watched(tmp_path) as program:
        os.kill(program.process.pid, number)
        program.read()
        assert program.process.wait(20) == code
        assert not program.screen.is_alternate and not program.screen.is_cursor_hidden
        assert program.screen.lines[0] == "the shell's own line"


def test_the_shell_has_its_terminal_while_watching_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(WATCHED)
    # With jobs of its own, as a shell that somebody types into.
    shell = f"{sys.executable} {tmp_path}/watched.py; echo the shell is back; read _; fg >/dev/null"
    with on_terminal(["bash", "-mc", shell], 80, 16, environment(tmp_path)) as program:
        program.read("bundles: look1")
        os.write(program.master, b"\x1a")
        program.read("the shell is back")
        assert not program.screen.is_alternate and not program.screen.is_cursor_hidden
        os.write(program.master, b"\n")
        program.read("bundles: look2")
        assert program.screen.is_alternate
