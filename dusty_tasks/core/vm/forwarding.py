"""Which ports of this machine lead into the VM, what of that is missing or too much, and which of them this account may not open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from dusty_tasks.core.plan.wanted import WantedContainer

HERE, ANYWHERE = "127.0.0.1", "0.0.0.0"
_LINE = re.compile(r"\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s", re.MULTILINE)
_SHORT = re.compile(
    r"(?:(?P<address>\d+(?:\.\d+){3}|\[[0-9a-fA-F:]*\]):)?(?P<first>\d+)(?:-(?P<last>\d+))?:\d+(?:-\d+)?(?:/(?P<protocol>tcp|udp))?"
)
MOST_PORTS = 200
"""Of one range; each is a socket of qemu."""


class Forward(NamedTuple):
    """One port of this machine that leads into the VM."""

    protocol: str
    address: str
    port: int
    inside: int


def wanted_forwards(
    containers: Iterable[WantedContainer], bridge: str, *, is_open: bool = False
) -> tuple[Forward, ...]:
    """What the containers publish in the VM, except on its own bridge and loopback: there only its own programs reach it.

    `is_open` lets other machines in, too. Ports that the engine chooses are left out: nobody knows them beforehand.
    """
    found: set[Forward] = set()
    for container in containers:
        for entry in container.mapping.get("ports") or []:
            found.update(_forwards(entry, bridge, ANYWHERE if is_open else HERE))
    return tuple(sorted(found))


def _forwards(entry: object, bridge: str, outside: str) -> Iterable[Forward]:
    if isinstance(entry, dict):
        published, protocol = str(entry.get("published") or ""), str(entry.get("protocol") or "tcp")
        address = str(entry.get("host_ip") or "")
        entry = f"{f'{address}:' if address else ''}{published}:0/{protocol}"
    match = _SHORT.fullmatch(str(entry))
    if not match or match["address"] in (bridge, HERE, "[::1]"):
        return
    first = int(match["first"])
    for port in range(first, min(int(match["last"] or first), first + MOST_PORTS - 1) + 1):
        yield Forward(match["protocol"] or "tcp", outside, port, port)


def found_forwards(printed: str) -> tuple[Forward, ...]:
    """The forwardings in what the monitor's `info usernet` prints."""
    return tuple(
        sorted(
            Forward(protocol.lower(), ANYWHERE if address == "*" else address, int(port), int(inside))
            for protocol, address, port, _guest, inside in _LINE.findall(printed)
        )
    )


class ForwardPlan(NamedTuple):
    """What has to be said to the monitor, removals first: an address may change its target."""

    remove: tuple[Forward, ...]
    add: tuple[Forward, ...]


def plan_forwards(wanted: Collection[Forward], found: Collection[Forward], kept: Collection[Forward]) -> ForwardPlan:
    """`kept` is never removed: the way of ssh."""
    return ForwardPlan(tuple(sorted(set(found) - set(wanted) - set(kept))), tuple(sorted(set(wanted) - set(found))))


def forward_text(forward: Forward) -> str:
    """As `hostfwd` takes it."""
    return f"{forward.protocol}:{forward.address}:{forward.port}-:{forward.inside}"


def add_command(netdev: str, forward: Forward) -> str:
    """The monitor's command that opens it; it answers nothing if it did."""
    return f"hostfwd_add {netdev} {forward_text(forward)}"


def remove_command(netdev: str, forward: Forward) -> str:
    return f"hostfwd_remove {netdev} {forward.protocol}:{forward.address}:{forward.port}"


def is_removed(answer: str) -> bool:
    """What `hostfwd_remove` answers, in both cases with a sentence."""
    return " removed" in answer


def closed_ports(forwards: Iterable[Forward], first_open: int, *, may_open_all: bool) -> tuple[int, ...]:
    """The ports that only root may open: those below `first_open` (net.ipv4.ip_unprivileged_port_start)."""
    return () if may_open_all else tuple(sorted({each.port for each in forwards if each.port < first_open}))


def closed_ports_text(ports: Collection[int]) -> tuple[str, str]:
    """What is the matter with closed ports, and the two ways out."""
    named = ", ".join(map(str, ports))
    is_one = len(ports) == 1
    return (
        f"the VM cannot be reached at port{'' if is_one else 's'} {named}: only root may open ports below 1024 on this machine",
        f"`sudo sysctl net.ipv4.ip_unprivileged_port_start={min(ports)}` opens {'it' if is_one else 'them'} to every account until the "
        "next boot; or give the routes a host_port from 1024 up",
    )
