"""What a sync leaves out, matched as rsync matches it (docs/specs.md, "What a sync does to a copy"; a property test holds the two together).

rsync copies with these rules; our own matcher applies them to the fingerprint and to `sync --why`. Names are bytes, as
they are for rsync: `?` is one byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dusty_tasks.core.code.linear import LEAP, MANY, ONE, SLASH, Automaton, Item, one_of
from dusty_tasks.core.code.wildmatch import ANY, IN_SEGMENT, items_of

IGNORE_FILE = ".dustyignore"
LONGEST = 4096
"""Bytes from which on rsync discards a pattern: no path is as long."""
LARGEST_FILE = 64 << 10
"""Bytes of a .dustyignore."""


class Rule(NamedTuple):
    """One pattern; the first rule that matches a path decides."""

    pattern: bytes
    is_exclude: bool
    origin: str
    """Where it was written: `.dustyignore:3`, `sync.exclude[0]`, `built in`."""

    def __str__(self) -> str:
        return f"{'' if self.is_exclude else '!'}{self.pattern.decode('utf-8', 'replace')} ({self.origin})"


def rules_of(ignore_file: bytes, extra: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules of one repo: its .dustyignore, then the setting sync.exclude, then `.git`."""
    rules = []
    for number, line in enumerate(re.split(b"[\r\n]", ignore_file.replace(b"\r\n", b"\n")), 1):
        if line.strip() and not line.startswith(b"#"):
            rules.append(_rule(line, f"{IGNORE_FILE}:{number}"))
    rules += [
        _rule(pattern.encode("utf-8", "surrogateescape"), f"sync.exclude[{index}]")
        for index, pattern in enumerate(extra)
    ]
    return tuple(
        rule for rule in (*rules, Rule(b".git", True, "built in")) if rule.pattern and len(rule.pattern) < LONGEST
    )


def _rule(text: bytes, origin: str) -> Rule:
    return Rule(text[1:], False, origin) if text.startswith(b"!") else Rule(text, True, origin)


def filter_text(rules: Iterable[Rule]) -> bytes:
    """The rules as a merge file of rsync's (`--filter=merge -`)."""
    return b"".join((b"- " if rule.is_exclude else b"+ ") + rule.pattern + b"\n" for rule in rules)


def literal(path: bytes) -> bytes:
    """The pattern that matches `path` and nothing else; rsync takes a backslash for itself where there is no wildcard."""
    return re.sub(rb"([*?\[\\])", rb"\\\1", path) if re.search(rb"[*?\[]", path) else path


class Matcher:
    """Decides for one path below the repo's root. A folder that is excluded is not entered: ask from the top down."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._compiled = [
            (rule, _automaton(rule.pattern, False), _automaton(rule.pattern, True)) for rule in self.rules
        ]
        plain = {rule.pattern for rule in rules if _is_plain_name(rule.pattern)}
        self.names = frozenset(
            plain
            | {
                pattern.rstrip(b"/")
                for pattern in (rule.pattern for rule in rules)
                if _is_plain_name(pattern[:-1]) and pattern.endswith(b"/")
            }
        )
        """Names that some rule without wildcards and slashes is about."""
        rest = [compiled for compiled in self._compiled if compiled[0].pattern.removesuffix(b"/") not in self.names]
        self.any_file = _any_of(file for _rule, file, _folder in rest)
        self.any_folder = _any_of(folder for _rule, _file, folder in rest)
        """A quick "no" for most paths of less than SHORT bytes, where `is_hard` is not set."""
        self.is_hard = any(
            automaton is not None and automaton.expression is None for _rule, *both in rest for automaton in both
        )

    def is_excluded(self, path: bytes, is_folder: bool) -> bool:
        """True if `path` (`/a/b`, from the repo's root) is left out."""
        rule = self.deciding_rule(path, is_folder)
        return rule is not None and rule.is_exclude

    def deciding_rule(self, path: bytes, is_folder: bool) -> Rule | None:
        """The first rule that matches; None: nothing is said about it, so it is copied."""
        for rule, file, folder in self._compiled:
            automaton = folder if is_folder else file
            if automaton is not None and automaton.matches(path):
                return rule
        return None

    def leaves_out(self, path: bytes) -> bool:
        """True if a file at `path` (`/a/b`) is left out, by itself or with a folder on its way."""
        parts = path.split(b"/")
        folders = [b"/".join(parts[:depth]) for depth in range(2, len(parts))]
        return any(self.is_excluded(folder, True) for folder in folders) or self.is_excluded(path, False)


def _is_plain_name(pattern: bytes) -> bool:
    return bool(pattern) and not re.search(rb"[*?\[/]", pattern)


def _any_of(automata: Iterable[Automaton | None]) -> re.Pattern[bytes] | None:
    """One expression that matches where any of them does, of those that `re` may be asked for."""
    parts = [
        b"(?:" + automaton.expression.pattern + b")"
        for automaton in automata
        if automaton is not None and automaton.expression is not None
    ]
    return re.compile(b"|".join(parts)) if parts else None


_UP_TO_SLASH = (Item(MANY, ANY), Item(ONE, SLASH))


def _automaton(pattern: bytes, is_folder: bool) -> Automaton | None:
    """What a path `/a/b` must match; None if the pattern cannot match this sort of path."""
    if len(pattern) > 1 and pattern.endswith(b"/"):
        if not is_folder:
            return None
        pattern = pattern[:-1]
    body = pattern.removeprefix(b"/")
    if pattern.startswith(b"/"):
        prefix: tuple[Item, ...] = (Item(ONE, SLASH),)
    elif pattern.startswith(b"**"):
        prefix = ()
    else:
        prefix = _UP_TO_SLASH
    if body.endswith(b"/***"):
        # `dir/***` is the folder itself and all that is in it.
        tail = (Item(ONE, SLASH), Item(MANY, ANY))
        items = _items(body.removesuffix(b"/***"), True)
        return (
            None if items is None else Automaton((*prefix, *items, *([Item(LEAP, leap=2)] if is_folder else []), *tail))
        )
    items = _items(body, bool(re.search(rb"[*?\[]", pattern)))
    return None if items is None else Automaton((*prefix, *items))


def _items(pattern: bytes, has_wildcards: bool) -> list[Item] | None:
    """The items of a pattern; None if it can match nothing (an unclosed `[`)."""
    if not has_wildcards:
        return [Item(ONE, one_of(byte)) for byte in pattern]
    return items_of(pattern, lambda _pattern, at, end: ([Item(MANY, IN_SEGMENT if end - at == 1 else ANY)], end))
