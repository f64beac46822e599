"""`dusty why`: what last happened to a container, and what it was caused by."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.container_state import UNKNOWN, State, state_of
from dusty_tasks.core.plan.started import WHY_KEYS, StartedRecord
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine, EngineDown
from dusty_tasks.operations.state_now import read_state
from dusty_tasks.verbs.shared.running import compiled_names, not_in_the_stack, spec_name
from dusty_tasks.verbs.shared.words import exactly, say_json


def run(words: list[str], json: bool = False) -> int | None:
    """One sentence, and what its container does now; 2 if that cannot be told. Raises Failure for a name nobody knows."""
    (name,) = exactly("why", "", words, "the name of an app or service")
    engine = Engine(session.docker_host())
    started = read_started(engine.host)
    records = {spec_name(container_name): record for container_name, record in started.items()}
    name = name if name in records else spec_name(name)
    if name not in records and name not in compiled_names():
        raise not_in_the_stack(name, {*records, *compiled_names()})
    state = state_now(engine, name, started)
    record = records.get(name)
    if json:
        say_json(
            {
                "name": name,
                "now": state.what,
                "condition": state.name,
                **({key: record.get(key, "") for key in WHY_KEYS} if record else {}),
            }
        )
    else:
        say(f"{sentence(name, record)}\n{name} {state.what}")
    return 2 if state.name == UNKNOWN else 0


def sentence(name: str, record: StartedRecord | None) -> str:
    """`recreated web at …: image busybox:1 -> busybox:2, apps/web.yml:3:8`."""
    if not record or not record.get("what"):
        return f"nothing is recorded of {name}: no up has started it"
    place = f", {record['place']}" if record.get("place") else ""
    stopped = f"; stopped by `{DUSTY} stop` since" if record.get("stopped") else ""
    return f"{record['what']} {name} at {record.get('time', '?')}: {record.get('cause', '?')}{place}{stopped}"


def state_now(engine: Engine, name: str, started: dict[str, StartedRecord]) -> State:
    """What its container does now."""
    try:
        container = reads.read_containers(engine).get(name)
        return read_state(engine, container, started) if container else state_of(None, None, {})
    except EngineDown:
        return State(UNKNOWN, "cannot be looked at: the Docker engine does not answer")
