"""`dusty stop`: stop containers, by name or all of Dusty's."""

from __future__ import annotations

import time

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.text.called import PLAIN
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.host import Unreachable
from dusty_tasks.effects.docker_host.vm import is_known_off
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.launch.stopping import stop_containers
from dusty_tasks.operations.names import compiled_names
from dusty_tasks.verbs.shared.running import pick, spec_name


def run(words: list[str], rm: bool = False, worlds: bool = False) -> int | None:
    """Names may be of specs that no longer exist. Raises Failure for an unknown name before anything is stopped."""
    engine = Engine(session.docker_host())
    try:
        chosen = chosen_containers(engine, words)
    except (EngineDown, Unreachable):
        if not is_known_off(engine.host) or rm:
            raise
        say(f"{engine.host.name} is off: nothing runs there")
        return 0
    check_containers_are_ours(engine.host, chosen)
    chosen = chosen if worlds else left_to_worlds(engine, chosen)
    began = time.time()
    with held("up", verb="stop", home=session.home()):
        stopped = stop_containers(engine, chosen, "stop", is_removal=rm)
        if session.world() and not words:
            _leave_the_base(engine)
    if not stopped:
        say("nothing to stop" if not rm else "nothing to remove")
        return 0
    from dusty_tasks.core.plan.change import REMOVE, STOP, Change
    from dusty_tasks.operations.history.noting import note_run

    kind, cause = (REMOVE, f"{PLAIN} stop --rm") if rm else (STOP, f"{PLAIN} stop")
    note_run(engine.host, "stop", began, [(Change(kind, container.name, cause), time.time()) for container in stopped])
    return 0


def left_to_worlds(engine: Engine, chosen: list[FoundContainer]) -> list[FoundContainer]:
    """Those that no world uses; each of the others is named, with the worlds."""
    from dusty_tasks.operations.worlds.sharing import worlds_using

    left = []
    for container in chosen:
        worlds = worlds_using(container, engine) if container.is_stoppable else []
        if worlds:
            say(f"{container.name} stays: {' and '.join(worlds)} use{'s' if len(worlds) == 1 else ''} it (--worlds)")
        else:
            left.append(container)
    return left


def _leave_the_base(engine: Engine) -> None:
    """A world that is stopped uses nothing of the base."""
    from dusty_tasks.operations.worlds.sharing import Shared

    Shared(session.base_home(), engine.host.namespace.world).leave()


def chosen_containers(engine: Engine, words: list[str]) -> list[FoundContainer]:
    """The containers of these names, each once, names of the stack without a container left out; all of Dusty's without a name."""
    found = reads.read_containers(engine)
    absent = {name for name in compiled_names() if name not in found}
    chosen = [pick(found, word) for word in words if spec_name(word) not in absent]
    return list({container.name: container for container in chosen}.values()) if words else list(found.values())
