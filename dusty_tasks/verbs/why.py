"""`dusty why`: what last happened to a container, and what it was caused by."""
from __future__ import annotations

from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.called import DUSTY
from dusty_tasks.core.records import WHY_KEYS
from dusty_tasks.effects import docker
from dusty_tasks.effects.docker import Engine, EngineDown
from dusty_tasks.effects.host_files import read_host_json
from dusty_tasks.effects.observe import STARTED
from dusty_tasks.verbs.running import compiled_names, not_in_the_stack, spec_name, state_text
from dusty_tasks.verbs.words import exactly, say_json


def run(words: list[str], json: bool = False) -> int | None:
    """One sentence, and what its container does now. Raises Failure for a name nobody knows."""
    (name,) = exactly("why", "", words, "the name of an app or service")
    engine = Engine(session.docker_host())
    records = {spec_name(container_name): record for container_name, record in read_host_json(engine.host, STARTED).items()}
    name = name if name in records else spec_name(name)
    if name not in records and name not in compiled_names():
        raise not_in_the_stack(name, {*records, *compiled_names()})
    now = state_now(engine, name)
    record = records.get(name)
    if json:
        say_json({"name": name, "now": now, **({key: record.get(key, "") for key in WHY_KEYS} if record else {})})
    else:
        say(f"{sentence(name, record)}\n{name} {now}")
    return 0


def sentence(name: str, record: dict[str, Any] | None) -> str:
    """`recreated web at …: image busybox:1 -> busybox:2, apps/web.yml:3:8`."""
    if not record or not record.get("what"):
        return f"nothing is recorded of {name}: no up has started it"
    place = f", {record['place']}" if record.get("place") else ""
    stopped = f"; stopped by `{DUSTY} stop` since" if record.get("stopped") else ""
    return f"{record['what']} {name} at {record.get('time', '?')}: {record.get('cause', '?')}{place}{stopped}"


def state_now(engine: Engine, name: str) -> str:
    """What its container does now, as a sentence's end."""
    try:
        container = docker.read_containers(engine).get(name)
    except EngineDown:
        return "cannot be looked at: the Docker engine does not answer"
    if container is None:
        return "has no container"
    return f"{'is running' if container.state == 'running' else state_text(container)}"
