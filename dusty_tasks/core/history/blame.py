"""The one line of the specs to look at first, for a container that does not work. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dusty_tasks.core.history.cause import Cause, CauseKind
from dusty_tasks.core.history.causes import Stack

COMMAND = (("commands", "always"), ("command",), ("entrypoint",), ("image",))
"""What says which program runs in it, the most telling key first."""
BY_WORDS = {
    "user": ("user",),
    "group": ("user",),
    "mount": ("volumes",),
    "bind source": ("volumes",),
    "device": ("devices",),
    "network": ("networks",),
    "working dir": ("working_dir",),
}
"""What an engine's refusal to start a container names -> the key that asked for it."""


def line_to_look_at(name: str, cause: Cause, stack: Stack) -> str:
    """`services/db.yml:4:12`: the place of the cause or of what it follows from, else of the key that decides; '' if nothing is wrong."""
    if cause.kind in (CauseKind.NONE, CauseKind.FINISHED):
        return ""
    chain = list(_chain(name, cause))
    for _name, one in chain:
        if one.place:
            return one.place
    name, root = chain[-1]
    return next((place for key in _keys(root) if (place := stack.place_of(name, key))), "")


def _chain(name: str, cause: Cause) -> Iterator[tuple[str, Cause]]:
    yield name, cause
    if cause.before:
        yield from _chain(cause.before[0].name, cause.before[0].cause)


def _keys(cause: Cause) -> Iterator[tuple[str, ...]]:
    if cause.kind == CauseKind.CANNOT_START:
        yield from (key for word, key in BY_WORDS.items() if word in cause.words)
    if cause.kind == CauseKind.WRONG_PORT:
        yield ("ports",)
    yield from COMMAND
