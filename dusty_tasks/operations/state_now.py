"""The state of one container, for verbs that ask for it alone; core/plan/container_state is the judge, as for `up`, `plan` and `status`."""

from __future__ import annotations

from collections.abc import Mapping

from dusty_tasks import session
from dusty_tasks.core.plan.container_state import State, state_of
from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.observe.docker_host import read_finished
from dusty_tasks.operations.look import read_answers, read_looping


def read_state(engine: Engine, container: FoundContainer, started: Mapping[str, StartedRecord] | None = None) -> State:
    """What `container` does. `started` is what is recorded on the Docker host, if it is known already. Raises Failure."""
    name, records = container.name, read_started(engine.host) if started is None else dict(started)
    wanted = wanted_container(name)
    found = Found(containers={name: container}, started=records)
    answers = read_answers(engine, [wanted], found, session.settings()) if wanted else {}
    return state_of(
        wanted,
        container,
        records.get(container.container_name) or {},
        is_finished=name in read_finished(found.containers, records, engine),
        answers=answers.get(name),
        is_looping=bool(wanted and read_looping(engine, [wanted], found)),
    )


def wanted_container(name: str) -> WantedContainer | None:
    """The container of this name in what was compiled last; None if it is not there, or nothing is compiled."""
    try:
        return next((container for container in session.wanted().containers if container.name == name), None)
    except Failure:
        return None
