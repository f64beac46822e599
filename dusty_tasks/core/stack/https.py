"""Which names are answered over https, by which route, and which certificates that takes. Pure; core/https_keys are made by effects/home/certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from dusty_tasks.core.stack.model import Route
from dusty_tasks.core.text.namespace import STACK, Namespace

OFF, ON, ONLY = "off", "on", "only"
"""Values of the setting `https`."""
HTTPS_PORT = 443
KINDS = ("http", "grpc")
"""Of the routes that nginx answers TLS for."""
BYTES_OF_NAMES = 28_000
"""Of the names in one certificate, as they are written there. Java takes 32 KB (jdk.tls.maxHandshakeMessageSize), other clients more."""

RESERVED = ("test", "localhost", "local", "internal", "invalid", "example", "home.arpa")
"""Suffixes that no site of the internet can have (RFC 2606, 6761, 6762 and 8375; ICANN for `internal`)."""
ALWAYS = ("localhost", "test")
"""Suffixes that the authority may always sign for, so that most new names need no new one."""


class Certificate(NamedTuple):
    """A certificate that the proxy needs."""

    id: str
    """Of its files: a digest of its names."""
    names: tuple[str, ...]


def host_names(route: Route, hosts_mode: str, namespace: Namespace = STACK) -> tuple[str, ...]:
    """The names that a route answers to, last the one that is typed into a browser.

    Browsers resolve those below .localhost by themselves; inside a world the names of the specs lead to its own parts.
    """
    names: tuple[str, ...] = tuple(dict.fromkeys((route.host_name, namespace.host_name(route.host_name))))
    return (*names, f"{names[-1]}.localhost") if hosts_mode == "localhost" else names


def secured(routes: Iterable[Route], https: str) -> dict[str, Route]:
    """host_name -> the route that answers it on 443: of several that with host_port 443, then 80, else the first; {} for `off`."""
    if https == OFF:
        return {}
    ranked = sorted(
        routes, key=lambda route: (HTTPS_PORT, 80).index(route.host_port) if route.host_port in (HTTPS_PORT, 80) else 2
    )
    found: dict[str, Route] = {}
    for route in ranked:
        if route.kind in KINDS and route.https and "." in route.host_name:
            found.setdefault(route.host_name, route)
    return found


def certificates(
    routes: Iterable[Route], https: str, hosts_mode: str, namespace: Namespace = STACK
) -> list[Certificate]:
    """The certificates of the secured names, BYTES_OF_NAMES in each; the names of one route are in one.

    As few as possible: nginx takes 8 ms to load one for a server, and servers with that of the default server load none.
    """
    parts: list[list[str]] = [[]]
    size = 0
    for _, route in sorted(secured(routes, https).items()):
        names = host_names(route, hosts_mode, namespace)
        added = sum(len(name) + 2 for name in names)
        if size + added > BYTES_OF_NAMES:
            parts.append([])
            size = 0
        parts[-1] += names
        size += added
    return [Certificate(_id(names), tuple(names)) for names in parts if names]


def _id(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def reserved_suffix(name: str) -> str:
    """The suffix of RESERVED that `name` is below, or ''."""
    return next((suffix for suffix in RESERVED if name.endswith(f".{suffix}")), "")


def permitted(names: Iterable[str]) -> tuple[str, ...]:
    """What the authority may sign for, for these names: reserved suffixes as a whole, any other name by itself and what is below it."""
    return tuple(sorted({*ALWAYS, *(reserved_suffix(name) or name for name in names)}))


def covers(allowed: Iterable[str], name: str) -> bool:
    """True if an authority that may sign for `allowed` may sign for `name`."""
    return any(name == each or name.endswith(f".{each}") for each in allowed)
