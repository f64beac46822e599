"""A terminal for tests: a real pty with a program on it, and the screen that its bytes make.

The screen knows what Dusty is meant to send, and refuses every other code: what slips through would steer a person's terminal.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import category, east_asian_width

_PIECE = re.compile(
    r"\x1b\[(?P<private>\??)(?P<numbers>[0-9;]*)(?P<final>[A-Za-z])|\x1b\]8;;(?P<link>[!-~]*)\x1b\\|(?P<plain>[^\x1b])",
    re.DOTALL,
)


class Screen:
    """Lines of `columns` x `rows`; what scrolled out is kept in `above`."""

    def __init__(self, columns: int, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.above: list[str] = []
        self.links: list[str] = []
        self.colours: set[str] = set()
        self.is_alternate = self.is_cursor_hidden = False
        self._lines = self._blank()
        self._kept = self._blank()
        self._row = self._column = 0

    def _blank(self) -> list[list[str]]:
        return [[" "] * self.columns for _ in range(self.rows)]

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without the blank lines at its end."""
        shown = ["".join(line).rstrip() for line in self._lines]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def text(self) -> str:
        """All that a person can read, what scrolled out first."""
        return "".join(f"{line}\n" for line in [*self.above, *self.lines])

    def feed(self, text: str) -> None:
        """A piece of what was printed; a code may be cut by its end."""
        text, at = self._cut + text, 0
        self._cut = ""
        while at < len(text):
            found = _PIECE.match(text, at)
            if not found and len(text) - at < 200 and text[at] == "\x1b" and not text.find("\x1b", at + 1) > 0:
                self._cut = text[at:]
                return
            assert found, f"a code that Dusty has no use for: {text[at : at + 20]!r}"
            at = found.end()
            if found["plain"] is not None:
                self._put(found["plain"])
            elif found["final"]:
                self._obey(
                    found["private"], [int(number or 0) for number in found["numbers"].split(";")], found["final"]
                )
            elif found["link"]:
                self.links.append(found["link"])

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        elif character == "\t":
            self._column = min((self._column // 8 + 1) * 8, self.columns - 1)
        elif character == "\b":
            self._column = max(self._column - 1, 0)
        else:
            assert character.isprintable(), f"{character!r} reached the terminal"
            self._print(character)

    def _print(self, character: str) -> None:
        if category(character) in ("Mn", "Me", "Cf"):
            return
        width = 2 if east_asian_width(character) in "WF" else 1
        if self._column + width > self.columns:
            self._column = 0
            self._down()
        self._lines[self._row][self._column : self._column + width] = [character] + [""] * (width - 1)
        self._column += width

    def _down(self) -> None:
        if self._row < self.rows - 1:
            self._row += 1
            return
        gone = "".join(self._lines.pop(0)).rstrip()
        self._lines.append([" "] * self.columns)
        if not self.is_alternate:
            self.above.append(gone)

    def _obey(self, private: str, numbers: list[int], final: str) -> None:
        first = numbers[0]
        if final == "m":
            self.colours.update(map(str, numbers))
        elif private:
            assert final in "hl", f"\\x1b[?{first}{final}"
            self._set(first, is_on=final == "h")
        elif final in "AB":
            move = max(first, 1) * (-1 if final == "A" else 1)
            self._row = min(max(self._row + move, 0), self.rows - 1)
        elif final == "G":
            self._column = max(first, 1) - 1
        elif final == "H":
            self._row, self._column = max(first, 1) - 1, max([*numbers, 1][1], 1) - 1
        elif final in "JK":
            self._erase(final, first)
        else:
            raise AssertionError(f"a code that Dusty has no use for: \\x1b[{numbers}{final}")

    def _set(self, what: int, *, is_on: bool) -> None:
        if what == 25:
            self.is_cursor_hidden = not is_on
        elif what == 1049:
            assert self.is_alternate != is_on, "the screen was changed twice"
            self.is_alternate = is_on
            self._lines, self._kept = (self._blank(), self._lines) if is_on else (self._kept, self._blank())
            self._row, self._column = (0, 0) if is_on else self._place
            self._place = (self._row, self._column)
        else:
            raise AssertionError(f"a mode that Dusty has no use for: {what}")

    _place = (0, 0)
    _cut = ""

    def _erase(self, final: str, how: int) -> None:
        line = self._lines[self._row]
        begin = 0 if how == 2 else self._column
        line[begin:] = [" "] * (self.columns - begin)
        if final == "J":
            for below in self._lines[self._row + 1 :]:
                below[:] = [" "] * self.columns


class OnTerminal:
    """A program on a terminal."""

    def __init__(self, argv: Sequence[str], columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self.screen = Screen(columns, rows)
        self.printed = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.master, slave = pty.openpty()
        resize(self.master, columns, rows)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(environment), start_new_session=True, close_fds=True
        )
        os.close(slave)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self, until: str = "", seconds: float = 60) -> str:
        """Feed the screen until it shows `until`, without it until the program has closed its terminal."""
        end = time.monotonic() + seconds
        while not until or until not in "\n".join(self.screen.lines):
            left = end - time.monotonic()
            assert left > 0, f"no {until!r} on:\n{self.screen.text}"
            if not select.select([self.master], [], [], left)[0]:
                continue
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:  # nobody has the other end open
                piece = b""
            if not piece:
                assert not until, f"no {until!r} on:\n{self.screen.text}"
                break
            text = self._decoder.decode(piece)
            self.printed += text
            self.screen.feed(text)
        return self.printed


def resize(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextlib.contextmanager
def on_terminal(
    argv: Sequence[str], columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
) -> Iterator[OnTerminal]:
    """A program on a terminal of its own, ended at the latest with the block."""
    program = OnTerminal(argv, columns, rows, {**os.environ, "TERM": "xterm", **(environment or {})})
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()
        os.close(program.master)
