"""Snapshots of what services keep, on the Docker host: saved, put back, removed, as root; whole or absent after any kill.

What is being saved lies in `.part`, and gets its name by one rename. A restore first copies all that it will put in place; the rename of
`.new` to `.restoring` is the decision, and from there it can only be finished (PUT_BACK, which every start of the stack looks for).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from dusty_tasks.core.of_verbs.snapshots import ABSENT, FOLDER, VOLUME, Item, Saved
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import piped, run
from dusty_tasks.effects.engine import snapshot_scripts as scripts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import root_command

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

AT = "at"
LOCAL = "local"
"""The driver whose volumes are folders of the Docker host."""


class Sizes(NamedTuple):
    """In bytes."""

    free: int
    snapshots: int
    items: int
    has_reflinks: bool = False
    """The file system can share blocks between files."""


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

    def read_sizes(self, items: Sequence[Item]) -> Sizes:
        """What there is room for, what all snapshots take, and what these items take."""
        sizes = {"free": 0, "snapshots": 0, "item": 0, "reflink": 0}
        places = self._places(items)
        for line in self._run(scripts.MEASURE, list(places.values()), places).splitlines():
            what, _, kib = line.partition(" ")
            sizes[what] += int(kib) * 1024
        return Sizes(sizes["free"], sizes["snapshots"], sizes["item"], sizes["reflink"] > 0)

    def copy(self, items: Sequence[Item], tell: Callable[[str], None]) -> list[Saved]:
        """Copy items into what is to become a snapshot. Raises ToolFailed; nothing is left then."""
        places = self._places(items)
        words = [word for item, place in places.items() for word in (place, item.saved_as)]
        printed = self._run(scripts.SAVE, words, places, on_line=lambda line: self._tell(line, tell))
        saved = {item: Saved(item, ABSENT) for item in items}
        by_place = {item.saved_as: item for item in items}
        for line in printed.splitlines():
            how, _, rest = line.partition(" ")
            kib, _, place = rest.partition(" ")
            if how == AT:
                continue
            saved[by_place[place]] = Saved(by_place[place], how, int(kib) * 1024)
        return list(saved.values())

    def name(self, name: str, manifest: dict[str, Any]) -> None:
        """Make what was copied last a snapshot."""
        self._run(scripts.NAME, [name], data=json.dumps(manifest))

    def remove(self, names: Sequence[str]) -> None:
        self._run(scripts.REMOVE, list(names))

    def check_volumes(self, items: Sequence[Item]) -> None:
        """Raise Failure for a volume that the engine does not have, or that cannot be reached."""
        places = self._places(items)
        for item in items:
            if item not in places:
                raise Failure(f"the volume {item.name} is gone", f"{DUSTY} up creates it")

    def put_back(self, name: str, items: Sequence[Item], restored: dict[str, Any], replaced: dict[str, Any]) -> None:
        """Put items of a snapshot in place ('': none, all become empty); what they replace becomes the snapshot BEFORE.

        Raises ToolFailed; then nothing was changed, or read_unfinished tells what is to be finished.
        """
        places = self._places(items)
        data = f"{json.dumps(restored)}\n{json.dumps(replaced)}\n"
        self._run(scripts.PREPARE, [name or "-", *_triples(places)], places, data)
        self._run(scripts.FINISH, _triples(places), places)

    def finish(self, items: Sequence[Item]) -> None:
        """Finish what a killed put_back had decided."""
        places = self._places(items)
        self._run(scripts.FINISH, _triples(places), places)

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
        places: Mapping[Item, str] = MappingProxyType({}),
        data: str = "",
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        volumes = {item.name: place for item, place in places.items() if item.kind == VOLUME}
        argv = root_command(self.host, script, words, self.image, volumes)
        found = run(argv, input=data, env=self.host.engine_environment(), on_line=on_line, pass_fds=self._kept)
        if found.code:
            raise Failure((found.err or found.out).strip() or f"status {found.code}", code=2)
        return found.out

    def _places(self, items: Sequence[Item]) -> dict[Item, str]:
        """Where the items lie for the scripts; volumes that the engine does not have are left out. Raises Failure for a volume elsewhere."""
        places = {item: item.name for item in items if item.kind == FOLDER}
        for item in items:
            if item.kind == VOLUME and (found := self._volume(item.name)):
                if found.get("Driver") != LOCAL or found.get("Options"):
                    raise Failure(f"the volume {item.name} is not on the Docker host itself, so it cannot be saved")
                places[item] = str(found["Mountpoint"]) if self.host.reaches_root else _inside(item)
        return places

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


def _inside(item: Item) -> str:
    """Where a volume is in a throw-away container."""
    return f"/volumes/{item.name}"


def _triples(places: Mapping[Item, str]) -> list[str]:
    return [word for item, place in places.items() for word in (item.kind, place, item.saved_as)]


@contextmanager
def held_still(host: DockerHost, container_ids: Sequence[str], *, by: str) -> Iterator[None]:
    """Containers do nothing during the block: `by` is "pause" or "stop". They go on after it, also if this process is killed in it.

    Raises Failure if they cannot be brought to a halt, or do not go on.
    """
    if not container_ids:
        yield
        return
    again = "unpause" if by == "pause" else "start"
    with piped(["sh", "-c", _HALT, "dusty", by, again, *container_ids], env=host.engine_environment()) as guard:
        try:
            if guard.out.readline():
                yield
        finally:
            ended = guard.end()
    if ended.code:
        raise Failure(ended.err.strip() or f"docker {by}: status {ended.code}", code=2)


_HALT = """
trap "" INT TERM HUP PIPE
by=$1 again=$2
shift 2
if docker "$by" "$@" > /dev/null; then
    echo halted
    cat > /dev/null
    exec docker "$again" "$@" > /dev/null
fi
docker "$again" "$@" > /dev/null 2>&1
exit 1
"""
"""Words: what halts containers, what undoes that, their ids. It prints a line once they are halted, and undoes it at the end of its input.

One program does both, so that whoever is killed meanwhile leaves no halt behind that is still to come. With nobody left to read that line, it goes on.
"""
