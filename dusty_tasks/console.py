"""What a person sees and is asked: lines, warnings, questions, tables. What moves (dusty_tasks/foot) only on a terminal.

All that Dusty says goes through here, and nothing in it can steer a terminal, whatever file, container or remote it came from. What containers
print in `logs`, `shell`, `scripts` and `test` is theirs, and passed on as it is.

More than 300 lines: how a line is shown, above a moving one or to somebody else, is decided in one place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TextIO

from dusty_tasks.core.text.looks import PLAIN, Look, between_marks, drawn, padded, width_of, wrapped
from dusty_tasks.core.text.safe import harmless, printable
from dusty_tasks.voices import heard_by, speaking_to

if TYPE_CHECKING:
    from dusty_tasks.foot import Foot

UNKNOWN_WIDTH = 80
"""Columns of a terminal that does not tell."""

_feet: list[Foot] = []
"""What moves at the foot of the terminal now: one, or none."""


def say(text: str = "", *, as_is: bool = False) -> None:
    """One or more lines to stdout, at once visible through a pipe. Marks of core/text/looks are shown where a terminal shows them.

    A sentence that is longer than the terminal is wide is broken at blanks; `as_is`: a value, which nobody may break.
    """
    if voice := heard_by():
        with speaking_to(None):
            voice.say(text)
    elif _feet:
        _feet[-1].above(_as_shown(text, sys.__stdout__, as_is=as_is))
    else:
        print(_as_shown(text, sys.stdout, as_is=as_is), flush=True)


def mention(text: str) -> None:
    """What is being waited for, where nothing at the foot of a terminal tells that something is under way."""
    if not _feet:
        say(text)


def warn(text: str) -> None:
    """One or more lines to stderr: what went wrong, in the colour of its severity."""
    if voice := heard_by():
        with speaking_to(None):
            voice.warn(text)
    else:
        with _nothing_moving():
            print(_as_shown(text, sys.stderr, is_severe=True), file=sys.stderr, flush=True)


def say_interrupted() -> None:
    """The last word of a run that ^C ended; a terminal has put `^C` at the start of that line."""
    while _feet:
        _feet.pop().close()
    warn(("\n" if is_terminal(sys.stderr) else "") + "interrupted")


def say_aside(text: str) -> None:
    """One or more lines to stderr that are no trouble: where stdout is for a program."""
    with _nothing_moving():
        print(_as_shown(text, sys.stderr), file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None = None) -> bool:
    """True if `stream` (default stdout) is a terminal; closed streams are not, nor is what another one hears."""
    if heard_by():
        return False
    try:
        return (stream or sys.stdout).isatty()
    except (AttributeError, ValueError):
        return False


def may_ask() -> bool:
    """Questions need a terminal on both ends."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def ask(question: str) -> str:
    """What a person answers, in a line. The question goes to stderr: stdout may be redirected. Raises EOFError."""
    with _nothing_moving():
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
    """Colour only on a terminal, and not with NO_COLOR (https://no-color.org), `--no-color` or TERM=dumb."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def without_colours() -> None:
    """What `--no-color` asks for: no colours in this process, nor in those that it starts."""
    os.environ["NO_COLOR"] = "1"


def look_of(stream: TextIO | None = None) -> Look:
    """What a stream (default stdout) shows. Without colours there are no links either: both are codes that somebody did not want to read."""
    if not has_colour(stream):
        return PLAIN
    return Look(colours=True, links=shows_links(os.environ))


def shows_links(environment: Mapping[str, str]) -> bool:
    """Whether the terminal that an environment tells of makes links of OSC 8; FORCE_HYPERLINK=1 or 0 decides where it is known better.

    Most terminals that know no links leave them out in silence, but not all, so it takes a sign.
    """
    forced = environment.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced not in ("", "0")
    program, version = environment.get("TERM_PROGRAM", ""), environment.get("TERM_PROGRAM_VERSION", "")
    if program == "tmux":
        major, _, minor = version.partition(".")
        return (int(major or 0), int(minor[:1] or 0)) >= (3, 4) if (major + minor[:1]).isdigit() else False
    if environment.get("TMUX") or environment.get("STY"):
        return False
    vte, konsole = environment.get("VTE_VERSION", ""), environment.get("KONSOLE_VERSION", "")
    return (
        program in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby")
        or environment.get("TERM", "") in ("xterm-kitty", "alacritty", "foot", "foot-extra", "xterm-ghostty", "wezterm")
        or (vte.isdigit() and int(vte) >= 5000)
        or (konsole.isdigit() and int(konsole) >= 201200)
        or any(name in environment for name in ("WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM"))
    )


def width(stream: TextIO | None = None) -> int:
    """The columns of a terminal; 0 for what is none, where lines are as long as they are."""
    if not is_terminal(stream):
        return 0
    try:
        return os.get_terminal_size((stream or sys.stdout).fileno()).columns or UNKNOWN_WIDTH
    except (OSError, ValueError):
        return UNKNOWN_WIDTH


def _as_shown(text: str, stream: TextIO | None, *, is_severe: bool = False, as_is: bool = False) -> str:
    """A text with its marks as the stream shows them; on a terminal also severities, URLs and places, and no word broken in the middle."""
    columns = 0 if as_is else width(stream)
    if columns:
        text = "\n".join(_fitted(line, columns) for line in text.split("\n"))
    look = look_of(stream)
    if look == PLAIN:
        return drawn(text)
    from dusty_tasks.core.text.highlights import severe, with_links

    if is_severe:
        text = severe(text)
    if look.links:
        text = with_links(text, _path_of)
    return drawn(text, look)


def _fitted(line: str, columns: int) -> str:
    """What is indented is a listing, a command, a source line: it stays as it is."""
    return line if line[:1].isspace() or width_of(line) <= columns else wrapped(line, columns, "  ")


def _path_of(name: str) -> str:
    """The path of a file that a message names, absolute or relative to the specs; '' where nobody can tell: no message fails for want of a link."""
    from dusty_tasks import session
    from dusty_tasks.effects.doors.failures import Failure

    try:
        path = os.path.join(session.specs_root(), name)
    except (Failure, OSError):
        return ""
    return path if os.path.isfile(path) else ""


def drawn_for(text: str, stream: TextIO | None = None) -> str:
    """A marked text as a stream (default stdout) shows it, links among it: for those that print in a way of their own."""
    return _as_shown(text, stream or sys.stdout, as_is=True)


def table_within(columns: int, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose last column, paths or sentences, goes to a line of its own below each row where it does not fit `columns` (0: no end).

    So nothing is broken in the middle of a word, and a path can be copied.
    """
    whole = table(headers, rows)
    if not columns or all(width_of(line) <= columns for line in whole.splitlines()):
        return whole
    firsts = table(headers[:-1], [row[:-1] for row in rows]).splitlines()
    lasts = [*([""] if headers else []), *(between_marks(str(row[-1]), printable) for row in rows)]
    return "\n".join(
        line
        for first, last in zip(firsts, lasts, strict=True)
        for line in (wrapped(first, columns, "    "), *([wrapped(f"    {last}", columns)] if last else []))
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell, two blanks between, no trailing blanks: the same on a pipe and a terminal. Cells may be marked (looks)."""
    cells = [[between_marks(str(cell), printable) for cell in row] for row in ([headers, *rows] if headers else rows)]
    widths = [
        max((width_of(row[i]) for row in cells if i < len(row)), default=0)
        for i in range(max(map(len, cells), default=0))
    ]
    return "\n".join(
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells
    )


@contextmanager
def foot() -> Iterator[Foot | None]:
    """What moves at the foot of the terminal in the block; None where stdout is none. Within another one it is that one."""
    if _feet:
        yield _feet[-1]
        return
    # doit puts a Writer in the place of sys.stdout.
    stream = sys.__stdout__
    if stream is None or not is_terminal(stream) or os.environ.get("TERM") == "dumb":
        yield None
        return
    from dusty_tasks.foot import Foot

    _feet.append(Foot(stream, look_of(stream)))
    try:
        yield _feet[-1]
    finally:
        while _feet:
            _feet.pop().close()


@contextmanager
def _nothing_moving() -> Iterator[None]:
    if not _feet:
        yield
        return
    with _feet[-1].hidden():
        yield


@contextmanager
def working(title: str) -> Iterator[None]:
    """While a long step runs: on a terminal its name with a spinner and the time at the foot, gone when it is done."""
    if voice := heard_by():
        with voice.progress(title, None):
            yield
        return
    with _at_the_foot(title, None):
        yield


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """A progress line for a long step: the yielded function reports one finished part by its text.

    On a terminal it moves at the foot, gone when done; elsewhere one plain line a report. Usable from threads.
    """
    if voice := heard_by():
        with voice.progress(title, total) as report:
            yield report
        return
    with _at_the_foot(title, total) as report:
        yield report or (lambda text: say(f"{title}: {text}") if text else None)


@contextmanager
def _at_the_foot(title: str, total: int | None) -> Iterator[Callable[[str], None] | None]:
    """A moving line on a terminal, and what advances it; None where there is none."""
    with foot() as found:
        if found is None:
            yield None
            return
        from dusty_tasks.foot import step

        with step(found, title, total) as report:
            yield report
