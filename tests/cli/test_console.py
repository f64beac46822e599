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
    assert text.rstrip().endswith("done") and "repos: cloned a (1 of 2)" in text and "\x1b[J" in text


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


def on_terminal(code: str, **environment: str) -> str:
    """What a piece of Python prints on a terminal of 80 columns."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
    )
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 4096):
            shown += piece
    except OSError:
        pass
    process.wait()
    os.close(master)
    return shown.decode()


PAINTED = """
from dusty_tasks.console import say, warn
from dusty_tasks.core.text.looks import Tone, painted
say(painted("ready", Tone.GOOD) + " at http://web.local/")
warn("no engine")
"""


def test_colours_and_links_are_shown_where_the_terminal_has_them() -> None:
    assert on_terminal(PAINTED) == "\x1b[32mready\x1b[0m at http://web.local/\r\n\x1b[31mno engine\x1b[0m\r\n"
    assert "\x1b]8;;http://web.local/\x1b\\" in on_terminal(PAINTED, VTE_VERSION="7600")
    plain = "ready at http://web.local/\r\nno engine\r\n"
    assert on_terminal(PAINTED, NO_COLOR="1", FORCE_HYPERLINK="1") == plain
    assert on_terminal(PAINTED, TERM="dumb", FORCE_HYPERLINK="1") == plain


@pytest.mark.parametrize(
    "words", ["--no-color nonsense", "nonsense --no-color", "--no-color status x", "plan --no-color x"]
)
def test_no_color_may_stand_before_and_behind_the_verb(words: str, tmp_path: Path) -> None:
    def shown(typed: str) -> str:
        return on_terminal(f"from dusty_tasks.cli.main import main\nmain({typed.split()})", DUSTY_HOME=str(tmp_path))

    assert "\x1b[31m" in shown(words.replace("--no-color", ""))
    assert shown(words) and "\x1b" not in shown(words)


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"VTE_VERSION": "5202"}, True),
        ({"VTE_VERSION": "4205"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4"}, True),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"}, False),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "next-3.5"}, False),
        ({"VTE_VERSION": "7600", "STY": "1.pts"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"WT_SESSION": "x", "FORCE_HYPERLINK": "0"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({}, False),
    ],
)
def test_links_are_for_terminals_that_make_links_of_them(environment: dict[str, str], shown: bool) -> None:
    assert console.shows_links(environment) is shown


def test_sentences_break_at_blanks_on_a_terminal_and_listings_and_values_stay_as_they_are() -> None:
    path = "/srv/" + "a-folder/" * 9
    code = f"""
from dusty_tasks.console import say, warn
say("{"word " * 20}{path}")
warn("{"fault " * 15}")
say("    {"listed " * 15}")
say("{"value " * 15}", as_is=True)
"""
    for environment in ({}, {"NO_COLOR": "1"}):
        shown = on_terminal(code, **environment).replace("\r\n", "\n")
        lines = [line.replace("\x1b[31m", "").replace("\x1b[0m", "") for line in shown.split("\n")]
        assert f"  {path}" in lines and "listed " * 15 in shown and "value " * 15 in shown
        assert all(len(line) <= 80 for line in lines if "word" in line or "fault" in line)
