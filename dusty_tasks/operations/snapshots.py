"""Saving what services keep, and putting it back: who is brought to a halt meanwhile, and what is checked before."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from dusty_tasks import session
from dusty_tasks.core.of_verbs import snapshots as core
from dusty_tasks.core.of_verbs.snapshots import BEFORE, COPY, FOLDER, VOLUME, Item, Place, Saved, Snapshot
from dusty_tasks.core.plan.batches import stop_seconds_of
from dusty_tasks.core.plan.change import RESTART, Change
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.text.called import DUSTY, PLAIN
from dusty_tasks.core.text.paths import SNAPSHOTS_BELOW
from dusty_tasks.core.text.wording import GIB, size_text
from dusty_tasks.effects.code.receipts import read_receipts
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.halting import Lines, held_still
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.snapshots import Sizes, Snapshots
from dusty_tasks.operations.history.noting import note_run
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.launch.restarting import restart
from dusty_tasks.operations.waiting import Late, wait_until_up

ORPHANS_WAIT = 60
"""Seconds for what a killed run left at work on the Docker host."""
Tell = Callable[[str], None]


@contextmanager
def at_work(engine: Engine, verb: str, *, finishes: bool = False) -> Iterator[Snapshots]:
    """The snapshots, and the lock for changes. Raises Failure where a restore was interrupted, unless the block `finishes` it."""
    with held("up", verb=verb, home=session.home(), orphans_wait=ORPHANS_WAIT) as lock:
        found = Snapshots(engine, session.settings().nginx_image, lock.fileno())
        if not finishes and (pending := core.from_json(found.read_unfinished())):
            raise Failure(
                f"the restore of {pending.name} was interrupted: only part of it is in place",
                f"{DUSTY} data restore, which finishes it",
            )
        yield found


def read_all(engine: Engine) -> list[Snapshot]:
    """The snapshots of the Docker host, by name."""
    manifests = Snapshots(engine, session.settings().nginx_image).read()
    return sorted(snapshot for manifest in manifests if (snapshot := core.from_json(manifest)))


def named(snapshots: Collection[Snapshot], name: str) -> Snapshot:
    """The snapshot of that name. Raises Failure."""
    from dusty_tasks.core.text.problems import did_you_mean

    for snapshot in snapshots:
        if snapshot.name == name:
            return snapshot
    raise Failure(f'there is no snapshot "{name}"', did_you_mean(name, [each.name for each in snapshots]))


def keepers() -> dict[str, list[Item]]:
    """The parts of the stack that keep data, and in what. Raises Failure for one that mounts all of /persist."""
    found = core.keepers(session.wanted(), session.settings())
    for name, items in found.items():
        if Item(FOLDER, "") in items:
            raise Failure(
                f"{name} mounts all of /persist, where Dusty keeps its own files; that cannot be saved or restored"
            )
    return found


def save(engine: Engine, name: str, services: Sequence[str], *, by_stop: bool, tell: Tell, warn: Tell) -> Snapshot:
    """Save what `services` keep as the snapshot `name`; who writes there is paused, or stopped, for the copy. Raises Failure."""
    by_keeper = keepers()
    items = core.outermost(item for service in services for item in by_keeper[service])
    users = core.users_of(items, by_keeper)
    with at_work(engine, "data save") as snapshots:
        if any(each.name == name for each in read_all(engine)):
            raise Failure(f"there is already a snapshot {name}", f"{DUSTY} data remove {name}, or another name")
        _check_room(snapshots, list(snapshots.places_of(items).values()))
        running = [found for found in containers(engine, users) if found.state == "running"]
        began = time.monotonic()
        with fit_to_copy(engine, running, "stop" if by_stop else "pause", warn):
            saved = snapshots.copy(items, tell)
        snapshot = Snapshot(name, now(), tuple(services), tuple(saved), round(time.monotonic() - began, 2))
        snapshots.name(name, core.to_json(snapshot))
    return snapshot


def fit_to_copy(engine: Engine, running: Sequence[FoundContainer], by: str, warn: Tell) -> AbstractContextManager[None]:
    """Hold these containers still for a block; each runs what its spec has for that before and after it."""
    wanted = {container.name: container for container in session.wanted().containers}
    lines = {
        found.id: Lines(found.name, core.script_of(each.before_copy), core.script_of(each.after_copy))
        for found in running
        if (each := wanted.get(found.name)) and (each.before_copy or each.after_copy)
    }
    return held_still(engine.host, [found.id for found in running], by=by, lines=lines, warn=warn)


def _check_room(snapshots: Snapshots, places: Sequence[Place]) -> None:
    """Raise Failure where copies would not fit, or be more than `data.keep` allows."""
    sizes, keep = snapshots.read_sizes(places), session.settings().data_keep
    if keep is not None and sizes.snapshots + sizes.items > keep * GIB:
        raise Failure(
            f"the snapshots would take {size_text(sizes.snapshots + sizes.items)}, more than the {keep:g} GiB of the setting data.keep",
            f"{DUSTY} data remove <name>, or {DUSTY} config set data.keep <GiB>",
        )
    check_fits(sizes)


def check_fits(sizes: Sizes) -> None:
    if sizes.needed > sizes.free:
        raise Failure(
            f"a copy needs {size_text(sizes.needed)}, and {size_text(sizes.free)} are free", f"{DUSTY} disk", code=2
        )


def restore(engine: Engine, snapshot: Snapshot, items: Sequence[Item], tell: Tell) -> list[Late]:
    """Put items of a snapshot in place; who uses them is stopped meanwhile. Those that are not ready then: for them what it replaced is kept."""
    running = _replace(engine, snapshot.name, items, snapshot.services)
    return seen_ready(engine, running, tell)


def finish(engine: Engine, tell: Tell) -> tuple[str, list[Late]] | None:
    """Finish a restore that was interrupted: its name and what became of it; None if there is none."""
    with at_work(engine, "data restore", finishes=True) as snapshots:
        pending = core.from_json(snapshots.read_unfinished())
        if pending is None:
            return None
        items = [saved.item for saved in pending.saved]
        running = stop(engine, core.users_of(items, keepers()))
        snapshots.finish(items)
        start_all(engine, running, pending.name)
    return pending.name, seen_ready(engine, running, tell)


def reset(engine: Engine, services: Sequence[str]) -> list[str]:
    """Remove what `services` keep, and the containers that use it; which they were. It is kept as the snapshot BEFORE."""
    items = items_of(services)
    return [found.name for found in _replace(engine, "", items, services)]


def items_of(services: Sequence[str]) -> list[Item]:
    """What these parts keep."""
    by_keeper = keepers()
    return core.outermost(item for service in services for item in by_keeper[service])


def remove(engine: Engine, names: Sequence[str]) -> None:
    with at_work(engine, "data remove") as snapshots:
        snapshots.remove(names)


def _replace(engine: Engine, name: str, items: Sequence[Item], services: Sequence[str]) -> list[FoundContainer]:
    """Stop who uses the items, put those of the snapshot in place, start them again; who ran before.

    Without a name the items become empty, and who uses them is removed.
    """
    users = core.users_of(items, keepers())
    with at_work(engine, "data restore" if name else "data reset") as snapshots:
        found = containers(engine, users)
        check_containers_are_ours(engine.host, found)
        if name:
            snapshots.check_volumes(items)
        places = snapshots.places_of(items)
        sizes = snapshots.read_sizes(list(places.values()))
        # What is put back is copied, and so is what it replaces in volumes; folders are moved.
        copied = [Place(FOLDER, f"{SNAPSHOTS_BELOW}/{name}/{item.saved_as}") for item in items if name]
        check_fits(snapshots.read_sizes([*copied, *(place for place in places.values() if place.kind == VOLUME)]))
        running = stop(engine, users)
        new = Snapshot(name or BEFORE, now(), tuple(services), tuple(Saved(item, COPY) for item in items))
        sizes_of = [sizes.items, *(0 for _ in items[1:])]
        before = new._replace(
            name=BEFORE, saved=tuple(Saved(item, COPY, size) for item, size in zip(items, sizes_of, strict=True))
        )
        with started_again_if_nothing_changed(engine, snapshots, running, name):
            snapshots.put_back(name, items, core.to_json(new), core.to_json(before))
        if name:
            start_all(engine, running, name)
            return running
        for container in found:
            acts.run_remove(engine, container.id)
        return found


@contextmanager
def started_again_if_nothing_changed(
    engine: Engine, snapshots: Snapshots, running: Sequence[FoundContainer], name: str
) -> Iterator[None]:
    """Start those that ran again where the block fails before it decided anything."""
    try:
        yield
    except BaseException:
        if snapshots.read_unfinished() is None:
            start_all(engine, running, name)
        raise


def stop(engine: Engine, names: Sequence[str]) -> list[FoundContainer]:
    """Stop those of these that run; which they were."""
    running = [found for found in containers(engine, names) if found.is_stoppable]
    for container in reversed(running):
        if container.state == "paused":
            acts.run_unpause(engine, container.id)
        acts.run_stop(engine, container.id, stop_seconds_of(container.kind))
    return running


def start_all(engine: Engine, containers: Sequence[FoundContainer], name: str) -> None:
    """Start them again, and note that: they see what lies there now."""
    wanted, began = session.wanted(), time.time()
    names, cause = {found.name for found in containers}, f"{PLAIN} data restore {name}"
    chosen = [container for container in wanted.containers if container.name in names]
    receipts = read_receipts(engine.host, [entry.id for entry in wanted.repos]) if wanted.repos else {}
    restart(chosen, wanted, engine, reads.read_containers(engine), receipts, cause)
    note_run(
        engine.host, "data restore", began, [(Change(RESTART, each.name, cause), time.time()) for each in containers]
    )


def seen_ready(engine: Engine, containers: Sequence[FoundContainer], tell: Tell, former: str = BEFORE) -> list[Late]:
    """Wait until they are ready; only then what was replaced is removed, if it is kept as `former`."""
    names = [found.name for found in containers]
    asked = [container for container in session.wanted().containers if container.name in names]
    waited = wait_until_up(engine, asked, session.settings().up_wait, tell)
    if former and not waited.late:
        remove(engine, [former])
    return waited.late


def containers(engine: Engine, names: Sequence[str]) -> list[FoundContainer]:
    """The containers of these parts, those first that others need."""
    found = reads.read_containers(engine)
    order = [container.name for container in session.wanted().containers]
    return [found[name] for name in order if name in names and name in found]


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
