"""What listens in a container, from the kernel's tables, and what that says about a route that is not answered."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dusty_tasks.core.plan.ports_to_open import Address

LISTEN = "0A"
RESOLVER = "127.0.0.11"
"""The engine's own name server, which listens in every container of a network that a person made."""


class Listener(NamedTuple):
    """A TCP socket that takes connections."""

    address: Address
    inode: str


def listeners_of(table: str) -> Iterator[Listener]:
    """Those of the text of /proc/net/tcp, /proc/net/tcp6 or both; lines that are none are passed over."""
    for line in table.splitlines():
        columns = line.split()
        if len(columns) > 9 and columns[3] == LISTEN:
            yield Listener(address_of(columns[1]), columns[9])


def address_of(text: str) -> Address:
    """`0100007F:0050` -> ("127.0.0.1", 80), in the byte order of the kernel's words."""
    number, _, port = text.partition(":")
    words = [bytes.fromhex(number[i : i + 8])[::-1] for i in range(0, len(number), 8)]
    found = ipaddress.ip_address(b"".join(words))
    return str(getattr(found, "ipv4_mapped", None) or found), int(port, 16)


def listening_trouble(ports: Sequence[int], listening: Iterable[Address]) -> str:
    """Why routes to `ports` of a container cannot be answered, by what listens in it; '' if all of them are listened on.

    `nothing listens on 8002; the container listens on 9999`.
    """
    addresses = [address for address in listening if address[0] != RESOLVER]
    open_ports = {port for address, port in addresses if not _is_loopback(address)}
    hidden = {port: address for address, port in addresses if _is_loopback(address) and port not in open_ports}
    missing = [port for port in ports if port not in open_ports]
    if not missing:
        return ""
    nowhere = [port for port in missing if port not in hidden]
    sentences = [
        f"{port} is bound to {hidden[port]} only, which only the container itself can reach: let it listen on 0.0.0.0"
        for port in missing
        if port in hidden
    ]
    if nowhere:
        sentences.append(f"nothing listens on {_listed(nowhere)}")
        others = [
            *sorted(open_ports - set(ports)),
            *(f"{port} (at {address} alone)" for port, address in sorted(hidden.items()) if port not in missing),
        ]
        if others:
            sentences.append(f"the container listens on {_listed(others)}")
        elif not addresses:
            sentences.append("the container listens on no port")
    return "; ".join(sentences)


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _listed(ports: Sequence[object]) -> str:
    shown = [str(port) for port in ports[:6]]
    more = [f"{len(ports) - 6} more"] if len(ports) > 6 else []
    *firsts, last = [*shown, *more]
    return f"{', '.join(firsts)} and {last}" if firsts else last
