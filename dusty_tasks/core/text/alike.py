"""Errors that many repos, images or containers have alike become one error with a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SHORT_LIST = 3
OWN = "…"
"""Stands where each of several has a word of its own."""


class Report(NamedTuple):
    """What is wrong with one."""

    name: str
    text: str
    """What follows the name, hint and all."""
    own: tuple[str, ...] = ()
    """Words in `text` that are this one's alone: its paths, URLs, other names."""
    code: int = 1


class Merged(NamedTuple):
    """What is wrong with one or several."""

    names: tuple[str, ...]
    text: str
    code: int


def merged(reports: Iterable[Report]) -> list[Merged]:
    """Each different error once, in order of its first appearance; what one alone has keeps its own words."""
    groups: dict[tuple[str, int], list[Report]] = {}
    for report in reports:
        groups.setdefault((_general(report), report.code), []).append(report)
    return [
        Merged(tuple(report.name for report in group), group[0].text if len(group) == 1 else general, code)
        for (general, code), group in groups.items()
    ]


def sentences(reports: Iterable[Report], joint: str = ": ") -> list[tuple[str, int]]:
    """(sentence, exit code) for each different error: `web: no route`, `each of 5 (a, b, c, d, e): no route`."""
    return [(f"{subject(each.names)}{joint}{each.text}", each.code) for each in merged(reports)]


def subject(names: Sequence[str]) -> str:
    """Whom a sentence is about."""
    if len(names) == 1:
        return names[0]
    listed = ", ".join(names[:-1])
    return (
        f"each of {listed} and {names[-1]}"
        if len(names) <= SHORT_LIST
        else f"each of {len(names)} ({listed}, {names[-1]})"
    )


def _general(report: Report) -> str:
    words = sorted({word for word in (report.name, *report.own) if word}, key=len, reverse=True)
    # A name inside a longer word is not this one's name.
    return (
        re.sub("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words), OWN, report.text)
        if words
        else report.text
    )
