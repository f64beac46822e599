"""The door to other programs: what a program reads, and when it sees the end of it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from dusty_tasks.console import say
from dusty_tasks.effects.doors import process
from dusty_tasks.verbs.shared.aside import Aside
from dusty_tasks.voices import speaking_to

READ_AND_LISTEN = """
import os, select
first = os.read(0, 100)
is_ended = bool(select.select([0], [], [], 0.3)[0]) and os.read(0, 1) == b""
print(first.decode(), "ended" if is_ended else "open")
"""


def test_stdin_ends_with_its_data() -> None:
    assert process.run([sys.executable, "-c", READ_AND_LISTEN], input="asked").out == "asked ended\n"
    assert process.run([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"]).out == "''\n"


def test_held_stdin_stays_open_until_the_program_ends() -> None:
    assert process.run([sys.executable, "-c", READ_AND_LISTEN], input=b"asked", hold_input=True).out == "asked open\n"


def test_held_stdin_takes_more_than_a_pipe_holds() -> None:
    count = "import os; n = 0\nwhile n < 1000000: n += len(os.read(0, 1 << 20))\nprint(n)"
    assert process.run([sys.executable, "-c", count], input="x" * 1000000, hold_input=True).out == "1000000\n"


def test_a_program_that_does_not_read_its_held_stdin_ends_all_the_same() -> None:
    assert process.run(["true"], input=b"x" * 1000000, hold_input=True).code == 0
    assert process.run(["sleep", "60"], input=b"x", hold_input=True, timeout=0.2).code == 124


def test_no_thread_would_keep_an_interrupted_run_from_ending_until_a_programs_time_is_over() -> None:
    seen: list[threading.Thread] = []
    before = threading.enumerate()  # other tests may have left some
    process.run(["echo", "x"], timeout=3600, on_line=lambda _line: seen.extend(threading.enumerate()))
    assert seen and [thread for thread in seen if not thread.daemon and thread not in before] == []


def test_lines_of_both_streams_are_handed_on_as_they_are() -> None:
    out: list[bytes] = []
    err: list[bytes] = []
    program = r"printf 'a\\n\\377\\r\\n'; echo e >&2; head -c 300000 /dev/zero >&2; printf end; exit 5"
    assert process.run_by_lines(["sh", "-c", program.replace("\\\\", "\\")], out.append, err.append) == 5
    assert (out, b"".join(err)) == ([b"a\n", b"\xff\r\n", b"end"], b"e\n" + bytes(300000))


def test_a_program_read_by_lines_has_no_input_or_ours(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("typed\n")
    kept = os.dup(0)
    try:
        with open(tmp_path / "input") as ours:
            os.dup2(ours.fileno(), 0)
        for has_our_input, wanted in ((False, []), (True, [b"typed\n"])):
            out: list[bytes] = []
            assert process.run_by_lines(["cat"], out.append, out.append, has_our_input=has_our_input) == 0
            assert out == wanted
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_who_hears_a_run_hears_the_lines_of_its_programs() -> None:
    class Hearing(Aside):
        def say(self, text: str) -> None:
            heard.append(text)

    heard: list[str] = []
    argv = ["sh", "-c", "echo out; echo err >&2"]
    with speaking_to(Hearing()):
        process.run(argv, on_line=say)
        process.run_by_lines(argv, lambda line: say(line.decode()), lambda line: say(line.decode()))
    assert sorted(heard) == ["err", "err\n", "out", "out\n"]


def test_a_reader_of_lines_who_fails_ends_the_program() -> None:
    def fail(_line: bytes) -> None:
        raise BrokenPipeError

    for program in ("yes", "yes >&2"):
        with pytest.raises(BrokenPipeError):
            process.run_by_lines(["sh", "-c", f"exec {program}"], fail, fail)
