"""Which port of the bridge each route gets: positional on a fresh state, then remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dusty_tasks.core.specs.compose_values import published_ports
from dusty_tasks.core.stack.model import Route, Stack, containers_of

FIRST_PORT, LAST_PORT = 65000, 65535
LIMIT = LAST_PORT - FIRST_PORT + 1

RouteKey = tuple[str, str, int, int]
"""(app, host_name, host_port, container_port): what keeps its port for good."""
PortMemory = dict[RouteKey, int]
_NO_APP = ""
"""In the key of a port that was set aside: no app has this name."""


class TooManyRoutes(ValueError):
    """More routes than ports: a sentence with both numbers."""


def key_of(route: Route) -> RouteKey:
    """What identifies a route for the port memory."""
    return route.app_name, route.host_name, route.host_port, route.container_port


def assign_ports(stack: Stack, memory: Mapping[RouteKey, int]) -> tuple[tuple[Route, ...], PortMemory]:
    """The stack's routes with their ports, and all ports to remember from now on.

    A known route keeps its port, a new one takes the lowest free. What specs publish themselves and what the proxy
    listens on is never given out. Raises TooManyRoutes.
    """
    taken = {route.host_port for route in stack.routes}
    for spec in containers_of(stack):
        taken.update(*(range(published.first, published.last + 1) for _, published in published_ports(spec.compose)))
    kept = _without_doubles(
        stack.routes,
        {key: port for key, port in memory.items() if FIRST_PORT <= port <= LAST_PORT and port not in taken},
    )
    ports = _given_out(stack.routes, kept, taken)
    active = {key_of(route) for route in stack.routes}
    if ports is None:
        # The last port is reached: routes outside of the stack lose theirs.
        kept = {key: port for key, port in kept.items() if key in active or key[0] == _NO_APP}
        ports = _given_out(stack.routes, kept, taken)
    if ports is None:
        # A port that was set aside may be free again by now.
        ports = _given_out(stack.routes, {key: port for key, port in kept.items() if key in active}, taken)
    if ports is None:
        free = LIMIT - len(taken & set(range(FIRST_PORT, LAST_PORT + 1)))
        raise TooManyRoutes(
            f"{len(stack.routes)} host_forwardings are active, and there are {free} ports from "
            f"{FIRST_PORT} to {LAST_PORT} for them"
        )
    return tuple(route._replace(port=ports[key_of(route)]) for route in stack.routes), ports


def set_aside(memory: Mapping[RouteKey, int], ports: Iterable[int]) -> PortMemory:
    """A memory in which these ports belong to no route: assign_ports gives them out again only when no other is free."""
    aside = {(_NO_APP, "", 0, port): port for port in ports}
    return {**{key: port for key, port in memory.items() if port not in aside.values()}, **aside}


def _without_doubles(routes: Iterable[Route], kept: PortMemory) -> PortMemory:
    """A damaged or merged memory may name a port twice: the route of the stack keeps it, else the first by name."""
    active = {key_of(route) for route in routes}
    by_port: dict[int, RouteKey] = {}
    for key in sorted(kept, key=lambda key: (key not in active, key)):
        by_port.setdefault(kept[key], key)
    return {key: port for port, key in by_port.items()}


def _given_out(routes: Iterable[Route], ports: PortMemory, taken: set[int]) -> PortMemory | None:
    """`ports` with one for every route; None if they run out."""
    ports = dict(ports)
    used = taken | set(ports.values())
    free = (port for port in range(FIRST_PORT, LAST_PORT + 1) if port not in used)
    for route in routes:
        if key_of(route) not in ports:
            port = next(free, None)
            if port is None:
                return None
            ports[key_of(route)] = port
    return ports
