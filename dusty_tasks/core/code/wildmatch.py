"""Wildcards in names as rsync and git both match them. Names are bytes: `?` is one byte."""

from __future__ import annotations

import re
from collections.abc import Callable

from dusty_tasks.core.code.linear import ONE, Item, Symbols, but, one_of

ANY, IN_SEGMENT = but(), but(ord("/"))
Stars = Callable[[bytes, int, int], tuple[list[Item], int]]
"""(pattern, where a row of `*` begins, where it ends) -> the items for it, and where the pattern goes on: what rsync and git differ in."""


def items_of(pattern: bytes, stars: Stars) -> list[Item] | None:
    """The items of a pattern; None if it can match nothing (an unclosed `[`, a backslash at the end)."""
    out: list[Item] = []
    at = 0
    while at < len(pattern):
        character = pattern[at : at + 1]
        if character == b"*":
            found, at = stars(pattern, at, len(pattern) - len(pattern[at:].lstrip(b"*")))
            out += found
        elif character == b"?":
            out.append(Item(ONE, IN_SEGMENT))
            at += 1
        elif character == b"[":
            bracket = class_symbols(pattern, at)
            if bracket is None:
                return None
            symbols, at = bracket
            out.append(Item(ONE, symbols))
        elif character == b"\\":
            if at + 1 == len(pattern):
                return None
            out.append(Item(ONE, one_of(pattern[at + 1])))
            at += 2
        else:
            out.append(Item(ONE, one_of(pattern[at])))
            at += 1
    return out


_POSIX_CLASSES: dict[bytes, bytes] = {
    b"alnum": b"0-9A-Za-z",
    b"alpha": b"A-Za-z",
    b"blank": b" \t",
    b"cntrl": b"\x00-\x1f\x7f",
    b"digit": b"0-9",
    b"graph": b"!-~",
    b"lower": b"a-z",
    b"print": b" -~",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": b" \t-\r",
    b"upper": b"A-Z",
    b"xdigit": b"0-9A-Fa-f",
}
_POSIX_CLASS = rb"\[:([^\]]*?):\]"


def class_symbols(pattern: bytes, at: int) -> tuple[Symbols, int] | None:
    """The `[…]` that starts at `at`, and where it ends; None if it is not closed. It never matches a slash."""
    at += 1
    is_negated = pattern[at : at + 1] in (b"!", b"^")
    at += is_negated
    members: set[int] = set()
    previous: int | None = None
    is_first = True
    while at < len(pattern) and (is_first or pattern[at] != ord("]")):
        is_first = False
        if pattern.startswith(b"[:", at) and (name := re.match(_POSIX_CLASS, pattern[at:])):
            if name[1] not in _POSIX_CLASSES:
                return None
            inside = re.compile(b"[" + _POSIX_CLASSES[name[1]] + b"]")
            members |= {byte for byte in range(256) if inside.match(bytes([byte]))}
            at, previous = at + len(name[0]), None
        elif pattern[at] == ord("-") and previous is not None and at + 1 < len(pattern) and pattern[at + 1] != ord("]"):
            end, at = _member(pattern, at + 1)
            if end is None:
                return None
            members |= set(range(previous, end + 1))
            previous = None
        else:
            previous, at = _member(pattern, at)
            if previous is None:
                return None
            members.add(previous)
    if at >= len(pattern):
        return None
    return one_of(*sorted((set(range(256)) - members if is_negated else members) - {ord("/")})), at + 1


def _member(pattern: bytes, at: int) -> tuple[int | None, int]:
    """The character at `at`, a backslash taking the next one as it is, and where the next one begins."""
    if pattern[at] == ord("\\"):
        at += 1
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)
