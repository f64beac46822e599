"""What a person sees and is asked: lines, warnings, questions, tables. Progress (rich) only on a terminal.

All that Dusty says goes through here, and nothing in it can steer a terminal, whatever file, container or remote it came from. What containers
print in `logs`, `shell`, `scripts` and `test` is theirs, and passed on as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, TextIO

from dusty_tasks.core.text.safe import harmless, printable

_shown_above: list[Callable[[str], None]] = []
"""While something moves at the foot of the terminal: what puts a line above it."""


def say(text: str = "") -> None:
    """One or more lines to stdout, at once visible through a pipe."""
    text = harmless(text)
    if _shown_above:
        _shown_above[-1](text)
    else:
        print(text, flush=True)


def warn(text: str) -> None:
    """One or more lines to stderr."""
    print(harmless(text), file=sys.stderr, flush=True)


def say_interrupted() -> None:
    """The last word of a run that ^C ended; a terminal has put `^C` at the start of that line."""
    warn(("\n" if is_terminal(sys.stderr) else "") + "interrupted")


def is_terminal(stream: TextIO | None = None) -> bool:
    """True if `stream` (default stdout) is a terminal; closed streams are not."""
    try:
        return (stream or sys.stdout).isatty()
    except (AttributeError, ValueError):
        return False


def may_ask() -> bool:
    """Questions need a terminal on both ends."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def ask(question: str) -> str:
    """What a person answers, in a line. The question goes to stderr: stdout may be redirected. Raises EOFError."""
    print(harmless(question), end="", file=sys.stderr, flush=True)
    return input()


def confirm(question: str, *, yes: bool = False) -> bool:
    """Ask `question [y/N]`; True with `yes`. Without a terminal: says what it would have asked, False."""
    if yes:
        return True
    if not may_ask():
        warn(f"{question} (no terminal to ask on: run it again with --yes to agree)")
        return False
    try:
        return ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def binary_stream(stream: TextIO) -> BinaryIO:
    """stdout or stderr as bytes: what programs print need not be UTF-8. Of what stands in for it, the real one."""
    stream.flush()
    real = sys.__stderr__ if stream is sys.stderr else sys.__stdout__
    found: BinaryIO | None = getattr(stream, "buffer", None) or getattr(real, "buffer", None)
    if found is None:
        raise ValueError(f"{stream} takes no bytes")
    return found


def check_reader() -> None:
    """Raise BrokenPipeError if stdout is a pipe that nobody reads any more: a verb that waits would find out by a write only."""
    import select

    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # a stream of this process itself
    poll = select.poll()
    poll.register(number, 0)
    if any(event & select.POLLERR for _, event in poll.poll(0)):
        raise BrokenPipeError


def has_colour(stream: TextIO | None = None) -> bool:
    """Colour only on a terminal, and not with NO_COLOR (https://no-color.org) or TERM=dumb."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell, two blanks between, no trailing blanks: the same on a pipe and a terminal."""
    cells = [[printable(str(cell)) for cell in row] for row in ([headers, *rows] if headers else rows)]
    widths = [
        max((len(row[i]) for row in cells if i < len(row)), default=0) for i in range(max(map(len, cells), default=0))
    ]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells
    )


@contextmanager
def working(title: str) -> Iterator[None]:
    """While a long step runs: on a terminal its name with a spinner and the time at the foot, gone when it is done."""
    with _at_the_foot(title, None):
        yield


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """A progress line for a long step: the yielded function reports one finished part by its text.

    On a terminal a rich bar, gone when done; elsewhere one plain line a report. Usable from threads.
    """
    with _at_the_foot(title, total) as report:
        yield report or (lambda text: say(f"{title}: {text}") if text else None)


@contextmanager
def _at_the_foot(title: str, total: int | None) -> Iterator[Callable[[str], None] | None]:
    """A moving line on a terminal, and what advances it; None where there is none, or another one moves already."""
    if not is_terminal(sys.__stdout__) or _shown_above:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    # doit swaps sys.stdout for a Writer, which with rich's own stand-in would call itself for ever: rich gets the real stream.
    console = Console(file=sys.__stdout__, no_color=not has_colour(sys.__stdout__))
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    with Progress(
        *(columns if total else columns[:2] + columns[-1:]),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(harmless(title), total=total)
        _shown_above.append(lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True))
        try:
            yield lambda text: bar.update(task, advance=1, description=harmless(f"{title}: {text}" if text else title))
        finally:
            _shown_above.pop()
