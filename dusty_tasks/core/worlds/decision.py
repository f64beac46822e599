"""Which parts of a world are its own, and which are the base's, each with its cause. Pure.

A world is a second stack beside the base. A part is own if its inputs differ, if its spec or the user says so, if it keeps state that an
own app would change, or if it calls an own part: the base's container would call the base's copy. All others are shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

OWN, SHARED = "own", "shared"
"""What the key `world` of a spec may say."""
AS_IN_THE_BASE = "as in the base"


class Cause(NamedTuple):
    """Why something is so."""

    what: str
    place: str = ""
    """`apps/gateway.yml:7:9`, or '' where it lies in no spec."""

    def __str__(self) -> str:
        return f"{self.what}{', ' if self.place else ''}{self.place}"


class Part(NamedTuple):
    """An app or service of a world's stack, as far as the decision needs to know it."""

    name: str
    is_app: bool = True
    calls: Mapping[str, str] = {}  # never changed
    """Name -> place, of the parts that it depends on, links to, or joins."""
    joins: tuple[str, ...] = ()
    """Those of them whose network, processes or data it uses: one container cannot be in two of them."""
    keeps_state: bool = False
    """It has a `/persist` folder or a named volume."""
    difference: Cause | None = None
    """What its inputs differ in from the base's, if they do."""
    wish: str = ""
    """What its spec says: OWN, SHARED, or ''."""
    wish_place: str = ""


class Choices(NamedTuple):
    """What the user chose for this world, and what it was so far."""

    own: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    """Parts that were own when the world was brought up last: they stay own, or their data would be orphaned."""


class Decided(NamedTuple):
    """One part of a world."""

    name: str
    is_own: bool
    cause: Cause

    def __str__(self) -> str:
        return f"{OWN if self.is_own else SHARED} {self.name}: {self.cause}"


class Conflict(NamedTuple):
    """A part that is to be shared, and must not be."""

    name: str
    by: Cause
    """Who says that it is to be shared."""
    cause: Cause
    """Why it has to be own."""

    def __str__(self) -> str:
        return f"{self.name} cannot be shared, as {self.by} says: {self.cause}"


class Decision(NamedTuple):
    parts: tuple[Decided, ...] = ()
    """Sorted by name."""
    conflicts: tuple[Conflict, ...] = ()
    """If there are any, the world must not be brought up."""
    warnings: tuple[str, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if part.is_own)

    @property
    def shared(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if not part.is_own)


def decide(parts: Iterable[Part], choices: Choices = Choices()) -> Decision:  # noqa: B008 - immutable
    """Which of `parts` are own, until nothing more follows. The order of `parts` changes nothing."""
    by_name = {part.name: part for part in sorted(parts, key=lambda part: part.name)}
    causes = {name: cause for name, part in by_name.items() if (cause := _cause_of_itself(part, choices))}
    while more := _that_follow(by_name, causes, choices):
        causes.update(more)
    sharers = {name: by for name, part in by_name.items() if (by := _sharer(part, choices))}
    return Decision(
        tuple(Decided(name, name in causes, causes.get(name, Cause(AS_IN_THE_BASE))) for name in by_name),
        tuple(Conflict(name, by, causes[name]) for name, by in sharers.items() if name in causes),
        tuple(_warnings(by_name, causes)),
    )


def _cause_of_itself(part: Part, choices: Choices) -> Cause | None:
    """Why a part is own, whatever the others are."""
    if part.difference:
        return part.difference
    if part.wish == OWN:
        return Cause("its spec says so", part.wish_place)
    if part.name in choices.own:
        return Cause(f"--own {part.name}")
    if part.name in choices.before and part.name not in choices.shared:
        return Cause("it was own so far")
    return None


def _that_follow(parts: Mapping[str, Part], own: Mapping[str, Cause], choices: Choices) -> dict[str, Cause]:
    """The parts that must be own since those are that are own already: one step."""
    found: dict[str, Cause] = {}
    for name, part in parts.items():
        if name not in own:
            callee = next((callee for callee in sorted(part.calls) if callee in own), "")
            if callee:
                found[name] = Cause(f"it depends on {callee}", part.calls[callee])
            continue
        for needed in sorted(part.calls):
            if needed not in parts or needed in own or needed in found:
                continue
            if needed in part.joins:
                found[needed] = Cause(f"{name} uses its network, processes or data", part.calls[needed])
            elif part.is_app and parts[needed].keeps_state and not _sharer(parts[needed], choices):
                found[needed] = Cause(f"it keeps data, and {name} is own", part.calls[needed])
    return found


def _sharer(part: Part, choices: Choices) -> Cause | None:
    """Who says that a part is to be shared."""
    if part.name in choices.shared:
        return Cause(f"--share {part.name}")
    return Cause("its spec", part.wish_place) if part.wish == SHARED else None


def _warnings(parts: Mapping[str, Part], own: Mapping[str, Cause]) -> Iterable[str]:
    """What is shared as it was asked for, and may surprise."""
    for name, part in parts.items():
        users = [user for user in own if parts[user].is_app and name in parts[user].calls]
        if part.keeps_state and users and name not in own:
            yield f"{name} is shared and keeps data: what {' and '.join(users)} changes there, the base sees"
