"""The whole terminal for a verb that goes on showing something, and the terminal as it was at the end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""xterm's alternate screen, and a cursor that is not shown."""
HOME, TO_LINE_END, TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"


class Screen:
    """The alternate screen of a terminal; made by `whole_terminal`."""

    def __init__(self, wake: int) -> None:
        self._wake = wake

    @property
    def size(self) -> tuple[int, int]:
        """(columns, lines) as they are now."""
        try:
            found = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return 80, 24
        return found.columns or 80, found.lines or 24

    def show(self, drawn: str) -> None:
        """Put lines that fit on the screen, over those that were there: nothing flickers. `drawn` is what console.drawn_for gives."""
        lines = drawn.split("\n")[: self.size[1]]
        print(HOME + f"{TO_LINE_END}\n".join(lines) + TO_LINE_END + TO_SCREEN_END, end="", flush=True)

    def wait(self, seconds: float) -> bool:
        """Wait; True if the terminal changed its size, or came back, before that."""
        if select.select([self._wake], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
            return True
        return False


@contextlib.contextmanager
def whole_terminal() -> Iterator[Screen]:
    """The alternate screen of stdout's terminal, left at the end however that comes: ^C, SIGTERM (which ends us as SystemExit), an error.

    While the process is stopped (^Z) the shell has the terminal as it was.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def stop(_number: int, _frame: object) -> None:
        print(LEAVE, end="", flush=True)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # Here the shell has let us go on; or nobody could, and the kernel stopped nothing.
        signal.signal(signal.SIGTSTP, stop)
        print(ENTER, end="", flush=True)

    handlers = {signal.SIGWINCH: lambda _number, _frame: None, signal.SIGTSTP: stop}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    woken_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    print(ENTER, end="", flush=True)
    try:
        yield Screen(reader)
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        print(LEAVE, end="", flush=True)
        os.close(reader)
        os.close(writer)
