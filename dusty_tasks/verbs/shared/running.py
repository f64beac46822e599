"""What verbs on running containers share: finding one by its name. The labels are the judge, so broken specs are no obstacle."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.words import unknown

if TYPE_CHECKING:
    from dusty_tasks.core.plan.found import FoundContainer


def containers() -> dict[str, FoundContainer]:
    """Dusty's containers by name, running or not. Raises Failure if the engine does not answer."""
    from dusty_tasks.effects.engine.reads import list_containers

    return {container.name: container for container in list_containers(session.docker_host())}


def compiled_names() -> list[str]:
    """The names of the stack's containers as last compiled, dependencies first; before that those of the specs, if they can be used."""
    try:
        return [container.name for container in session.wanted().containers]
    except Failure:
        pass
    try:
        stack = session.stack()
    except Failure:
        return []
    return sorted({*stack.apps, *stack.services})


def pick(found: dict[str, FoundContainer], name: str) -> FoundContainer:
    """The container of `name` (`web`, or `dusty_web_1`). Raises Failure: unknown, or without container."""
    by_container_name = {container.container_name: container for container in found.values()}
    container = found.get(name) or by_container_name.get(name)
    if container:
        return container
    raise not_in_the_stack(name, {*found, *compiled_names()})


def not_in_the_stack(name: str, known: Iterable[str]) -> Failure:
    """The failure for a name without a container: of one that is to have it, that is not active, else that nobody knows."""
    no_container = Failure(f"{name} has no container", f"{DUSTY} up creates it")
    if name in compiled_names():
        return no_container
    try:
        specs, stack = session.specs(), session.stack()
    except Failure:
        return unknown("app or service", name, known)
    if name in stack.apps or name in stack.services:
        return no_container
    if name not in specs.apps and name not in specs.services:
        return unknown("app or service", name, known)
    bundle_names = [bundle.name for bundle in specs.bundles.values() if name in (*bundle.apps, *bundle.services)]
    return Failure(
        f"{name} is not in the stack: no active bundle needs it",
        f"{DUSTY} bundles activate {shlex.quote(bundle_names[0])}" if bundle_names else "",
    )


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
