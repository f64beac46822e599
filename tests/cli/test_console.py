"""What a person sees: plain lines on a pipe, a moving foot with lines above it on a terminal, tables that fit."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks import console

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = """
from dusty_tasks.console import progress, say, working
with working("changing containers"):
    say("create web: [bold]it has no container yet")
    with progress("repos", 2) as advance:
        advance("cloned a")
say("done")
"""


def test_on_a_pipe_only_lines_come_and_no_rich() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CODE + "\nimport sys; assert 'rich' not in sys.modules"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "create web: [bold]it has no container yet\nrepos: cloned a\ndone\n"


def test_after_a_terminals_own_echo_of_the_interrupt_key_its_word_stands_on_a_new_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for is_terminal, said in ((False, "interrupted\n"), (True, "\ninterrupted\n")):
        monkeypatch.setattr(console, "is_terminal", lambda _stream, answer=is_terminal: answer)
        console.say_interrupted()
        assert capsys.readouterr().err == said


def test_on_a_terminal_lines_stand_above_what_moves_and_the_foot_is_gone_at_the_end() -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 4096):
            shown += piece
    except OSError:  # the terminal's other end is closed
        pass
    assert process.wait() == 0
    os.close(master)
    text = shown.decode()
    assert "create web: [bold]it has no container yet\r\n" in text
    assert text.rstrip().endswith("done") and "\x1b[2K" in text


def test_a_table_pads_to_the_widest_cell_and_leaves_no_trailing_blanks() -> None:
    assert console.table(("a", "b"), [("long cell", ""), ("x", "y")]) == "a          b\nlong cell\nx          y"


HOSTILE = "a\x1b]0;owned\x07\x1b[2J\r\x9bb"


def test_nothing_that_is_said_steers_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console.say(f"sync web: {HOSTILE} is new")
    console.say(console.table((HOSTILE, "b"), [(f"{HOSTILE}\nx", "y")]))
    console.warn(HOSTILE)
    monkeypatch.setattr(console, "may_ask", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: "n")
    console.confirm(f"Remove {HOSTILE}?")
    out, err = capsys.readouterr()
    assert {*out + err}.isdisjoint({"\x1b", "\x07", "\x9b", "\r"})
    assert r"\x1b]0;owned\x07" in out and r"\x1b[2J\r\x9bb" in err
    assert len(out.splitlines()) == 3, "a newline in a cell makes no line of its own"


def test_neither_does_what_moves_at_the_foot() -> None:
    master, slave = pty.openpty()
    code = f"from dusty_tasks.console import progress\nwith progress({HOSTILE!r}, 2) as advance:\n    advance({HOSTILE!r})\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 4096):
            shown += piece
    except OSError:
        pass
    assert process.wait() == 0
    os.close(master)
    assert rb"\x1b]0;owned" in shown and b"\x1b]0;" not in shown and "\x9b".encode() not in shown


def test_a_question_is_seen_where_stdout_is_redirected() -> None:
    master, slave = pty.openpty()
    code = "from dusty_tasks.console import confirm\nprint(confirm('Shall I?'))\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    asked = b""
    while b"[y/N] " not in asked:
        asked += os.read(master, 1000)
    os.write(master, b"y\n")
    assert process.communicate(timeout=30)[0] == b"True\n"
    os.close(master)
