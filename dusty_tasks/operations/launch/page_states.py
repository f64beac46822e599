"""What the proxy's pages tell of the apps: noted by every verb that changes containers, since nothing of Dusty's stays to watch them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import warn
from dusty_tasks.core.of_verbs.proxy_states import Seen, state_files
from dusty_tasks.core.plan.container_state import FAILED, FINISHED, RUNNING, STARTING, State, states
from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.text.called import PLAIN
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.observe.docker_host import PAGE_STATES, read_finished

if TYPE_CHECKING:
    from dusty_tasks.operations.launch.ready import Outcome


def note_states(
    engine: Engine,
    wanted: Wanted,
    verb: str,
    seen: Mapping[str, State],
    printed: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Leave these states beside the proxy's config. That they cannot be left is a warning: the containers are as they should be all the same."""
    if not any(container.name == PROXY for container in wanted.containers):
        return
    settings = session.settings()
    given = [value for variables in settings.env.values() for value in variables.values() if value]
    secrets = [*given, *settings.secrets.values()]
    files = state_files(wanted.containers, seen, printed, Seen(f"{PLAIN} {verb}", time.time()), secrets)
    try:
        engine.host.files.write_lines(PAGE_STATES, files)
    except Failure as failure:
        warn(f"warning: the proxy's pages do not show the new states: {failure.what}")


def seen_of(outcome: Outcome) -> tuple[dict[str, State], dict[str, str]]:
    """The states that waiting for containers ended with, and the last lines of those in trouble."""
    seen = {
        **dict.fromkeys(outcome.finished, State(FINISHED, "has finished")),
        **dict.fromkeys(outcome.ready, State(RUNNING, "is running")),
        **{trouble.name: trouble.state for trouble in outcome.troubles},
    }
    return seen, {trouble.name: trouble.last_lines for trouble in outcome.troubles}


def note_found(engine: Engine, verb: str, starting: Iterable[str] = ()) -> None:
    """The same for what is found now; `starting` are those that the verb started just before. Nothing before the first compile."""
    try:
        wanted = session.wanted()
        containers, records = reads.read_containers(engine), read_started(engine.host)
        # What is noted of one that did not answer stands until somebody sees it answer; it is not asked here.
        silent = {
            container.name: False
            for container in wanted.containers
            if (records.get(container.container_name) or {}).get("trouble")
        }
        found = Found(
            containers=containers, started=records, finished=read_finished(containers, records, engine), answers=silent
        )
        seen = states(wanted, found)
        printed = {
            name: reads.read_last_lines(engine, containers[name].id)
            for name, state in seen.items()
            if state.name == FAILED
        }
    except Failure:
        return
    note_states(engine, wanted, verb, {**seen, **_started(starting, containers)}, printed)


def _started(names: Iterable[str], containers: Mapping[str, FoundContainer]) -> dict[str, State]:
    return {
        name: State(STARTING, "was started just now")
        for name in names
        if name in containers and containers[name].is_running
    }
