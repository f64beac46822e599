"""What synced code calls for in the containers that have it, noted beside what they were started with (core/plan/started)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.core.code.reloading import Owed, owed_for
from dusty_tasks.core.plan.started import StartedRecord, code_changed
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.reload import RESTART
from dusty_tasks.effects.docker_host.started_records import read_started, write_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import Busy, held

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.code.sync_outcome import SyncOutcome

LONGEST_WAIT = 5.0
"""Seconds to wait for a run that changes containers; without the note they are restarted by the next `up`, which is right, too."""


def note_owed(outcomes: Iterable[SyncOutcome], host: DockerHost, home: str, *, is_locked: bool) -> None:
    """Note what each synced repo calls for, where that is less than the restart that follows without a note. Never raises for a lock or a lost host."""
    synced = [outcome for outcome in outcomes if outcome.paths is not None and outcome.before]
    if not synced:
        return
    try:
        containers = session.wanted().containers
    except Failure:
        return
    if not any(is_less(owed) for outcome in synced for owed in owed_by_name(containers, outcome).values()):
        return
    try:
        if is_locked:
            _note(synced, containers, host)
        else:
            with held("up", verb="sync", home=home, wait=LONGEST_WAIT):
                _note(synced, containers, host)
    except Busy:
        return


def owed_by_name(containers: Iterable[WantedContainer], outcome: SyncOutcome) -> dict[str, Owed]:
    """Container -> what the changes of one repo call for in it, of those that have its code."""
    return {
        container.name: owed_for(outcome.paths, container.reload.get(outcome.repo_id))
        for container in containers
        if outcome.repo_id in container.repo_ids
    }


def is_less(owed: Owed) -> bool:
    """True for what has to be noted: without a note it is a restart."""
    return owed.kind != RESTART


def noted(
    records: Mapping[str, StartedRecord], containers: Sequence[WantedContainer], outcomes: Iterable[SyncOutcome]
) -> dict[str, StartedRecord]:
    """The records of containers with what these syncs call for."""
    now = dict(records)
    by_name = {container.name: container.container_name for container in containers}
    for outcome in outcomes:
        for name, owed in owed_by_name(containers, outcome).items():
            record = now.get(by_name[name])
            if record is not None:
                after = str(outcome.receipt.get("fingerprint"))
                now[by_name[name]] = code_changed(record, outcome.repo_id, outcome.before, after, owed)
    return now


def _note(outcomes: Sequence[SyncOutcome], containers: Sequence[WantedContainer], host: DockerHost) -> None:
    before = read_started(host)
    after = noted(before, containers, outcomes)
    if after != before:
        write_started(host, after)
