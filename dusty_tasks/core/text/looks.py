"""How a text looks on a terminal: colours by tone, links, and what fits its width. Pure.

`painted` and `linked` put marks round a text, which are characters that stand for nothing (Unicode's noncharacters, U+FDD0 to U+FDEF). A marked
text can be put into any other text, a cell of a table or a sentence. Whoever prints it (dusty_tasks/console: `say`, `warn`) turns the marks into
the terminal's codes, or into nothing: in a pipe, with NO_COLOR, `--no-color` or TERM=dumb. So no caller asks whether there are colours, and what is
not marked by us never steers a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from dusty_tasks.core.text.safe import harmless

ELLIPSIS = "…"
"""Ends what was cut."""


class Tone(Enum):
    """What a colour says; the value is the parameter of the terminal's code (ECMA-48, 8.3.117)."""

    GOOD = "32"
    """As it should be: running, ready, done."""
    BUSY = "36"
    """Under way, or about to be done: starting, pending."""
    WARNING = "33"
    """Works, and deserves a look."""
    BAD = "31"
    """Failed; an error."""
    QUIET = "2"
    """Beside the point: hints, times, what has nothing to say."""
    STRONG = "1"
    """Names, headings."""


class Look(NamedTuple):
    """What a stream shows."""

    colours: bool = False
    links: bool = False
    """OSC 8 (https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda)."""


PLAIN = Look()

_BEGINNINGS = {tone: chr(0xFDD0 + number) for number, tone in enumerate(Tone)}
_TONES = {mark: tone for tone, mark in _BEGINNINGS.items()}
_END, _LINK, _TARGET_ENDS, _LINK_ENDS = "\ufddf", "\ufde0", "\ufde1", "\ufde2"
_MARK = f"{_LINK}[^{_TARGET_ENDS}]*{_TARGET_ENDS}|[\ufdd0-\ufdef]"
_WHOLE_LINK = f"{_LINK}[^{_LINK_ENDS}]*{_LINK_ENDS}"
_WEB, _FILE = r"https?://[!-~]+", r"file://[!-~]*"
"""Patterns, made when they are needed: re keeps them."""


def painted(text: str, tone: Tone) -> str:
    """`text` in the colour of a tone; within another painted text too."""
    return f"{_BEGINNINGS[tone]}{text}{_END}" if text else ""


def linked(text: str, target: str = "") -> str:
    """`text` as a link, to itself (a URL) or to `target`, a `file://` URL. Any other target is no link: a text that names one place leads to no other."""
    target = target or text
    if not (re.fullmatch(_FILE, target) or (target == text and re.fullmatch(_WEB, text))):
        return text
    return f"{_LINK}{target}{_TARGET_ENDS}{text}{_LINK_ENDS}"


def file_url(path: str) -> str:
    """The URL of a file, for `linked`: `/specs/my app.yml` -> `file:///specs/my%20app.yml`."""
    escaped = "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "/._-~+" else f"%{byte:02X}"
        for byte in path.encode("utf-8", "surrogateescape")
    )
    return f"file://{escaped}"


def plain(text: str) -> str:
    """`text` without its marks."""
    return text if text.isascii() else re.sub(_MARK, "", text)


def drawn(text: str, look: Look = PLAIN) -> str:
    """What is sent to a stream: marks as codes where `look` has them, everything between them harmless."""
    if text.isascii() or not re.search(_MARK, text):
        return harmless(text)
    tones: list[Tone] = []
    parts = []
    for piece, mark in _pieces(text):
        parts.append(harmless(piece))
        if mark in _TONES:
            tones.append(_TONES[mark])
            parts.append(f"\x1b[{tones[-1].value}m" if look.colours else "")
        elif mark == _END and tones:
            tones.pop()
            parts.append("".join(("\x1b[0m", *(f"\x1b[{tone.value}m" for tone in tones))) if look.colours else "")
        elif mark.startswith(_LINK):
            parts.append(f"\x1b]8;;{_checked(mark[1:-1])}\x1b\\" if look.links else "")
        elif mark == _LINK_ENDS:
            parts.append("\x1b]8;;\x1b\\" if look.links else "")
    return "".join(parts)


def between_marks(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` done to what lies between its marks."""
    if text.isascii():
        return change(text)
    return "".join(change(piece) + mark for piece, mark in _pieces(text))


def outside_links(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` done to what is no link yet; other marks are left where they are."""
    if _LINK not in text:
        return change(text)
    parts, at = [], 0
    for link in re.finditer(_WHOLE_LINK, text):
        parts += [change(text[at : link.start()]), link.group()]
        at = link.end()
    return "".join([*parts, change(text[at:])])


def width_of(text: str) -> int:
    """The columns that a line takes on a terminal: marks take none, the letters of East Asian scripts and most pictures two."""
    text = plain(text)
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int) -> str:
    """`text` with blanks behind it up to `width` columns."""
    return text + " " * (width - width_of(text))


def cut(text: str, width: int) -> str:
    """At most `width` columns of a line, `…` at the end of what was cut. Marks are kept, so colours and links end where they should."""
    if (len(text) <= width and text.isascii()) or width_of(text) <= width:
        return text
    room, parts, is_full = width - 1, [], width < 1
    for piece, mark in _pieces(text):
        for character in "" if is_full else piece:
            room -= _columns(character)
            if room < 0:
                parts.append(ELLIPSIS)
                is_full = True
                break
            parts.append(character)
        parts.append(mark)
    return "".join(parts)


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Lines of at most `width` columns, broken at blanks alone; `indent` begins every line but the first.

    A word or a path that is longer stands on a line of its own, whole: it can still be copied.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        lead = line[: len(line) - len(line.lstrip(" "))]
        held, is_new = lead, True
        for word in line[len(lead) :].split(" "):
            if not is_new and width_of(held) + 1 + width_of(word) > width:
                lines.append(held)
                held, is_new = lead + indent, True
            held += word if is_new else f" {word}"
            is_new = False
        lines.append(held)
    return "\n".join(lines)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(text, the mark behind it or '')."""
    at = 0
    for mark in re.finditer(_MARK, text):
        yield text[at : mark.start()], mark.group()
        at = mark.end()
    yield text[at:], ""


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _checked(target: str) -> str:
    """A target as `linked` lets it pass; '' for what came into a text in another way."""
    return target if re.fullmatch(_WEB, target) or re.fullmatch(_FILE, target) else ""
