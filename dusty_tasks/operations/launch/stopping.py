"""Stopping and removing containers that exist, by a verb rather than by a plan: those that depend on others first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.batches import needed_names, stop_seconds_of
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.started import stopped
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.effects.docker_host.started_records import read_started, write_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.page_states import note_found


def stop_containers(
    engine: Engine, containers: Sequence[FoundContainer], verb: str, *, is_removal: bool
) -> list[FoundContainer]:
    """Stop those that run, remove all of them if that is wanted; which of them were changed. Raises Failure naming those that failed.

    That a person stopped them is noted beside them, so that a service which then ends with status 0 is not taken for finished.
    """
    chosen = [container for container in containers if is_removal or container.is_stoppable]
    if not chosen:
        return []
    _note(engine, chosen, is_removal)
    failures: list[Report] = []
    for group in _users_first(chosen):
        calls = [partial(_stop, engine, container, is_removal) for container in group]
        for container, failure in zip(group, acts.each_at_once(calls), strict=True):
            if failure:
                failures.append(Report(container.name, str(failure), (container.container_name, container.id)))
            else:
                say(f"{'removed' if is_removal else 'stopped'} {container.name}")
    note_found(engine, verb)
    if failures:
        raise Failure("\n".join(sentence for sentence, _code in sentences(failures)), code=2)
    return chosen


def _stop(engine: Engine, container: FoundContainer, is_removal: bool) -> None:
    if container.state == "paused":
        acts.run_unpause(engine, container.id)
    if container.is_stoppable:
        acts.run_stop(engine, container.id, stop_seconds_of(container.kind))
    if is_removal:
        for each in (*container.leftovers, container):
            acts.run_remove(engine, each.id)


def _note(engine: Engine, chosen: Sequence[FoundContainer], is_removal: bool) -> None:
    started = read_started(engine.host)
    for container in chosen:
        record = started.pop(container.container_name, None)
        if record and not is_removal:
            started[container.container_name] = stopped(record)
    write_started(engine.host, started)


def _users_first(containers: Sequence[FoundContainer]) -> list[list[FoundContainer]]:
    """Groups in which nobody uses another; whoever uses others comes before them, and the proxy before all."""
    try:
        needs = needed_names(session.wanted())
    except Failure:
        needs = needed_names(Wanted(containers=()))
    remaining = {container.name: container for container in containers}
    groups = []
    while remaining:
        names = (
            [name for name, container in remaining.items() if container.kind == "proxy"]
            or [
                name
                for name in remaining
                if not any(name in needs.get(other, set()) for other in remaining if other != name)
            ]
            or list(remaining)
        )
        groups.append([remaining.pop(name) for name in names])
    return groups
