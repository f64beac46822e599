"""What sharing may surprise with: values in the environment by which an own part reaches the base's copy of something, or a shared one calls back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.compose_values import pairs_of, published_ports
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.worlds.decision import Decision
from dusty_tasks.core.worlds.uses import mentions

_HERE = ("localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal")


def surprises(wanted: Wanted, stack: Stack, decision: Decision, base: Settings) -> Iterator[str]:
    """A sentence each. Values are not shown: they may be secrets."""
    if not decision.own:
        return
    host_names = {route.host_name: route.app_name for route in stack.routes}
    of_own = {name: owner for name, owner in host_names.items() if owner in decision.own}
    ports = {
        str(number): container.name
        for container in wanted.containers
        for _, port in published_ports(container.mapping)
        for number in range(port.first, port.last + 1)
    }
    for container in wanted.containers:
        for variable, value in _variables(container):
            if container.name in decision.own:
                yield from _addresses(container.name, variable, value, ports, base.bridge_ip)
                yield from _urls(container.name, variable, value, of_own)
            elif container.name in decision.shared and (called := _called_back(value, decision.own, host_names)):
                yield (
                    f"{container.name} is shared and names {called} in {variable}: what it calls is {called} of the base"
                )


def _addresses(name: str, variable: str, value: str, ports: dict[str, str], bridge: str) -> Iterator[str]:
    for address in (*_HERE, bridge):
        for port in re.findall(f"(?<![A-Za-z0-9.-]){re.escape(address)}:([0-9]+)", value):
            if port in ports:
                yield f"{name} names {address}:{port} in {variable}, which is {ports[port]} of the base: only names lead to parts of a world"


def _urls(name: str, variable: str, value: str, of_own: dict[str, str]) -> Iterator[str]:
    for host_name, owner in of_own.items():
        if re.search(f"https?://{re.escape(host_name)}(?![A-Za-z0-9.-])", value):
            yield (
                f"{name} has a URL of {host_name} in {variable}: containers of the world reach its own {owner} there, browsers that of the base"
            )


def _called_back(value: str, own: Iterable[str], host_names: dict[str, str]) -> str:
    """The own part that a value names, by its name or a host_name; ''."""
    by_name = next((name for name in sorted(own) if re.search(f"[/@]{re.escape(name)}[:/]", value)), "")
    return by_name or next((owner for host, owner in host_names.items() if owner in own and mentions(value, host)), "")


def _variables(container: WantedContainer) -> Iterator[tuple[str, str]]:
    if container.kind != "proxy":
        yield from pairs_of(container.mapping.get("environment"))
