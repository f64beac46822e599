"""The data of parts that became own: a copy of the base's, made once, before they start for the first time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dusty_tasks import session
from dusty_tasks.console import say, warn, working
from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.compose_values import named_volumes
from dusty_tasks.core.text.paths import DATA_OF_WORLD, PERSIST, WORLDS_THERE
from dusty_tasks.core.worlds.model import CLONE, World
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.filling import Copy, fill, make_volume
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.home.worlds import change_world
from dusty_tasks.operations.snapshots import fit_to_copy
from dusty_tasks.operations.up.run import Run
from dusty_tasks.operations.worlds.sharing import LONGEST_WAIT


def is_filled(run: Run) -> bool:
    """True if no own part waits for its data."""
    world = session.world()
    return world is None or not _waiting(run, world)


def _waiting(run: Run, world: World) -> list[WantedContainer]:
    """The parts that keep data and have none yet."""
    return [
        container
        for container in run.view.wanted.containers
        if container.name not in world.filled and any(_copies(container, world))
    ]


def fill_world(run: Run) -> None:
    """Copy what the base keeps for them, whose containers are paused meanwhile. Raises Failure: then they are not started."""
    world = session.world()
    assert world is not None
    run.take_lock()
    waiting = _waiting(run, world)
    # What has a container already had its data before.
    new = [container for container in waiting if container.name not in run.view.found.containers]
    if world.data == CLONE and new:
        _clone(world, new)
    # Only an `up` notes that, and this one holds the lock.
    change_world(session.home(), filled=tuple(sorted({*world.filled, *(each.name for each in waiting)})))
    session.world.forget()


def _clone(world: World, containers: list[WantedContainer]) -> None:
    base, began = session.base_home(), time.monotonic()
    copies = list(dict.fromkeys(copy for container in containers for copy in _copies(container, world)))
    namespace = session.settings().namespace
    with session.begun(session.Session(base)):
        engine, settings = Engine(session.docker_host()), session.settings()
        prefix = settings.namespace.volume("")
        for copy in copies:
            if copy.is_volume:
                make_volume(engine, copy.target, copy.source.removeprefix(prefix), namespace)
        with held("up", verb=f"up of {world.name}", home=base, wait=LONGEST_WAIT):
            writing = _writers(engine, reads.read_containers(engine), copies)
            with (
                working(f"copying the data of {', '.join(container.name for container in containers)}"),
                fit_to_copy(engine, writing, "pause", warn),
            ):
                fill(engine, copies, settings.nginx_image)
    names = ", ".join(container.name for container in containers)
    say(f"copied the data of {names} from the base in {time.monotonic() - began:.1f} s")


def _copies(container: WantedContainer, world: World) -> Iterator[Copy]:
    """What a part keeps, from its place in the base to that in the world; folders below the base's host.root."""
    settings = session.settings()
    own = f"{settings.host.root}/{DATA_OF_WORLD}/"
    for source in bind_sources([container.mapping]):
        if f"{source}/".startswith(own) and (path := source.removeprefix(own).strip("/")):
            yield Copy(f"{PERSIST}/{path}", f"{WORLDS_THERE}/{world.name}/{DATA_OF_WORLD}/{path}")
    former = session.settings().namespace.base
    for name in named_volumes(container.mapping):
        yield Copy(former.volume(name), settings.namespace.volume(name), is_volume=True)


def _writers(engine: Engine, found: dict[str, FoundContainer], copies: list[Copy]) -> list[FoundContainer]:
    """The containers of the base that may write what is copied."""
    folders = [engine.host.path(copy.source) for copy in copies if not copy.is_volume]
    volumes = [f"/{copy.source}/_data" for copy in copies if copy.is_volume]
    return [
        container
        for container in found.values()
        if container.state == "running"
        and any(
            source.endswith(tuple(volumes))
            or any(f"{source}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{source}/") for folder in folders)
            for source in container.mounts.values()
            if source
        )
    ]
