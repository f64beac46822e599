"""The line of a file that a problem is about, with a caret below the place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

WIDTH = 72
"""Columns of a line that are shown: with number and margin it fits a terminal of 80."""


def excerpt(lines: Sequence[str], line: int, column: int) -> str:
    """Line `line` of `lines` and a caret at `column`, both from 1; '' if there is no such line, or nothing to see in it.

    A long line is cut on both sides, so that the place is in it; what a terminal would obey, or a tab, becomes one plain character.
    """
    if not 0 < line <= len(lines) or not lines[line - 1].strip():
        return ""
    text = "".join(map(_plain, lines[line - 1].rstrip()))
    at = min(max(column - 1, 0), len(text))
    start = max(0, min(at - WIDTH // 2, len(text) - WIDTH))
    shown = text[start : start + WIDTH]
    if start:
        shown = f"…{shown[1:]}"
    if start + WIDTH < len(text):
        shown = f"{shown[:-1]}…"
    margin = " " * len(str(line))
    return f"    {line} | {shown}\n    {margin} | {' ' * sum(map(_columns, shown[: at - start]))}^"


def _plain(character: str) -> str:
    return character if character.isprintable() else " " if character == "\t" else "·"


def _columns(character: str) -> int:
    """How many columns a terminal gives to a character."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
