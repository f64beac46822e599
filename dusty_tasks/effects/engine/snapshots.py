"""Snapshots of what services keep, on the Docker host: saved, put back, removed, as root; whole or absent after any kill.

What is being saved lies in `.part`, and gets its name by one rename. A restore first copies all that it will put in place; the rename of
`.new` to `.restoring` is the decision, and from there it can only be finished (PUT_BACK, which every start of the stack looks for).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from dusty_tasks.core.of_verbs.snapshots import ABSENT, BEFORE, FOLDER, VOLUME, Item, Place, Saved, place_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROJECT_LABEL, VOLUME_LABEL
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import run
from dusty_tasks.effects.engine import snapshot_scripts as scripts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import root_command

AT = "at"
NO_ROOM = "No space left on device"
LOCAL = "local"
"""The driver whose volumes are folders of the Docker host."""


class Sizes(NamedTuple):
    """In bytes."""

    free: int
    snapshots: int
    items: int
    needed: int
    """What copies of the items would take: nothing for those whose blocks can be shared."""


class Snapshots:
    """The snapshots of a Docker host. `image` has sh, for callers who are not root there."""

    def __init__(self, engine: Engine, image: str, lock: int | None = None) -> None:
        """`lock` is the descriptor of a lock that what works there keeps, if this process is killed."""
        self.engine, self.host, self.image = engine, engine.host, image
        self._kept = () if lock is None else (lock,)

    def read(self) -> list[Any]:
        """The manifests, as JSON."""
        found = []
        for line in self._run(scripts.LIST, []).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def read_sizes(self, places: Sequence[Place]) -> Sizes:
        """What there is room for, what all snapshots take, what lies at these places, and what copies of that need."""
        sizes = {"free": 0, "snapshots": 0, "item": 0, "needed": 0}
        paths = self._paths(places)
        for line in self._run(scripts.MEASURE, list(paths.values()), paths).splitlines():
            what, _, kib = line.partition(" ")
            sizes[what] += int(kib) * 1024
        return Sizes(sizes["free"], sizes["snapshots"], sizes["item"], sizes["needed"])

    def places_of(self, items: Sequence[Item]) -> dict[Item, Place]:
        """Where items of this stack lie."""
        return {item: place_of(item, self.host.settings) for item in items}

    def copy(
        self, items: Sequence[Item], tell: Callable[[str], None], sources: Mapping[Item, Place] | None = None
    ) -> list[Saved]:
        """Copy items, from `sources` if they are another stack's, into what is to become a snapshot. Raises Failure; nothing is left then."""
        places = self.places_of(items) if sources is None else sources
        paths = self._paths([places[item] for item in items])
        words = [word for item in items if places[item] in paths for word in (paths[places[item]], item.saved_as)]
        printed = self._run(scripts.SAVE, words, paths, on_line=lambda line: self._tell(line, tell))
        saved = {item: Saved(item, ABSENT) for item in items}
        by_place = {item.saved_as: item for item in items}
        for line in printed.splitlines():
            how, _, rest = line.partition(" ")
            kib, _, place = rest.partition(" ")
            if how == AT:
                continue
            saved[by_place[place]] = Saved(by_place[place], how, int(kib) * 1024)
        return list(saved.values())

    def make_volumes(self, items: Sequence[Item]) -> list[str]:
        """Make those volumes of items that the engine does not have, as Compose would; their names."""
        namespace = self.host.namespace
        missing = [
            (item, place)
            for item, place in self.places_of(items).items()
            if place.kind == VOLUME and self._volume(place.name) is None
        ]
        for item, place in missing:
            labels = {PROJECT_LABEL: namespace.project, VOLUME_LABEL: item.name}
            self.engine.post("/volumes/create", {"Name": place.name, "Labels": labels})
        return [place.name for _, place in missing]

    def name(self, name: str, manifest: dict[str, Any]) -> None:
        """Make what was copied last a snapshot."""
        self._run(scripts.NAME, [name, json.dumps(manifest)])

    def remove(self, names: Sequence[str]) -> None:
        self._run(scripts.REMOVE, list(names))

    def check_volumes(self, items: Sequence[Item]) -> None:
        """Raise Failure for a volume that the engine does not have, or that cannot be reached."""
        paths = self._paths(list(self.places_of(items).values()))
        for item, place in self.places_of(items).items():
            if place not in paths:
                raise Failure(f"the volume {item.name} is gone", f"{DUSTY} up creates it")

    def put_back(
        self,
        name: str,
        items: Sequence[Item],
        restored: dict[str, Any],
        replaced: dict[str, Any],
        kept_as: str = BEFORE,
    ) -> None:
        """Put items of a snapshot in place ('': none, all become empty); what they replace becomes the snapshot `kept_as` ('': none).

        Raises Failure; then nothing was changed, or read_unfinished tells what is to be finished.
        """
        triples, paths = self._triples(items)
        manifests = [json.dumps(restored), json.dumps(replaced)]
        self._run(scripts.PREPARE, [name or "-", kept_as or "-", *manifests, *triples], paths)
        self._run(scripts.FINISH, triples, paths)

    def finish(self, items: Sequence[Item]) -> None:
        """Finish what a killed put_back had decided."""
        self._run(scripts.FINISH, *self._triples(items))

    def read_unfinished(self) -> Any:
        """The manifest of what is being put back, as JSON; None if nothing is."""
        try:
            return json.loads(self._run(scripts.READ_UNFINISHED, []) or "null")
        except ValueError:
            return None

    def _run(
        self,
        script: str,
        words: list[str],
        paths: Mapping[Place, str] = MappingProxyType({}),
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        outside = {place.name: path for place, path in paths.items() if place.name != path}
        argv = root_command(self.host, script, words, self.image, outside)
        found = run(argv, env=self.host.engine_environment(), on_line=on_line, pass_fds=self._kept)
        if found.code:
            raise self._failure((found.err or found.out).strip() or f"status {found.code}")
        return found.out

    def _failure(self, said: str) -> Failure:
        """What a script said, for people."""
        if NO_ROOM in said:
            return Failure(f"the disk of {self.host.name} is full: {said.splitlines()[0]}", f"{DUSTY} disk", code=2)
        if f"No such image: {self.image}" in said:
            hint = f"docker pull {self.image}"
            return Failure(f"files of root are read in a container of {self.image}, which is not there", hint, code=2)
        return Failure(said, code=2)

    def _paths(self, places: Sequence[Place]) -> dict[Place, str]:
        """Their paths for the scripts; volumes that the engine does not have are left out. Raises Failure for a volume elsewhere."""
        paths = {}
        for place in places:
            if place.kind == FOLDER:
                is_inside = place.name.startswith("/") and not self.host.reaches_root
                paths[place] = _inside(place.name) if is_inside else place.name
            elif found := self._volume(place.name):
                if found.get("Driver") != LOCAL or found.get("Options"):
                    raise Failure(f"the volume {place.name} is not on the Docker host itself, so it cannot be copied")
                paths[place] = str(found["Mountpoint"]) if self.host.reaches_root else _inside(place.name)
        return paths

    def _triples(self, items: Sequence[Item]) -> tuple[list[str], dict[Place, str]]:
        """For PREPARE and FINISH: kind, path and place in a snapshot of each item that has a place; and the paths."""
        places = self.places_of(items)
        paths = self._paths(list(places.values()))
        there = [(item, paths[place]) for item, place in places.items() if place in paths]
        return [word for item, path in there for word in (item.kind, path, item.saved_as)], paths

    @staticmethod
    def _tell(line: str, tell: Callable[[str], None]) -> None:
        what, _, kib = line.partition(" ")
        if what == AT:
            tell(size_text(int(kib) * 1024))

    def _volume(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.engine.get(f"/volumes/{quote(name)}")
        except EngineRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found


def _inside(name: str) -> str:
    """Where a volume, or a folder outside of host.root, is in a throw-away container."""
    return f"/outside/{name.strip('/')}"
