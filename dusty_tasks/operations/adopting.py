"""Data that another stack left: which it is, who uses it, and a copy of it in the place of what a service keeps."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.of_verbs import snapshots as core
from dusty_tasks.core.of_verbs.snapshots import (
    ABSENT,
    BEFORE_ADOPT,
    COPY,
    FOLDER,
    INCOMING,
    VOLUME,
    Item,
    Place,
    Saved,
    Snapshot,
)
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import PERSIST
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.docker_host.files import PRIVATE, read_host_json, write_host_json
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.snapshots import Snapshots
from dusty_tasks.effects.observe.docker_host import VOLUMES
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.snapshots import (
    Tell,
    at_work,
    check_fits,
    containers,
    keepers,
    now,
    seen_ready,
    start_all,
    started_again_if_nothing_changed,
    stop,
)
from dusty_tasks.operations.waiting import Late


class Adoption(NamedTuple):
    """What is to go where."""

    source: Place
    source_size: int
    service: str
    item: Item
    place: Place
    """Where the item lies."""
    size: int
    """What lies there now; 0 for nothing."""


def find(engine: Engine, source: str, service: str, path: str) -> Adoption:
    """What `source`, a volume or an absolute path on the Docker host, would replace: what `service` sees at `path` ('': all that it keeps).

    Raises Failure where there is no such thing, where it is the same, or where it is in use.
    """
    item = _target(service, path)
    found = Place(FOLDER, _folder(engine, source)) if source.startswith("/") else Place(VOLUME, _volume(engine, source))
    snapshots = Snapshots(engine, session.settings().nginx_image)
    place = snapshots.places_of([item])[item]
    _check_apart(engine, found, place)
    users = [name for name, mounted in reads.read_mounts(engine).items() if any(_meet(found, each) for each in mounted)]
    if users:
        are = f"{', '.join(users)} {'uses' if len(users) == 1 else 'use'}"
        raise Failure(f"{are} {found}: a copy of files that change may be broken", f"docker stop {' '.join(users)}")
    return Adoption(
        found, snapshots.read_sizes([found]).items, service, item, place, snapshots.read_sizes([place]).items
    )


def adopt(engine: Engine, wish: Adoption, tell: Tell) -> tuple[bool, list[Late]]:
    """Put a copy in place; what it replaces is kept as BEFORE_ADOPT. Whether containers run with it now, and which are not ready.

    Raises Failure. Then nothing was changed, or `data restore` finishes it; the source is only read.
    """
    items, users = [wish.item], core.users_of([wish.item], keepers())
    label = f"copy of {wish.source}"
    with at_work(engine, "disk adopt") as snapshots:
        found = containers(engine, users)
        check_containers_are_ours(engine.host, found)
        replaced = [wish.place] if wish.place.kind == VOLUME else []
        check_fits(snapshots.read_sizes([wish.source, *replaced]))
        saved = snapshots.copy(items, tell, {wish.item: wish.source})
        if saved[0].how == ABSENT:
            raise Failure(f"{wish.source} is gone")
        new = Snapshot(label, now(), (wish.service,), tuple(saved))
        before = Snapshot(BEFORE_ADOPT, now(), (wish.service,), (Saved(wish.item, COPY, wish.size),))
        snapshots.name(INCOMING, core.to_json(new))
        running = stop(engine, users)
        with started_again_if_nothing_changed(engine, snapshots, running, label):
            _make_volumes(engine, snapshots, items)
            kept_as = BEFORE_ADOPT if wish.size else ""
            snapshots.put_back(INCOMING, items, core.to_json(new), core.to_json(before), kept_as)
        start_all(engine, running, label)
    return bool(running), seen_ready(engine, running, tell, former="") if running else []


def _make_volumes(engine: Engine, snapshots: Snapshots, items: list[Item]) -> None:
    """Those that no `up` has made yet; they are the stack's, as if it had."""
    if made := snapshots.make_volumes(items):
        times = {name: time for name, time in reads.read_volumes(engine).items() if name in made}
        write_host_json(engine.host, VOLUMES, {**read_host_json(engine.host, VOLUMES), **times}, PRIVATE)


def _target(service: str, path: str) -> Item:
    """What a service keeps, or what it sees at `path`."""
    container = next(each for each in session.wanted().containers if each.name == service)
    seen = core.targets_of(container, session.settings())
    chosen = [item for item, target in seen.items() if path in ("", target)]
    if len(chosen) != 1:
        choices = ", ".join(f"{service}:{target}" for target in seen.values())
        what = (
            f"{service} keeps nothing at {path}" if path else f"{service} keeps data in {counted(len(seen), 'place')}"
        )
        raise Failure(what, f"one of {choices}")
    return chosen[0]


def _volume(engine: Engine, name: str) -> str:
    """The name of a volume that is there."""
    known = [str(each["Name"]) for each in engine.get("/volumes").get("Volumes") or ()]
    if name not in known:
        raise Failure(
            f'there is no volume "{name}" on {engine.host.name}',
            did_you_mean(name, known) or "docker volume ls lists them; a folder there begins with /",
        )
    return name


def _folder(engine: Engine, path: str) -> str:
    """The folder itself, where links lead to it."""
    host = engine.host
    found = host.run(["readlink", "-f", "--", path], as_root=True).out.strip() or path
    if host.run(["test", "-d", found], as_root=True).code and host.is_root:
        raise Failure(f"there is no folder {path} on {host.name}")
    return found


def _check_apart(engine: Engine, source: Place, place: Place) -> None:
    """Raise Failure where a copy would hold itself."""
    if source == place:
        raise Failure(f"{source} is where it is kept already")
    if source.kind == FOLDER:
        persist = engine.host.path(PERSIST)
        top = f"{persist}/{place.name}" if place.kind == FOLDER else persist
        inside = f"{source.name}/".startswith(f"{persist}/.snapshots/")
        if _holds(source.name, top) or (place.kind == FOLDER and _holds(top, source.name)) or inside:
            raise Failure(f"{source} overlaps with what would be replaced", f"{DUSTY} data save keeps a copy of it")


def _meet(source: Place, mounted: str) -> bool:
    if source.kind == VOLUME:
        return source.name == mounted
    return mounted.startswith("/") and (_holds(source.name, mounted) or _holds(mounted, source.name))


def _holds(outer: str, inner: str) -> bool:
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")
