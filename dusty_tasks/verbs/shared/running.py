"""What verbs on running containers share: finding one by its name. The labels are the judge, so broken specs are no obstacle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.names import compiled_names, not_in_the_stack

if TYPE_CHECKING:
    from dusty_tasks.core.plan.found import FoundContainer


def containers() -> dict[str, FoundContainer]:
    """Dusty's containers by name, running or not. Raises Failure if the engine does not answer."""
    from dusty_tasks.effects.engine.reads import list_containers

    return {container.name: container for container in list_containers(session.docker_host())}


def pick(found: dict[str, FoundContainer], name: str) -> FoundContainer:
    """The container of `name` (`web`, or `dusty_web_1`). Raises Failure: unknown, or without container."""
    by_container_name = {container.container_name: container for container in found.values()}
    container = found.get(name) or by_container_name.get(name)
    if container:
        return container
    raise not_in_the_stack(name, {*found, *compiled_names()})


def spec_name(word: str) -> str:
    """The name of an app or service, given as it is or as its container's."""
    return session.settings().namespace.part(word)


def running(name: str) -> FoundContainer:
    """The running container of `name`. Raises Failure if it is unknown, absent, or does not run: what is so, and what `up` does about it."""
    container = pick(containers(), name)
    if container.state != "running":
        from dusty_tasks.core.plan.container_state import advice
        from dusty_tasks.effects.engine.http import Engine
        from dusty_tasks.operations.state_now import read_state

        state = read_state(Engine(session.docker_host()), container)
        raise Failure(f"{name} is not running: its container {state.what}", advice(state, container.name))
    return container


def in_stack_order(found: dict[str, FoundContainer]) -> list[FoundContainer]:
    """The containers of the stack in its order; all that exist, by name, where nothing was compiled."""
    names: Iterable[str] = [name for name in compiled_names() if name in found] or sorted(found)
    return [found[name] for name in names]
