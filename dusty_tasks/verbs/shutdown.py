"""`dusty shutdown`: stop Dusty's containers, then the machine they run on, where it is a VM."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.host import Unreachable
from dusty_tasks.effects.docker_host.vm import is_known_off
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.launch.stopping import stop_containers
from dusty_tasks.operations.machine.docker_host import stop_machine


def run(words: list[str]) -> int | None:
    """A Docker host that is off already is said to be so; 2 where neither its containers nor the machine could be stopped."""
    from dusty_tasks.verbs.shared.words import exactly

    exactly("shutdown", "", words)
    engine = Engine(session.docker_host())
    is_away = False
    with held("up", verb="shutdown", home=session.home()):
        try:
            containers = list(reads.read_containers(engine).values())
            check_containers_are_ours(engine.host, containers)
            if not stop_containers(engine, containers, "shutdown", is_removal=False):
                say("no container of Dusty's is running")
        except (EngineDown, Unreachable) as away:
            is_away = not is_known_off(engine.host)
            if is_away:
                say(away.what)
        is_stopped = stop_machine(engine.host)
    return 2 if is_away and not is_stopped else 0
