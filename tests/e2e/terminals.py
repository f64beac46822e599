"""Commands whose streams are terminals, pipes and files in any mixture, as a shell starts them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

ROWS, COLUMNS = 31, 117


class Ended(NamedTuple):
    code: int
    screen: bytes
    """What reached the terminal."""
    out: bytes
    """What reached stdout, '' where that is the terminal."""
    err: bytes


TAKE_TERMINAL = """
import fcntl, os, sys, termios
terminal, closed, *argv = sys.argv[1:]
os.setsid()
fcntl.ioctl(int(terminal), termios.TIOCSCTTY, 0)
for number in [terminal, *filter(None, closed.split(","))]:
    os.close(int(number))
os.execvp(argv[0], argv)
"""
"""A shell would do this for its jobs. It is done by the process itself, because what enters a machine for it stays outside and has no terminal."""


class Attached:
    """A process in a session of its own, whose controlling terminal is a real one of ROWS x COLUMNS.

    `enter` is what leads into the machine in which it runs. `streams`: for stdin, stdout and stderr `tty`, `pipe`, `file` or `closed`. Input goes to the terminal where stdin is one.
    """

    def __init__(
        self, enter: Sequence[str], argv: Sequence[str], streams: Sequence[str], env: Mapping[str, str], given: bytes
    ) -> None:
        self.master, slave = pty.openpty()
        resize(self.master, ROWS, COLUMNS)
        self.files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115 - closed by attached()
        self.files[0].write(given)
        self.files[0].seek(0)
        self.seen = {"screen": b"", "out": b"", "err": b""}
        self.sources: dict[int, str] = {self.master: "screen"}
        ours, theirs = [], []
        for number, kind in enumerate(streams):
            if kind == "pipe":
                ends = os.pipe()
                mine, its = ends if number else ends[::-1]
                theirs.append(its)
                ours.append(mine)
                if number:
                    self.sources[mine] = ("in", "out", "err")[number]
            else:
                theirs.append({"tty": slave, "file": self.files[number].fileno(), "closed": -1}[kind])
                ours.append(-1)
        closed = ",".join(str(number) for number, kind in enumerate(streams) if kind == "closed")
        self.streams = streams
        self.process = subprocess.Popen(
            [*enter, sys.executable, "-c", TAKE_TERMINAL, str(slave), closed, *argv],
            stdin=_or_null(theirs[0]),
            stdout=_or_null(theirs[1]),
            stderr=_or_null(theirs[2]),
            env=dict(env),
            pass_fds=[slave],
        )
        os.close(slave)
        for end, kind in zip(theirs, streams, strict=True):
            if kind == "pipe":
                os.close(end)
        self.stdin = ours[0] if streams[0] == "pipe" else self.master if streams[0] == "tty" else -1
        if streams[0] == "pipe":
            os.write(self.stdin, given)
            os.close(self.stdin)

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def read(self, until: bytes = b"", stream: str = "screen", seconds: float = 60) -> bytes:
        """Read all streams until one holds `until`, without it until all have ended."""
        end = time.monotonic() + seconds
        while self.sources and not (until and until in self.seen[stream]):
            assert time.monotonic() < end, f"no {until!r}: {self.seen}"
            ready, _, _ = select.select(list(self.sources), [], [], 0.2)
            for descriptor in ready:
                try:
                    data = os.read(descriptor, 65536)
                except OSError:  # a terminal that nobody holds any more
                    data = b""
                self.seen[self.sources[descriptor]] += data
                if not data:
                    del self.sources[descriptor]
            if not ready and self.process.poll() is not None and set(self.sources) <= {self.master}:
                break
        return self.seen[stream]

    def close(self, stream: str) -> None:
        """The reader of a stream goes away."""
        descriptor = next(number for number, name in self.sources.items() if name == stream)
        del self.sources[descriptor]
        os.close(descriptor)

    def end(self, seconds: float = 60) -> Ended:
        self.read(seconds=seconds)
        code = self.process.wait(seconds)
        for number, name in ((1, "out"), (2, "err")):
            if self.streams[number] == "file":
                self.files[number].seek(0)
                self.seen[name] = self.files[number].read()
        return Ended(128 - code if code < 0 else code, self.seen["screen"], self.seen["out"], self.seen["err"])

    def is_cooked(self) -> bool:
        """True if the terminal is as shells like it: it echoes, and ^C is a signal."""
        modes = termios.tcgetattr(self.master)[3]
        return bool(modes & termios.ECHO and modes & termios.ISIG and modes & termios.ICANON)


def _or_null(descriptor: int) -> int:
    return subprocess.DEVNULL if descriptor < 0 else descriptor


def resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextlib.contextmanager
def attached(
    enter: Sequence[str], argv: Sequence[str], streams: Sequence[str], env: Mapping[str, str], given: bytes = b""
) -> Iterator[Attached]:
    process = Attached(enter, argv, streams, env, given)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.wait()
        os.close(process.master)
        for file in process.files:
            file.close()
