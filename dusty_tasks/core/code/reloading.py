"""What changed files call for in a container that has them: the decision behind the key `reload`. Pure.

Paths are bytes from the top of the repo, as `a/b`. What an editor leaves beside a file while it is open calls for nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.code.linear import LEAP, MANY, ONE, SLASH, Automaton, Item
from dusty_tasks.core.code.wildmatch import ANY, IN_SEGMENT, items_of
from dusty_tasks.core.specs.reload import NONE, RECREATE, RESTART, RUN, SIGNAL, STRENGTH, Action, ReloadRule

EDITORS_FILES = (
    rb"(?s:"
    rb"\..*\.sw[a-z]|\..*\.un~|4913"  # vim
    rb"|\.#.*|#.*#"  # emacs
    rb"|.+~"  # backup files
    rb"|.*___jb_(?:tmp|old|bak)___"  # JetBrains
    rb"|\.goutputstream-.*|\.~lock\..*#|\.kate-swp|.*\.kate-swp"
    rb"|\.DS_Store|\._.*"
    rb")"
)
"""A pattern: names of the files that editors and desktops make for themselves."""

Rules = Sequence[ReloadRule]
RulesByRepo = Mapping[str, Sequence[Rules]]
"""Repo id -> the rules of each of its users in one container: the app, and each lib; a repo that is not in it calls for a restart."""


class Owed(NamedTuple):
    """What changed code calls for in one container: one kind of action, the strongest; of the weak kinds all that were asked for."""

    kind: str = NONE
    signals: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    """Lists of shell lines."""

    def plus(self, other: Owed) -> Owed:
        """What both call for: a restart, or a recreation, does what a signal or commands would have done."""
        kind = max(self.kind, other.kind, key=STRENGTH.index)
        if kind in (RESTART, RECREATE):
            return Owed(kind)
        return Owed(
            kind,
            tuple(dict.fromkeys((*self.signals, *other.signals))),
            tuple(dict.fromkeys((*self.commands, *other.commands))),
        )

    def to_json(self) -> list[Any]:
        return [self.kind, list(self.signals), [list(lines) for lines in self.commands]]


def owed_from_json(data: Any) -> Owed | None:
    """The inverse of Owed.to_json; None for any other form."""
    try:
        kind, signals, commands = data
        found = Owed(kind, tuple(signals), tuple(tuple(lines) for lines in commands))
    except (TypeError, ValueError):
        return None
    return found if kind in STRENGTH else None


def owed_for(paths: Collection[bytes] | None, users: Sequence[Rules] | None) -> Owed:
    """What changes at `paths` of one repo call for in a container.

    `paths` of None: nobody knows what changed. `users` are the rules of each that brings the repo into the container; None, or
    no rules, is a restart.
    """
    if paths is None:
        return Owed(RESTART)
    telling = [path for path in paths if not is_editors_file(path)]
    owed = Owed()
    for rules in users or ((),):
        for path in telling:
            owed = owed.plus(_owed_of(action_at(path, tuple(rules))))
            if owed.kind == RECREATE:
                return owed
            if owed.kind == RESTART and not any(rule.action.kind == RECREATE for rule in rules):
                break
    return owed


def action_at(path: bytes, rules: tuple[ReloadRule, ...]) -> Action:
    """What a change at one path calls for: the first rule that is about it decides, and without one it is a restart."""
    for rule in rules:
        if not rule.paths or any(is_about(pattern, path) for pattern in rule.paths):
            return rule.action
    return Action()


def is_editors_file(path: bytes) -> bool:
    """True for a swap file, a lock or a backup that an editor made."""
    return re.fullmatch(EDITORS_FILES, path.rpartition(b"/")[2]) is not None


def is_about(pattern: str, path: bytes) -> bool:
    """True if a glob matches `path`, or a folder that it lies in: `static` and `static/**` are about all that is in it.

    `*` and `?` match within a name, `**` spans folders, `[ab]` is one of these; a pattern begins at the top of the repo.
    """
    automaton = _automaton(pattern)
    if automaton is None:
        return False
    return any(automaton.matches(path[: at.start()]) for at in re.finditer(rb"/", path)) or automaton.matches(path)


def can_match(pattern: str) -> bool:
    """False for a glob that no path below the repo's top is matched by."""
    parts = pattern.strip("/").split("/")
    return _automaton(pattern) is not None and ".." not in parts and "." not in parts[1:]


@functools.lru_cache(maxsize=4096)
def _automaton(pattern: str) -> Automaton | None:
    text = pattern.encode("utf-8", "surrogateescape").removeprefix(b"./").strip(b"/")
    # What is in a folder is about all in it, which is_about asks of each folder on the way.
    text = text.removesuffix(b"/**") if text != b"**" else b"*"
    items = items_of(text, _stars)
    return Automaton(items) if items else None


def _stars(pattern: bytes, at: int, end: int) -> tuple[list[Item], int]:
    is_deep = end - at > 1
    if is_deep and pattern[end : end + 1] == b"/" and pattern[at - 1 : at] in (b"", b"/"):
        return [Item(LEAP, leap=2), Item(MANY, ANY), Item(ONE, SLASH)], end + 1
    return [Item(MANY, ANY if is_deep else IN_SEGMENT)], end


def _owed_of(action: Action) -> Owed:
    return Owed(
        action.kind,
        (action.signal,) if action.kind == SIGNAL else (),
        (action.lines,) if action.kind == RUN else (),
    )


def leaves(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Paths without the folders in which some other of them lies: that a folder came with its files says nothing more."""
    known = set(paths)
    above = {path[: at.start()] for path in known for at in re.finditer(rb"/", path)}
    return tuple(sorted(known - above))
