"""Who listens on a port of the Docker host, by name."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.plan.ports_to_open import Address, is_in_the_way
from dusty_tasks.core.text.namespace import PROJECT_LABEL
from dusty_tasks.effects.docker_host.port_owners import FORWARDER
from dusty_tasks.effects.engine.http import Engine


class Holder(NamedTuple):
    """Who listens on an address."""

    what: str
    """In words: a container that is not ours, or a process."""
    is_engine: bool = False
    """The engine's own forwarder, though no container publishes the address: it is being given back."""

    @property
    def way_out(self) -> str:
        """What to do about it, as a hint."""
        if self.is_engine:
            return "the engine is releasing it; if it stays held, restart the Docker engine"
        return "stop that program, or change host_port in the spec"

    def __str__(self) -> str:
        return f"{self.what}{', though no container publishes it' if self.is_engine else ''}"


def read_holder(engine: Engine, address: Address) -> Holder | None:
    """Who holds `address` on the Docker host; None if nobody does, or a container of ours, in whatever state."""
    for entry in engine.get("/containers/json"):
        if any(
            port.get("PublicPort")
            and port.get("Type") == "tcp"
            and is_in_the_way((port.get("IP", ""), port["PublicPort"]), address)
            for port in entry.get("Ports") or []
        ):
            is_ours = (entry.get("Labels") or {}).get(PROJECT_LABEL) == engine.host.namespace.project
            return None if is_ours else Holder(f"the container {(entry.get('Names') or ['/?'])[0].lstrip('/')}")
    process = engine.host.process_on(address)
    return Holder(process, FORWARDER in process) if process else None
