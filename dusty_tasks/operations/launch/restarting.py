"""Restarting containers as they are, by a verb rather than by a plan, with what they need and who shares with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.plan.batches import levels, needed_names, stop_seconds_of
from dusty_tasks.core.plan.change import RESTART, START, Change
from dusty_tasks.core.plan.conditions import COMPLETED, awaited_by, conditions_of, stopped_by
from dusty_tasks.core.plan.container_state import FINISHED, states
from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.restarts import shared_with
from dusty_tasks.core.plan.started import StartedRecord, mounting_anew, restarted
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.core.text.called import PLAIN
from dusty_tasks.effects.code.copy_states import read_inodes
from dusty_tasks.effects.code.receipts import Receipt
from dusty_tasks.effects.docker_host.started_records import read_started, write_started
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.observe.docker_host import read_finished
from dusty_tasks.operations.launch.containers import wait_until_ended, wait_until_healthy


class Restarted(NamedTuple):
    """What became of it."""

    names: tuple[str, ...]
    """Restarted, or started because they were needed."""
    absent: tuple[tuple[str, str], ...]
    """(who, of what it needs, what has no container)."""
    code: int


def restart(
    chosen: Iterable[WantedContainer],
    wanted: Wanted,
    engine: Engine,
    found: Mapping[str, FoundContainer],
    receipts: Mapping[str, Receipt],
    cause: str = "",
) -> Restarted:
    """Restart those of `chosen` that are `found`, dependencies first, independent ones at once, each with those that share its network.

    What they need and does not run is started before them. Raises Failure, before any of that, if working trees lack mount points.
    """
    everyone = with_sharers([each for each in chosen if each.name in found], wanted, found)
    started = read_started(engine.host)
    needed = needed_by(everyone, wanted, found, started, engine)
    begun = [each for each in wanted.containers if each in everyone or each.name in needed]
    if session.settings().sync_mode == "bind":
        from dusty_tasks.operations.code.bound_mounts import ensure_mount_points, trees_of_stack

        ensure_mount_points(
            {
                each.container_name: {**each.mapping, **(started.get(each.container_name) or {}).get("mapping", {})}
                for each in begun
            },
            trees_of_stack(),
            yes=False,
        )
    failures: list[Report] = []
    stopped: dict[str, str] = {}
    awaited = awaited_by((each.name for each in begun), wanted)
    inodes = read_inodes(engine.host, bind_sources(each.mapping for each in begun))
    for level in levels(
        [*everyone, *(each for each in wanted.containers if each.name in needed and each.name in found)], wanted
    ):
        if stopped or any(COMPLETED in conditions_of(each).values() for each in level):
            seen = reads.read_containers(engine)
            stopped.update({each.name: reason for each in level if (reason := stopped_by(each, seen, stopped))})
        level = [each for each in level if each.name not in stopped]
        calls = [_call(engine, each, found[each.name], is_needed=each.name in needed) for each in level]
        for each, failure in zip(level, acts.each_at_once(calls), strict=True):
            if failure:
                failures.append(Report(each.name, str(failure), (each.container_name, found[each.name].id)))
                continue
            user = needed.get(each.name, "")
            say(f"started {each.name}: {user} needs it" if user else f"restarted {each.name}")
            record = started.get(each.container_name)
            if record and record.get("container_id") == found[each.name].id:
                is_unpaused = each.name in needed and found[each.name].state == "paused"
                now = _noted(each, record, receipts, user, cause or f"{PLAIN} restart")
                started[each.container_name] = now if is_unpaused else mounting_anew(now, each, inodes)
        write_started(engine.host, started)
        names = {each.name for each in level}
        wait_until_healthy(
            engine,
            names & awaited.healthy,
            session.settings().up_wait,
            lambda name: say(f"waiting for the health check of {name}"),
        )
        wait_until_ended(engine, names & awaited.ended, lambda name: say(f"waiting for the exit of {name}"))
    failures += [Report(name, f"not restarted: {reason}", (name,)) for name, reason in stopped.items()]
    for sentence, _code in sentences(failures):
        warn(sentence)
    absent = tuple((user, name) for name, user in needed.items() if name not in found)
    return Restarted(
        (*(each.name for each in everyone if each.name not in stopped), *(name for name in needed if name in found)),
        absent,
        2 if failures else 0,
    )


def with_sharers(
    chosen: Iterable[WantedContainer], wanted: Wanted, found: Mapping[str, FoundContainer]
) -> list[WantedContainer]:
    """`chosen` and every running container that lives in the network of one of them, in stack order."""
    names = {container.name for container in chosen}
    for container in wanted.containers:
        if set(shared_with(container)) & names and container.name in found and found[container.name].is_running:
            names.add(container.name)
    return [container for container in wanted.containers if container.name in names]


def needed_by(
    everyone: Iterable[WantedContainer],
    wanted: Wanted,
    found: Mapping[str, FoundContainer],
    started: Mapping[str, StartedRecord],
    engine: Engine,
) -> dict[str, str]:
    """What these need and is not among them, does not run and is not finished -> who needs it."""
    everyone = list(everyone)
    names = {each.name for each in everyone}
    needs = needed_names(wanted)
    users = {name: each.name for each in reversed(everyone) for name in needs.get(each.name, ()) if name not in names}
    if all(name in found and found[name].state == "running" for name in users):
        return {}
    seen = states(
        wanted,
        Found(
            containers=dict(found), started=dict(started), finished=read_finished(dict(found), dict(started), engine)
        ),
    )
    return {
        name: user
        for name, user in users.items()
        if name not in found or not (found[name].is_running or (name in seen and seen[name].name == FINISHED))
    }


def _call(engine: Engine, each: WantedContainer, container: FoundContainer, *, is_needed: bool) -> Callable[[], None]:
    if not is_needed:
        return partial(acts.run_restart, engine, container.id, stop_seconds_of(each.kind))
    return partial(acts.run_unpause if container.state == "paused" else acts.run_start, engine, container.id)


def _noted(
    each: WantedContainer, record: StartedRecord, receipts: Mapping[str, Receipt], user: str, cause: str
) -> StartedRecord:
    change = (
        Change(START, each.name, f"{PLAIN} restart {user}, which needs it")
        if user
        else Change(RESTART, each.name, cause)
    )
    return restarted(record, each, receipts, change, time.strftime("%Y-%m-%dT%H:%M:%S%z"))
