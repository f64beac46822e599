"""Whoever redirects one stream keeps a terminal on another: bytes, streams, statuses and sizes arrive as they were."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import time
from pathlib import Path

import pytest
from machine import CLEAN_PATH
from stacks import SERVE, SmallStack
from terminals import COLUMNS, ROWS, attached, resize

ROOT = Path(__file__).resolve().parents[2]
MIXTURES = list(itertools.product(("tty", "pipe"), repeat=3))
BINARY = bytes(range(256)) + b"\n\r\n"
PRINT = r"i=0; while [ $i -lt 256 ]; do printf \\$(printf %o $i); i=$((i + 1)); done; printf '\n\r\n'"
"""Prints BINARY: the zero byte too, and every kind of newline."""
SCRIPT = f"{PRINT}; echo err >&2; [ ! -t 0 ] || [ ! -t 1 ] || stty size; exit 7"
SUITES = f"""\
scripts: [{{name: mixed, command: [{json.dumps(SCRIPT)}], description: of both}}]
test:
  image: busybox:1
  suites:
    - {{name: mixed, command: [{json.dumps(SCRIPT + " #")}]}}
    - {{name: other, command: ["echo other-out; echo other-err >&2 #"]}}
"""


class Terminals:
    """`dusty` with streams of any kind."""

    def __init__(self, rig, stack: SmallStack) -> None:
        self.rig, self.stack = rig, stack
        self.env = {
            "DUSTY_HOME": str(rig.home),
            "PATH": CLEAN_PATH,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "NO_COLOR": "1",
        }

    def attached(self, streams, *words: str, given: bytes = b"", program: tuple[str, ...] = (str(ROOT / "dusty"),)):
        return attached(self.rig.machine.argv([]), [*program, *words], streams, self.env, given)

    def run(self, streams, *words: str, given: bytes = b""):
        with self.attached(streams, *words, given=given) as process:
            return process.end()

    def running(self, text: str) -> bool:
        """Whether a program with `text` in its words runs in web."""
        return text in self.rig.run(["docker", "exec", "dusty_web_1", "ps", "-o", "args"]).stdout

    def gone(self, text: str) -> bool:
        end = time.monotonic() + 20
        while self.running(text) and time.monotonic() < end:
            time.sleep(0.1)
        return not self.running(text)


@pytest.fixture
def terminals(rig, tmp_path) -> Terminals:
    stack = SmallStack(tmp_path, rig.home, config="repos: {pull: never}\nhosts: {mode: 'off'}\n")
    stack.app("web", always=f"echo to-out; echo to-err >&2; {SERVE}", services="[cache]", more=SUITES)
    rig.dusty("up")
    return Terminals(rig, stack)


def check(ended, streams: tuple[str, ...], out: bytes, err: bytes, size: bytes = b"") -> None:
    """`out` and `err` arrived, apart where they were redirected; on the terminal, newlines became two bytes."""
    on_screen = b"".join(text for text, kind in ((out, streams[1]), (err, streams[2])) if kind == "tty")
    if "pipe" not in streams and size:
        assert ended.screen == (out + err + size).replace(b"\n", b"\r\n")
    else:
        # Two streams reach a terminal, and a log, in any order.
        assert sorted(ended.screen) == sorted(on_screen.replace(b"\n", b"\r\n"))
    assert ended.out == (b"" if streams[1] == "tty" else out) and ended.err == (b"" if streams[2] == "tty" else err), (
        streams
    )


def test_what_is_redirected_arrives_as_it_was_written(terminals):
    size = f"{ROWS} {COLUMNS}\n".encode()
    for streams in MIXTURES:
        for words in (["shell", "web", "sh", "-c", SCRIPT], ["scripts", "web", "mixed"]):
            ended = terminals.run(streams, *words)
            assert ended.code == 7, (streams, words, ended)
            check(ended, streams, BINARY, b"err\n", size)
    # Files, and streams that are closed; input of all bytes, and more than a pipe holds.
    ended = terminals.run(
        ("file", "file", "file"), "shell", "web", "sh", "-c", "cat; echo err >&2; exit 3", given=BINARY * 1000
    )
    assert (ended.code, ended.out, ended.err, ended.screen) == (3, BINARY * 1000, b"err\n", b"")
    for closed in range(3):
        streams = tuple("closed" if number == closed else "file" for number in range(3))
        ended = terminals.run(streams, "shell", "web", "sh", "-c", "cat; echo out; echo err >&2; exit 3")
        assert (ended.code, ended.out, ended.err) == (
            3,
            b"" if closed == 1 else b"out\n",
            b"" if closed == 2 else b"err\n",
        ), streams
    # A file from a container: as it is; a folder: as an archive, on no terminal. And back.
    terminals.run(("file", "file", "file"), "cp", "-", "web:/tmp/new/blob", given=BINARY * 1000)
    terminals.rig.run(["docker", "exec", "dusty_web_1", "ln", "-s", "new/blob", "/tmp/link"])
    for streams in (("tty", "pipe", "tty"), ("pipe", "file", "pipe")):
        for path in ("/tmp/new/blob", "/tmp/link"):
            ended = terminals.run(streams, "cp", f"web:{path}", "-")
            assert (ended.code, ended.out, ended.screen, ended.err) == (0, BINARY * 1000, b"", b"")
    ended = terminals.run(("tty", "pipe", "tty"), "cp", "web:/tmp/new", "-")
    with tarfile.open(fileobj=io.BytesIO(ended.out)) as archive:
        assert archive.getnames() == ["new", "new/blob"] and archive.extractfile("new/blob").read() == BINARY * 1000
    assert (
        b"a tar archive is not written to a terminal"
        in terminals.run(("tty", "tty", "tty"), "cp", "web:/tmp/new", "-").screen
    )
    ended = terminals.run(("pipe", "pipe", "pipe"), "cp", "-", "web:/tmp", given=b"x")
    assert ended.code == 1 and b"name the file" in ended.err
    # Logs, of one and of several.
    for streams in MIXTURES:
        check(terminals.run(streams, "logs", "web"), streams, b"to-out\n", b"to-err\n")
        check(terminals.run(streams, "logs", "web", "cache"), streams, b"web   | to-out\n", b"web   | to-err\n")
    # As cron starts it: hardly a variable, no terminal, nothing on stdin.
    for words, wanted in (
        ("shell web cat /tmp/new/blob", (0, BINARY * 1000, b"")),
        ("scripts web mixed", (7, BINARY, b"err\n")),
        ("logs web", (0, b"to-out\n", b"to-err\n")),
        ("cp web:/code/index.html -", (0, b"hello from web\n", b"")),
    ):
        line = f"exec env -i PATH=/usr/bin:/bin SHELL=/bin/sh LOGNAME=root DUSTY_HOME={terminals.rig.home} {ROOT}/dusty {words} </dev/null"
        with attached(
            terminals.rig.machine.argv([]), ["sh", "-c", line], ("pipe", "pipe", "pipe"), terminals.env
        ) as process:
            ended = process.end()
        assert (ended.code, ended.out, ended.err) == wanted, words


def test_what_is_ended_ends_in_the_container_too(terminals):
    redirected, on_terminal = ("tty", "pipe", "tty"), ("tty", "tty", "tty")
    for streams in (redirected, ("pipe", "tty", "pipe"), on_terminal):
        with terminals.attached(streams, "shell", "web", "sh", "-c", "echo started; sleep 1001; echo after") as process:
            process.read(b"started", "screen" if streams[1] == "tty" else "out")
            process.type(b"\x03")
            assert process.end().code == 130
            assert process.is_cooked()
        assert terminals.gone("sleep 1001")
    # A reader who goes away, and a dusty that is told to end, whose terminal is as it was.
    with terminals.attached(redirected, "shell", "web", "yes") as process:
        process.read(b"y", "out")
        process.close("out")
        assert process.end().code == 141
    assert terminals.gone("yes")
    for signal, code in (("TERM", 143), ("HUP", 129)):
        with terminals.attached(on_terminal, "shell", "web", "sh", "-c", "echo started; exec sleep 1002") as process:
            process.read(b"started")
            assert not process.is_cooked()
            terminals.rig.run(["pkill", f"-{signal}", "-f", "dusty_tasks shell web sh"])
            assert process.end().code == code
            assert process.is_cooked()
        assert terminals.gone("sleep 1002")


def test_a_terminal_keeps_its_size_and_a_shell_its_line(terminals):
    with terminals.attached(("tty", "tty", "tty"), "shell", "web") as process:
        process.type(b"stty size; echo is-$?\n")
        process.read(b"is-0")
        assert f"{ROWS} {COLUMNS}".encode() in process.seen["screen"]
        # `docker exec` misses a change that comes before it listens for changes, so there are several.
        for number in range(50):
            resize(process.master, 50 + number, 200)
            process.type(b"stty size; echo again-$((%d + 1))\n" % number)
            process.read(b"again-%d\r\n" % (number + 1))
            if b" 200\r\n" in process.seen["screen"]:
                break
        assert b" 200\r\n" in process.seen["screen"]
        process.type(b"exit 5\n")
        assert process.end().code == 5
    # `script` gives a terminal to all that has none, `ssh -T` and cron give none to what has one.
    done = terminals.rig.run(["script", "-qec", f"{ROOT}/dusty shell web tty", "/dev/null"], env=terminals.env)
    assert done.stdout.strip().startswith("/dev/pts/")
    # In the background of a terminal nothing is stopped that would read from it.
    with terminals.attached(
        ("tty", "file", "file"), "sh", "-c", f"set -m; {ROOT}/dusty shell web echo done & wait $!", program=()
    ) as process:
        ended = process.end()
        assert (ended.code, ended.out) == (0, b"done\n")


def test_the_output_of_suites_is_theirs(terminals):
    size = f"{ROWS} {COLUMNS}\n".encode()
    for streams in (("tty", "tty", "tty"), ("tty", "pipe", "tty"), ("tty", "tty", "pipe"), ("pipe", "pipe", "pipe")):
        ended = terminals.run(streams, "test", "web", "mixed")
        assert ended.code == 7
        shown, newline = (ended.screen, b"\r\n") if streams[1] == "tty" else (ended.out, b"\n")
        for text in (BINARY, b"TESTS mixed FAILED\n"):
            assert text.replace(b"\n", newline) in shown
        assert (size.replace(b"\n", newline) in shown) == (streams == ("tty", "tty", "tty"))
        if streams[2] == "pipe":
            assert ended.err == b"err\n"
    ended = terminals.run(("file", "file", "file"), "test", "-n", "2", "web", "all")
    assert b"other | other-out\n" in ended.out and b"other-err" not in ended.out
    assert b"other | other-err\n" in ended.err and b"mixed | err\n" in ended.err
    assert b"mixed | " + BINARY.split(b"\n")[0] in ended.out
