"""In which order containers are changed: what can go at once goes at once, nothing before what it depends on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dusty_tasks.core.plan.change import CREATE, RECREATE, STARTING, Change, Plan
from dusty_tasks.core.plan.conditions import STARTED, conditions_of
from dusty_tasks.core.plan.restarts import shared_with
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer

APP_STOP_SECONDS = 1
"""Apps get one second to stop; services their own stop time (docs/verbs.md, `up`)."""


class Batch(NamedTuple):
    """Changes that are done together."""

    changes: tuple[Change, ...]
    is_made_by_compose: bool
    """One `docker compose up` with these names, which orders them itself; else the engine is asked for each, all at once."""
    stop_seconds: int | None = None
    """For those that Compose replaces."""


def batches(changes: Iterable[Change], wanted: Wanted) -> list[Batch]:
    """The changes of containers in batches, in order. Every change is in exactly one."""
    remaining = {change.name: change for change in changes}
    needs, awaited = needed_names(wanted), {container.name: _awaited(container) for container in wanted.containers}
    kinds = {container.name: container.kind for container in wanted.containers}
    found = []
    while remaining:
        names = (
            _free(remaining, needs)
            or _made_together(remaining, needs, awaited, kinds, {"app", "proxy"})
            or _made_together(remaining, needs, awaited, kinds, {"service"})
            or list(remaining)
        )
        batch = tuple(remaining.pop(name) for name in names)
        is_made = any(change.kind in (CREATE, RECREATE) for change in batch)
        found.append(Batch(batch, is_made, _stop_seconds(batch, kinds) if is_made else None))
    return found


_LEFT_BEHIND = re.compile(r"task \w+: already exists|port is already allocated")
"""What an engine says that was killed, and holds on to the task or the ports that a container of its own had before."""


def made_instead(changes: Iterable[Change], refusals: Mapping[str, str], wanted: Wanted) -> list[Batch]:
    """Recreations in place of those starts that the engine refused for what it holds on to; the container keeps its anonymous volumes.

    `refusals` is name -> what the engine said.
    """
    return batches(
        [
            Change(RECREATE, change.name, f"the engine does not start the existing one ({refusals[change.name]})")
            for change in changes
            if _LEFT_BEHIND.search(refusals.get(change.name, ""))
        ],
        wanted,
    )


def in_order_of_doing(planned: Plan, wanted: Wanted) -> Plan:
    """The plan with the changes of containers as the batches will do them: what is printed first is done first."""
    ordered = iter([change for batch in batches(planned.of(*STARTING), wanted) for change in batch.changes])
    return planned._replace(
        changes=tuple(next(ordered) if change.kind in STARTING else change for change in planned.changes)
    )


def needed_names(wanted: Wanted) -> dict[str, set[str]]:
    """Name -> all names that must be up before it, by way of others too."""
    direct = {container.name: {*container.after, *shared_with(container)} for container in wanted.containers}
    closed: dict[str, set[str]] = {}

    def closure(name: str, seen: frozenset[str]) -> set[str]:
        if name not in closed:
            below = direct.get(name, set()) - seen
            closed[name] = below.union(*(closure(other, seen | {name}) for other in below))
        return closed[name]

    for name in direct:
        closure(name, frozenset())
    return closed


def stop_seconds_of(kind: str) -> int | None:
    """How long a container may take to stop; None: what it says itself."""
    return None if kind == "service" else APP_STOP_SECONDS


def levels(containers: Iterable[WantedContainer], wanted: Wanted) -> list[list[WantedContainer]]:
    """Containers in groups: none depends on another of its group or of a later one."""
    remaining = {container.name: container for container in containers}
    needs = needed_names(wanted)
    found = []
    while remaining:
        names = [name for name in remaining if not needs[name] & (remaining.keys() - {name})] or list(remaining)
        found.append([remaining.pop(name) for name in names])
    return found


def _free(remaining: dict[str, Change], needs: dict[str, set[str]]) -> list[str]:
    """Those that the engine changes by itself and that wait for nobody."""
    return [
        name
        for name, change in remaining.items()
        if change.kind not in (CREATE, RECREATE) and not needs.get(name, set()) & (remaining.keys() - {name})
    ]


def _awaited(container: WantedContainer) -> set[str]:
    """The containers whose health check must pass, or that must end, before this one starts."""
    return {name for name, condition in conditions_of(container).items() if condition != STARTED}


def _made_together(
    remaining: dict[str, Change],
    needs: dict[str, set[str]],
    awaited: dict[str, set[str]],
    kinds: dict[str, str],
    replaced: set[str],
) -> list[str]:
    """The largest set for one Compose call that waits for nobody outside it, and for no health check or end in it, which Compose would
    wait for without a bound. Only containers of the kinds `replaced` are recreated in it: one call gives all of them one stop time.
    """
    names = [
        name
        for name, change in remaining.items()
        if change.kind == CREATE or (change.kind == RECREATE and kinds.get(name) in replaced)
    ]
    while True:
        outside = remaining.keys() - set(names)
        fitting = [
            name
            for name in names
            if not needs.get(name, set()) & outside and not awaited.get(name, set()).intersection(names)
        ]
        if fitting == names:
            return names
        names = fitting


def _stop_seconds(batch: tuple[Change, ...], kinds: dict[str, str]) -> int | None:
    replaced = {kinds.get(change.name, "service") for change in batch if change.kind == RECREATE}
    return None if "service" in replaced or not replaced else APP_STOP_SECONDS
