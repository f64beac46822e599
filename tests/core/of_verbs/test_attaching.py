"""Programs on the caller's own streams: when they get a terminal, and how they are found again."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from dusty_tasks.core.of_verbs.attaching import END_CALL, SIZED, Size, Streams, exec_words

SIZE = Size(31, 117)
COMMAND = ["printf", "%s", "a b", ""]


@pytest.mark.parametrize("kinds", list(itertools.product((True, False), repeat=3)))
def test_a_program_has_a_terminal_only_if_all_streams_are_one(kinds: tuple[bool, bool, bool]) -> None:
    words = exec_words("id", COMMAND, Streams(*kinds, size=SIZE), "token", True)
    if all(kinds):
        assert words == [
            "docker",
            "exec",
            "--interactive",
            "--tty",
            "--detach-keys",
            "ctrl-@,ctrl-],ctrl-@",
            "--env",
            "DUSTY_CALL=token",
            "id",
            "sh",
            "-c",
            SIZED,
            "sh",
            "31",
            "117",
            *COMMAND,
        ]
    else:
        assert words == ["docker", "exec", "--interactive", "--env", "DUSTY_CALL=token", "id", *COMMAND]


def test_without_a_shell_the_command_stands_alone() -> None:
    assert exec_words("id", COMMAND, Streams(True, True, True, size=SIZE), "token", False)[-5:] == ["id", *COMMAND]


def test_a_terminal_whose_size_is_unknown_is_an_ordinary_one() -> None:
    assert Streams(True, True, True).terminal == (24, 80)


def test_in_the_background_nothing_is_read_from_the_terminal() -> None:
    assert exec_words("id", ["ls"], Streams(True, True, True, in_background=True, size=SIZE), "t", True) == [
        "docker",
        "exec",
        "--env",
        "DUSTY_CALL=t",
        "id",
        "ls",
    ]
    assert "--interactive" in exec_words(
        "id", ["ls"], Streams(False, True, True, in_background=True, size=SIZE), "t", True
    )


def test_a_call_is_ended_with_all_that_it_started_and_nothing_else() -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60']); print('ready', flush=True); sys.stdin.read()"
    calls = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={"DUSTY_CALL": call, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for call in ("one", "one0")
    ]
    try:
        for call in calls:
            assert call.stdout and call.stdout.readline() == b"ready\n"
        subprocess.run(["sh", "-c", END_CALL, "sh", "DUSTY_CALL=one", "TERM"], check=False, timeout=30)
        assert calls[0].wait(10) == -15 and calls[0].stdout and calls[0].stdout.read() == b"", (
            "its child holds no pipe any more"
        )
        assert calls[1].poll() is None
    finally:
        subprocess.run(["sh", "-c", END_CALL, "sh", "DUSTY_CALL=one0", "KILL"], check=False, timeout=30)
        for call in calls:
            call.wait(10)
