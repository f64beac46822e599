"""Ports of the bridge that the engine keeps though no container has them: after it was killed, its records or a forwarder may outlive a container.

Which port of the bridge a route has is Dusty's own choice, so another one does as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.ports_to_open import Address, is_in_the_way, refused_addresses
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.port_holders import read_holder

MAX_WAIT = 60.0
"""Seconds to wait for another compile's step to end."""


def refused_for_nobody(engine: Engine, failures: Mapping[str, Failure]) -> list[tuple[str, Address]]:
    """(container, address) where the engine refused to publish a route's own port, by container name, and nobody has it."""
    refused = [
        (name, address)
        for name, failure in failures.items()
        for address in sorted(refused_addresses(str(failure)) & _route_addresses())
    ]
    return [(name, address) for name, address in refused if _has_nobody(engine, address)] if refused else []


def _has_nobody(engine: Engine, address: Address) -> bool:
    holder = read_holder(engine, address)
    ours = [
        published
        for found in reads.read_containers(engine).values()
        for each in (found, *found.leftovers)
        for published in each.published
    ]
    return (holder is None or holder.is_engine) and not any(is_in_the_way(published, address) for published in ours)


def _route_addresses() -> set[Address]:
    """What this stack's routes have on the bridge."""
    settings = session.settings()
    return (
        {(settings.bridge_ip, route.port) for route in session.compiled_stack().routes}
        if settings.routing == "published"
        else set()
    )


def set_ports_aside(kept: Sequence[tuple[str, Address]]) -> bool:
    """Note that no route shall get these ports, and say it; the next compile gives out others.

    False, and nothing is noted, where there is nothing to set aside, or a port is one that a spec names.
    """
    if not kept or not {address for _, address in kept} <= _route_addresses():
        return False
    from dusty_tasks.core.stack.json_form import ports_to_json
    from dusty_tasks.core.stack.ports import set_aside
    from dusty_tasks.effects.doors.files import write_if_changed
    from dusty_tasks.effects.doors.lock import held

    with held("build", verb="up", home=session.home(), wait=MAX_WAIT):
        memory = set_aside(session.remembered_ports(), [port for _, (_, port) in kept])
        write_if_changed(session.paths().ports, json.dumps(ports_to_json(memory)).encode())
    for name, (_, port) in kept:
        say(f"port {port} is held by the engine though no container has it: {name} gets another")
    return True
