"""Containers that are held still for a copy go on, whoever has gone meanwhile (effects/engine/halting)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.halting import AFTER_FAILED, HALT, Lines, held_still

WORDS = ["2", "c1", "c2", "c2", "thaw"]


class Here:
    """A Docker host of which only commands are asked."""

    def command(self, argv: list[str]) -> list[str]:
        return argv

    def engine_environment(self) -> dict[str, str]:
        return dict(os.environ)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a docker that notes its words, and fails at the word `fail`, was asked."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@" >> "$0.log"\ncase "$*" in *fail*) echo "no such thing"; exit 9;; esac\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "docker.log"


@pytest.mark.parametrize(("by", "again"), [("pause", "unpause"), ("stop", "start")])
@pytest.mark.parametrize("said", ["halt\n", ""])
def test_they_go_on_if_nobody_is_left_to_read_that_they_were_halted(log: Path, by: str, again: str, said: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        subprocess.run(
            ["sh", "-c", HALT, "dusty", by, again, *WORDS],
            input=said.encode(),
            stdout=writer,
            check=False,
            timeout=20,
        )
    finally:
        os.close(writer)
    halt = [f"{by} c1 c2", f"{again} c1 c2"] if said else []
    assert log.read_text().splitlines() == [*halt, "exec c2 sh -c thaw"]


def held(lines: dict[str, Lines], told: list[str], **named: Any) -> Any:
    return held_still(Here(), ["c1", "c2"], by="pause", lines=lines, warn=told.append, **named)  # type: ignore[arg-type]


def test_what_comes_before_and_after_runs_around_the_halt(log: Path) -> None:
    told: list[str] = []
    with held({"c2": Lines("db", "freeze", "thaw")}, told):
        log.open("a").write("copied\n")
    assert log.read_text().splitlines() == [
        "exec c2 sh -c freeze",
        "pause c1 c2",
        "copied",
        "unpause c1 c2",
        "exec c2 sh -c thaw",
    ]
    assert told == []


def test_a_failing_before_halts_nothing_and_what_comes_after_runs_all_the_same(log: Path) -> None:
    lines = {"c1": Lines("db", "freeze", "thaw"), "c2": Lines("web", "fail", "thaw too")}
    with pytest.raises(Failure, match=r"(?s)data.before of web exited with status 9.*no such thing"), held(lines, []):
        pytest.fail("it must not go so far")
    assert log.read_text().splitlines() == [
        "exec c1 sh -c freeze",
        "exec c2 sh -c fail",
        "exec c1 sh -c thaw",
        "exec c2 sh -c thaw too",
    ]


def test_a_failing_after_is_told_and_what_was_copied_stands(log: Path) -> None:
    told: list[str] = []
    with held({"c1": Lines("db", "", "fail"), "c2": Lines("web", "", "thaw")}, told):
        pass
    assert "exec c2 sh -c thaw" in log.read_text()
    assert len(told) == 1 and "no such thing" in told[0], AFTER_FAILED


def test_an_interrupted_copy_is_followed_by_what_comes_after(log: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held({"c2": Lines("db", "", "thaw")}, []):
        raise KeyboardInterrupt
    assert log.read_text().splitlines()[-2:] == ["unpause c1 c2", "exec c2 sh -c thaw"]


def test_a_kill_of_the_whole_process_group_lets_them_go_on(log: Path) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from test_halting import Lines, held\n"
        "with held({'c2': Lines('db', '', 'thaw')}, []):\n"
        "    print('halted', flush=True); time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", script, str(Path(__file__).parent)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as running:
        assert running.stdout and running.stdout.readline() == b"halted\n"
        os.killpg(running.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while "thaw" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log.read_text().splitlines() == ["pause c1 c2", "unpause c1 c2", "exec c2 sh -c thaw"]
