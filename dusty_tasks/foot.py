"""What moves at the foot of a terminal while something is under way: a line an item, with its time; other lines come above it.

Only on a terminal. Nothing else may print to it meanwhile but through `above` and `hidden`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO

from dusty_tasks.core.text.looks import Look, Tone, between_marks, cut, drawn, painted, plain, width_of
from dusty_tasks.core.text.safe import printable

TICK = 0.1
"""Seconds between two drawings."""
SHOWN_TIME = 1.0
"""Seconds after which an item's time is shown."""
UP, ERASE_BELOW = "\x1b[{}A", "\x1b[J"


class Item(NamedTuple):
    text: str
    began: float


class Foot:
    """Lines at the foot of `stream`. Usable from threads."""

    def __init__(self, stream: TextIO, look: Look) -> None:
        self.stream, self.look = stream, look
        self._lock = threading.RLock()
        self._items: dict[Hashable, Item] = {}
        self._drawn: list[int] = []
        """Columns of each line that stands there now."""
        self._ticker: threading.Thread | None = None
        self._turn = 0
        encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
        self._spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if encoding == "utf8" else "-\\|/"

    def begin(self, key: Hashable, text: str) -> None:
        """Show an item, or change the text of one that is shown."""
        with self._lock:
            before = self._items.get(key)
            shown = between_marks(" ".join(text.split()), printable)
            self._items[key] = Item(shown, before.began if before else time.monotonic())
            self._erase()
            self._draw()
            self.stream.flush()
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, daemon=True)
                self._ticker.start()

    def end(self, key: Hashable) -> float:
        """Take an item away; the seconds that it was there."""
        with self._lock:
            item = self._items.pop(key, None)
            if not self._items:
                self._erase()
                self.stream.flush()
            return time.monotonic() - item.began if item else 0.0

    def close(self) -> None:
        """Take all of it away."""
        with self._lock:
            self._items.clear()
            self._erase()
            self.stream.flush()

    def above(self, text: str) -> None:
        """Print lines (marks as codes already) above all that moves."""
        with self.hidden():
            self.stream.write(f"{text}\n")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Nothing of it stands on the terminal in the block: for other lines, for a question."""
        with self._lock:
            self._erase()
            self.stream.flush()
            try:
                yield
            finally:
                self._draw()
                self.stream.flush()

    def _tick(self) -> None:
        while True:
            time.sleep(TICK)
            with self._lock:
                if not self._items:
                    self._ticker = None
                    return
                self._turn += 1
                self._erase()
                self._draw()
                self.stream.flush()

    def size(self) -> tuple[int, int]:
        """(columns, lines) of the terminal."""
        try:
            found = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return found.columns or 80, found.lines or 24

    def _erase(self) -> None:
        """A line that was drawn on a wider terminal takes several rows by now."""
        columns, _ = self.size()
        rows = sum(max(-(-width // columns), 1) for width in self._drawn)
        if rows:
            self.stream.write("\r" + (UP.format(rows - 1) if rows > 1 else "") + ERASE_BELOW)
        self._drawn = []

    def _draw(self) -> None:
        if not self._items:
            return
        columns, rows = self.size()
        lines = [cut(line, columns - 1) for line in self._lines(max(rows // 2, 1))]
        self._drawn = [width_of(line) for line in lines]
        self.stream.write("\n".join(drawn(line, self.look) for line in lines))

    def _lines(self, room: int) -> Iterator[str]:
        now, sign = time.monotonic(), self._spinner[self._turn % len(self._spinner)]
        items = list(self._items.values())
        shown = items if len(items) <= room else items[: room - 1]
        for item in shown:
            seconds = now - item.began
            age = painted(f"  {seconds:.0f} s", Tone.QUIET) if seconds >= SHOWN_TIME else ""
            yield f"{painted(sign, Tone.BUSY)} {item.text}{age}"
        if len(shown) < len(items):
            yield painted(f"  and {len(items) - len(shown)} more", Tone.QUIET)


@contextmanager
def step(foot: Foot, title: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """A long step at the foot, gone when it is done; what it gives hears of each part by its text."""
    key, parts = object(), 0

    def report(text: str) -> None:
        nonlocal parts
        parts += 1
        count = f" ({parts} of {total})" if total else ""
        foot.begin(key, f"{plain(f'{title}: {text}' if text else title)}{count}")

    foot.begin(key, title)
    try:
        yield report
    finally:
        foot.end(key)
