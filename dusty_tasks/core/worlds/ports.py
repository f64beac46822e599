"""The ports that services of a world publish themselves: those of their specs belong to the base, so each gets a free one, for good. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from dusty_tasks.core.specs.compose_values import published_ports
from dusty_tasks.core.specs.model import App, Service
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.stack.ports import PortMemory, RouteKey

FIRST, LAST = 21000, 29999
"""Below the ports that systems give to outgoing connections."""
EACH = (LAST - FIRST) // 254
"""Ports from the beginning of one world to that of the next."""
PUBLISHED = "ports"
"""Stands for the host_name in the key of such a port."""
Container = TypeVar("Container", App, Service)


def with_free_ports(
    stack: Stack, memory: PortMemory, is_free: Callable[[int], bool], address: str
) -> tuple[Stack, PortMemory]:
    """The stack with ports that nobody else has, and all ports to remember; `is_free` is asked only for a port that is new.

    The search begins where only a world of that `address` begins: the ports of others that are stopped look free.
    """
    remembered = dict(memory)
    begin = FIRST + (int(address.rpartition(".")[2]) - 1) * EACH
    used = {port for key, port in memory.items() if key[1] == PUBLISHED}

    def free_range(key: RouteKey, length: int) -> int:
        if key not in remembered:
            remembered[key] = next(_ranges(begin, length, used, is_free), begin)
        used.update(range(remembered[key], remembered[key] + length))
        return remembered[key]

    return (
        replace(
            stack,
            apps={name: _moved(app, free_range) for name, app in stack.apps.items()},
            services={name: _moved(service, free_range) for name, service in stack.services.items()},
        ),
        remembered,
    )


def _ranges(begin: int, length: int, used: set[int], is_free: Callable[[int], bool]) -> Iterator[int]:
    for first in (*range(begin, LAST + 2 - length), *range(FIRST, begin)):
        if all(port not in used and is_free(port) for port in range(first, first + length)):
            yield first


def _moved(spec: Container, free_range: Callable[[RouteKey, int], int]) -> Container:
    found = dict(published_ports(spec.compose))
    if not found:
        return spec
    ports = list(spec.compose["ports"])
    for index, published in found.items():
        length = 1 if published.is_choice else published.last - published.first + 1
        first = free_range((spec.name, PUBLISHED, published.first, index), length)
        ports[index] = _at(ports[index], f"{first}" if length == 1 else f"{first}-{first + length - 1}")
    return replace(spec, compose={**spec.compose, "ports": ports})


def _at(entry: Any, port: str) -> Any:
    """An item of `ports` with another port of the Docker host."""
    if isinstance(entry, dict):
        return {**entry, "published": port}
    rest, _, inside = str(entry).rpartition(":")
    address, colon, _ = rest.rpartition(":")
    return f"{address}{colon}{port}:{inside}"
