"""What must hold before `up` changes anything: nobody else owns what is there, the bridge is the one compiled for, ports are free."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Collection, Iterable

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.backup import unfinished_restore
from dusty_tasks.core.plan.change import CREATE, RECREATE
from dusty_tasks.core.plan.found import Found, FoundContainer, Owner, foreign_owner
from dusty_tasks.core.plan.ports_to_open import Address, addresses_to_open
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import COMPOSE_FILE
from dusty_tasks.effects.docker_host.files import read_host_json, write_host_json
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.port_holders import Holder, read_holder
from dusty_tasks.effects.machine.resolving import NO_IPV6, has_ipv6_loopback
from dusty_tasks.effects.observe.docker_host import OWNER
from dusty_tasks.operations.look import View

GIVEN_BACK = 10.0
"""Seconds that the engine may take to give back the port of a container that ended."""


class PortsKept(Failure):
    """The engine alone holds ports that are to be opened, for no container, and has not given them back in time."""

    def __init__(self, what: str, hint: str, addresses: list[tuple[str, Address]]) -> None:
        super().__init__(what, hint)
        self.addresses = addresses
        """(container, address) for each."""


def check_before_changes(engine: Engine, view: View, *, adopt: bool) -> None:
    """Raise Failure for the first that does not hold."""
    if not adopt:
        check_owner(view)
        check_names(engine, view)
    check_bridge(engine, view)
    check_ports(engine, view)


def refuse_unfinished_restore(names: Collection[str]) -> None:
    """Raise Failure where a restore of persist/ was interrupted: containers would start on data that is half old, half new."""
    what, hint = unfinished_restore(names)
    if what:
        raise Failure(what, hint)


def own_owner() -> Owner:
    """Us."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "nobody"
    return Owner(user, session.home(), socket.gethostname())


def check_owner(view: View) -> None:
    """Another owner's containers and data are neither removed nor reused."""
    _refuse_foreign(view.found)


def _refuse_foreign(found: Found) -> None:
    other = foreign_owner(found, own_owner(), session.paths().artifact(COMPOSE_FILE))
    if other:
        raise Failure(
            f"the containers or the data on {session.docker_host().name} belong to {other}",
            f"{DUSTY} up --adopt takes them over; or run up there, or choose another Docker host",
        )


def check_data_is_ours(host: DockerHost) -> None:
    """The same for a verb that only writes below persist/."""
    _refuse_foreign(Found(owner=read_host_json(host, OWNER) or None))


def check_containers_are_ours(host: DockerHost, containers: Iterable[FoundContainer]) -> None:
    """The same for a verb that stops or removes containers."""
    found = Found(
        containers={container.name: container for container in containers}, owner=read_host_json(host, OWNER) or None
    )
    if found.containers:
        _refuse_foreign(found)


def check_names(engine: Engine, view: View) -> None:
    """The names of containers that are to be made must be free, or held by a container of ours."""
    strangers = _strangers(engine, view)
    if strangers:
        raise Failure(
            "\n".join(
                f"the name {name} is held by a container that is not Dusty's ({id[:12]})"
                for name, id in strangers.items()
            ),
            f"docker rename it, or {DUSTY} up --adopt removes it",
        )


def remove_strangers(engine: Engine, view: View) -> None:
    """With --adopt: take away what holds the names of containers that are to be made."""
    for name, container_id in _strangers(engine, view).items():
        acts.run_remove(engine, container_id, keep_volumes=True)
        say(f"removed the container that held the name {name}")


def _strangers(engine: Engine, view: View) -> dict[str, str]:
    """Container name -> id of those that are not of the project and hold a name that the plan needs."""
    making = view.plan.names(CREATE, RECREATE)
    names = {container.container_name for container in view.wanted.containers if container.name in making}
    if not names - {container.container_name for container in view.found.containers.values()}:
        return {}
    return {name: container_id for name, container_id in reads.read_strangers(engine).items() if name in names}


def record_owner(host: DockerHost, view: View) -> None:
    """From the first change on, they are ours."""
    if view.found.owner != own_owner()._asdict():
        write_host_json(host, OWNER, own_owner()._asdict())


def check_bridge(engine: Engine, view: View) -> None:
    """The proxy reaches apps over the engine's bridge address, which the compiled files name."""
    settings = session.settings()
    made = view.plan.names(CREATE, RECREATE)
    published = [
        container
        for container in view.wanted.containers
        if container.name in made
        and any(str(port).startswith(f"{settings.bridge_ip}:") for port in container.mapping.get("ports") or [])
    ]
    if settings.routing != "published" or not published:
        return
    found = reads.read_bridge_address(engine)
    if found and found != settings.bridge_ip:
        raise Failure(
            f"the engine's bridge address is {found}, and bridge_ip is {settings.bridge_ip}",
            f"{DUSTY} config set bridge_ip {found}, then {DUSTY} up",
        )
    if not found:
        raise Failure(
            "the engine has no default bridge network, so no port can be published on it",
            f"{DUSTY} config set routing network, then {DUSTY} up",
        )


def check_ports(engine: Engine, view: View) -> None:
    """Ports that are to be opened must be free; who holds one is named. What the engine is giving back is waited for.

    Raises PortsKept if it never does, and Failure if anybody else holds one, or this machine lacks the address.
    """
    addresses = addresses_to_open(view.plan, view.wanted, view.found)
    if any(address == "::1" for _, (address, _port) in addresses) and not has_ipv6_loopback():
        raise Failure(
            f"{NO_IPV6}, and the proxy is to listen there", f"{DUSTY} config set hosts.ipv6 false, then {DUSTY} up"
        )
    end = time.monotonic() + GIVEN_BACK
    while taken := [(name, address, holder) for name, address in addresses if (holder := read_holder(engine, address))]:
        if not all(holder.is_engine for *_, holder in taken) or time.monotonic() > end:
            raise _taken_ports(taken)
        time.sleep(0.2)


def _taken_ports(taken: list[tuple[str, Address, Holder]]) -> Failure:
    lines = [
        f"port {address[1]}{f' of {address[0]}' if address[0] else ''} ({name}) is held by {holder}"
        for name, address, holder in taken
    ]
    strangers = [holder for *_, holder in taken if not holder.is_engine]
    what, hint = "\n".join(lines), (strangers or [taken[0][2]])[0].way_out
    return Failure(what, hint) if strangers else PortsKept(what, hint, [(name, address) for name, address, _ in taken])
