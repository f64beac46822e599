"""Which addresses a plan will listen on, so that whoever holds one already can be named before anything is changed; and where none can be opened on the bridge."""

from __future__ import annotations

import re
from typing import Any

from dusty_tasks.core.plan.change import CREATE, RECREATE, START, Plan
from dusty_tasks.core.plan.found import Found
from dusty_tasks.core.plan.wanted import Wanted

ANY = ("", "0.0.0.0", "::")
Address = tuple[str, int]
REFUSALS = ("port is already allocated", "address already in use")
"""What the engine says of an address that it cannot publish: of its own records, and of the kernel's."""


def addresses_to_open(plan: Plan, wanted: Wanted, found: Found) -> list[tuple[str, Address]]:
    """(container, (address, port)) for each TCP port that the plan's containers will publish and none of ours does now."""
    names = plan.names(CREATE, RECREATE, START)
    ours = {address for container in found.containers.values() for address in container.published}
    return [
        (container.name, address)
        for container in wanted.containers
        if container.name in names
        for address in published_addresses(container.mapping)
        if not _is_covered(address, ours)
    ]


def published_addresses(mapping: dict[str, Any]) -> list[Address]:
    """The fixed TCP ports that a Compose mapping publishes; ranges and ports chosen by the engine are left out."""
    found = []
    for entry in mapping.get("ports") or []:
        address = _of_mapping(entry) if isinstance(entry, dict) else _of_text(str(entry))
        if address:
            found.append(address)
    return found


def refused_addresses(printed: str) -> set[Address]:
    """The IPv4 addresses in what the engine printed when it could not publish a port; none in what it says of anything else."""
    return {
        (address, int(port))
        for line in printed.splitlines()
        if any(words in line for words in REFUSALS)
        for address, port in re.findall(r"\b(\d+\.\d+\.\d+\.\d+):(\d{1,5})\b", line)
    }


def is_in_the_way(listening: Address, wanted: Address) -> bool:
    """True if a listener at `listening` keeps another from `wanted`."""
    return listening[1] == wanted[1] and (listening[0] in ANY or wanted[0] in ANY or listening[0] == wanted[0])


def _is_covered(address: Address, ours: set[Address]) -> bool:
    return any(port == address[1] and (held == address[0] or held in ANY) for held, port in ours)


def _of_mapping(entry: dict[str, Any]) -> Address | None:
    published = str(entry.get("published") or "")
    if entry.get("protocol", "tcp") != "tcp" or not published.isdigit():
        return None
    return str(entry.get("host_ip") or ""), int(published)


def _of_text(entry: str) -> Address | None:
    """`[address:]published:target[/protocol]`"""
    ports, _, protocol = entry.partition("/")
    address, _, published = ports.rpartition(":")[0].rpartition(":")
    if protocol not in ("", "tcp") or not published.isdigit():
        return None
    return address.strip("[]"), int(published)


def hidden_bridge(info: dict[str, Any], is_macos: bool) -> str:
    """Why this machine cannot bind the engine's bridge address, in words; '' where it can."""
    if "rootless" in " ".join(map(str, info.get("SecurityOptions") or [])):
        return "the engine runs rootless"
    if "Docker Desktop" in str(info.get("OperatingSystem")):
        return "the engine is Docker Desktop's"
    return "the engine runs in a VM of this machine" if is_macos else ""
