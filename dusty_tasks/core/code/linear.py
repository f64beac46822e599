"""Patterns of file names as automata: what they cost depends on their length times that of the path, whatever they are. Pure.

A pattern comes from a repo, and so may its author's malice: an expression like `*a*a*a*a*b` takes Python's `re` (which tries one
way after the other) seconds for one name. Here all ways are taken at once, each position of the pattern being one bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SHORT = 512
"""Characters of a path up to which `re` is as good, for patterns that leave it few ways."""
FEW_WAYS = 2
"""The highest power of a path's length up to which `re` may try all ways: some milliseconds at worst."""
ONE, MANY, MAYBE, LEAP, BEGIN = "one", "many", "maybe", "leap", "begin"


class Symbols(NamedTuple):
    """A set of characters, by code."""

    ranges: tuple[tuple[int, int], ...]
    is_negated: bool = False

    def holds(self, code: int) -> bool:
        return any(low <= code <= high for low, high in self.ranges) != self.is_negated


class Item(NamedTuple):
    """A part of a pattern."""

    kind: str
    """ONE: a symbol. MANY: any number of symbols. MAYBE: a symbol or none. LEAP: the next `leap` items, or not. BEGIN: where the text begins."""
    symbols: Symbols = Symbols(())
    leap: int = 0


def one_of(*codes: int) -> Symbols:
    return Symbols(tuple((code, code) for code in codes))


def but(*codes: int) -> Symbols:
    return Symbols(one_of(*codes).ranges, True)


SLASH = one_of(ord("/"))


class Automaton:
    """Tells whether a whole text is of the pattern `items`; texts are bytes, or characters if `is_text`."""

    def __init__(self, items: Iterable[Item], *, is_text: bool = False) -> None:
        self.items = _merged(items)
        self._end = 1 << len(self.items)
        self._steps: dict[int, tuple[int, int]] = {}
        """Code -> (positions that take it and end there, positions that take it and stay)."""
        self._free = sum(1 << at for at, item in enumerate(self.items) if item.kind in (MANY, MAYBE, LEAP))
        self._leaps = [(1 << at, item.leap + 1) for at, item in enumerate(self.items) if item.kind == LEAP]
        self._begins = sum(1 << at for at, item in enumerate(self.items) if item.kind == BEGIN)
        self.expression: re.Pattern[Any] | None = (
            re.compile(_expression(self.items, is_text)) if _ways(self.items) <= FEW_WAYS else None
        )
        """What `re` may be asked for a text of at most SHORT characters; None if it might try too many ways."""

    def matches(self, text: Sequence[int] | str) -> bool:
        if self.expression is not None and len(text) <= SHORT:
            return self.expression.fullmatch(text) is not None
        found = self._closed(1, self._free | self._begins)
        for code in map(ord, text) if isinstance(text, str) else text:
            taking, staying = self._steps.get(code) or self._step(code)
            found = self._closed((found & taking) << 1 | found & staying, self._free)
            if not found:
                return False
        return bool(found & self._end)

    def _closed(self, found: int, free: int) -> int:
        """With the positions that are reached without a symbol."""
        while True:
            more = found | (found & free) << 1
            for position, leap in self._leaps:
                if found & position:
                    more |= position << leap
            if more == found:
                return found
            found = more

    def _step(self, code: int) -> tuple[int, int]:
        taking = sum(
            1 << at for at, item in enumerate(self.items) if item.kind in (ONE, MAYBE) and item.symbols.holds(code)
        )
        staying = sum(1 << at for at, item in enumerate(self.items) if item.kind == MANY and item.symbols.holds(code))
        if len(self._steps) < 1024:
            self._steps[code] = taking, staying
        return taking, staying


def _merged(items: Iterable[Item]) -> list[Item]:
    """Without what says the same again: `**` beside `**`."""
    found: list[Item] = []
    for item in items:
        if not (found and item.kind == MANY and item == found[-1]):
            found.append(item)
    return found


def _ways(items: Sequence[Item]) -> int:
    """The power of a path's length that tells how many ways there are: wildcards that stop at slashes compete within their own segment,
    those that end at one within the path's segments, others over all of it."""
    anywhere = at_slashes = within = most_within = 0
    for item, following in zip(items, (*items[1:], None), strict=False):
        if item.kind == ONE and item.symbols == SLASH:
            within = 0
        elif item.kind == MANY and not item.symbols.holds(ord("/")):
            within += 1
            most_within = max(most_within, within)
        elif item.kind == MANY and following == Item(ONE, SLASH):
            at_slashes += 1
        elif item.kind == MANY:
            anywhere += 1
    return anywhere + max(at_slashes, most_within)


def _expression(items: Sequence[Item], is_text: bool) -> str | bytes:
    out, closing = [], -1
    for at, item in enumerate(items):
        if item.kind == LEAP:
            out.append("(?:")
            closing = at + item.leap
        elif item.kind == BEGIN:
            out.append(r"\A")
        else:
            out.append(_class(item.symbols, is_text) + {ONE: "", MANY: "*", MAYBE: "?"}[item.kind])
        if at == closing:
            out.append(")?")
    text = "".join(out)
    return text if is_text else text.encode("ascii")


def _class(symbols: Symbols, is_text: bool) -> str:
    if not symbols.ranges:
        return "(?s:.)" if symbols.is_negated else "(?!)"
    escape = "\\U{:08x}" if is_text else "\\x{:02x}"
    parts = (escape.format(low) + (f"-{escape.format(high)}" if high > low else "") for low, high in symbols.ranges)
    return f"[{'^' if symbols.is_negated else ''}{''.join(parts)}]"
