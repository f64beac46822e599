"""What `data` saves and puts back: which folders and volumes, whose they are, and what a snapshot says of itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.of_verbs.lookup import data_folders
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.compose_values import named_volumes, volumes
from dusty_tasks.core.text.paths import PERSIST

FORMAT = 1
MANIFEST = "manifest.json"
BEFORE = "before-restore"
"""The snapshot of what a restore or a reset replaced."""
BEFORE_ADOPT = "before-adopt"
"""That of what data from elsewhere replaced."""
INCOMING = ".incoming"
"""What was copied from elsewhere, to be put in place and not kept."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")

FOLDER, VOLUME = "folder", "volume"
REFLINK, COPY, MIXED, ABSENT = "reflink", "copy", "mixed", "absent"
"""How an item was saved: its blocks are shared with the original, it is a second one, or there was nothing. MIXED is some of both."""


class Item(NamedTuple):
    """Something that containers keep data in, as specs spell it: the same in each stack."""

    kind: str
    """FOLDER or VOLUME."""
    name: str
    """The path below /persist, or the volume's name."""

    @property
    def saved_as(self) -> str:
        """Where it lies in a snapshot."""
        return f"{'persist' if self.kind == FOLDER else 'volumes'}/{self.name}"


class Saved(NamedTuple):
    """An item in a snapshot."""

    item: Item
    how: str
    """REFLINK, COPY or ABSENT."""
    size: int = 0
    """Bytes."""


class Snapshot(NamedTuple):
    """What a snapshot says of itself."""

    name: str
    made: str
    """When, in the form of ISO 8601."""
    services: tuple[str, ...]
    saved: tuple[Saved, ...]
    seconds: float = 0

    @property
    def size(self) -> int:
        return sum(saved.size for saved in self.saved)

    @property
    def how(self) -> str:
        """How its items were saved; ABSENT if it holds nothing."""
        hows = {saved.how for saved in self.saved} - {ABSENT}
        return MIXED if len(hows) > 1 else hows.pop() if hows else ABSENT


class Place(NamedTuple):
    """Where data lies on a Docker host."""

    kind: str
    """FOLDER or VOLUME."""
    name: str
    """The path from persist/ or an absolute one, or the volume's name on the engine."""

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"


def place_of(item: Item, settings: Settings) -> Place:
    """Where an item of the settings' stack lies; the data of a world lie beside its persist/, in which its snapshots are."""
    if item.kind == VOLUME:
        return Place(VOLUME, settings.namespace.volume(item.name))
    data = settings.host.data
    return Place(FOLDER, item.name if data == PERSIST else f"../{data}/{item.name}")


def items_of(container: WantedContainer, settings: Settings) -> list[Item]:
    """What a container keeps data in."""
    top = f"{settings.host.root.rstrip('/')}/{settings.host.data}/"
    return [
        *(
            Item(FOLDER, f"{path}/".removeprefix(top).strip("/"))
            for path in data_folders(container.mapping, settings.host)
        ),
        *(Item(VOLUME, name) for name in named_volumes(container.mapping)),
    ]


def targets_of(container: WantedContainer, settings: Settings) -> dict[Item, str]:
    """What a container keeps data in -> where it sees that."""
    top = f"{settings.host.root.rstrip('/')}/{settings.host.data}/"
    kept = items_of(container, settings)
    found: dict[Item, str] = {}
    for _, volume in volumes(container.mapping):
        folder = Item(FOLDER, f"{volume.source}/".removeprefix(top).strip("/"))
        item = Item(VOLUME, volume.source) if volume.is_named else folder
        if item in kept:
            found.setdefault(item, volume.target)
    return found


def keepers(wanted: Wanted, settings: Settings) -> dict[str, list[Item]]:
    """Name -> what it keeps data in, of all parts that keep some."""
    found = {container.name: items_of(container, settings) for container in wanted.containers}
    return {name: items for name, items in sorted(found.items()) if items}


def outermost(items: Iterable[Item]) -> list[Item]:
    """Each item once, without folders that lie in another one."""
    every = sorted(set(items))
    return [item for item in every if not any(other != item and _holds(other, item) for other in every)]


def users_of(items: Collection[Item], by_keeper: Mapping[str, Sequence[Item]]) -> list[str]:
    """The parts that may write to one of `items`, whoever else does."""
    return [
        name
        for name, kept in by_keeper.items()
        if any(_holds(item, own) or _holds(own, item) for item in items for own in kept)
    ]


def _holds(outer: Item, inner: Item) -> bool:
    return outer.kind == inner.kind and (
        outer.name == inner.name
        or (outer.kind == FOLDER and (not outer.name or inner.name.startswith(f"{outer.name}/")))
    )


def script_of(lines: Sequence[str]) -> str:
    """Shell lines as one script, which ends where one of them fails; '' for none."""
    return "\n".join(("set -e", *lines)) if lines else ""


def name_trouble(name: str) -> str:
    """Why a snapshot cannot be called so, '' if it can."""
    if name in (BEFORE, BEFORE_ADOPT):
        what = "restore" if name == BEFORE else "disk adopt"
        return f"{name} is reserved for what the last {what} replaced"
    return (
        "" if _NAME.fullmatch(name) else "a snapshot's name may have letters, digits and . _ -, at most 60 characters"
    )


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """The manifest of a snapshot."""
    return {
        "format": FORMAT,
        "name": snapshot.name,
        "made": snapshot.made,
        "services": list(snapshot.services),
        "seconds": snapshot.seconds,
        "saved": [
            {"kind": each.item.kind, "name": each.item.name, "how": each.how, "size": each.size}
            for each in snapshot.saved
        ],
    }


def from_json(data: Any) -> Snapshot | None:
    """The inverse of to_json; None for what is no manifest that this version reads."""
    try:
        if data["format"] != FORMAT:
            return None
        saved = tuple(
            Saved(Item(str(each["kind"]), str(each["name"])), str(each["how"]), int(each["size"]))
            for each in data["saved"]
        )
        seconds = float(data["seconds"])
        return Snapshot(str(data["name"]), str(data["made"]), tuple(map(str, data["services"])), saved, seconds)
    except (KeyError, TypeError, ValueError):
        return None
