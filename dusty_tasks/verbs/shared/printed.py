"""What a program prints beside one JSON document: passed on to stderr as it is, with its last lines kept for the document."""

from __future__ import annotations

import sys
import threading
from collections import deque

from dusty_tasks.console import binary_stream
from dusty_tasks.core.text.safe import plain_lines

MOST_LINES = 200
MOST_BYTES = 4_000
"""Of a line in the document."""


class Printed:
    """Hears lines from any thread. Those who share a `lock` do not write into each other's lines; `prefix` is for stderr alone."""

    def __init__(self, prefix: bytes = b"", lock: threading.Lock | None = None) -> None:
        self._prefix, self._lock = prefix, lock or threading.Lock()
        self._kept: deque[bytes] = deque(maxlen=MOST_LINES)

    def hear(self, line: bytes) -> None:
        line = line.removesuffix(b"\n")
        with self._lock:
            self._kept.append(line[:MOST_BYTES])
            err = binary_stream(sys.stderr)
            err.write(self._prefix + line + b"\n")
            err.flush()

    @property
    def lines(self) -> list[str]:
        """The last lines of both streams, without colours."""
        return [plain_lines(line.decode("utf-8", "replace")) for line in self._kept]
