"""Addresses and ports that two containers want: routes against routes, and published ports against routes.

Checked within each app, within the closure of each bundle, and within the active stack: specs that are never active
together may share an address (spec-language section 2).
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dusty_tasks.core.compose_values import Published
from dusty_tasks.core.problems import Place, Problem
from dusty_tasks.core.specs import Forwarding, KeyPath, Specs


class RouteClaim(NamedTuple):
    """One host_forwarding as it stands in a spec."""

    owner: str
    place: Place
    path: str
    forwarding: Forwarding


class PortClaim(NamedTuple):
    """One port that a spec publishes itself."""

    owner: str
    place: Place
    path: str
    published: Published


class Claims(NamedTuple):
    """What one container wants."""

    routes: tuple[RouteClaim, ...] = ()
    ports: tuple[PortClaim, ...] = ()


def check_addresses(claims: Mapping[str, Claims], groups: Iterable[frozenset[str]]) -> Iterator[Problem]:
    """Clashes among the containers of each group; `claims` is by container name, in the order of precedence."""
    contested = _contested(claims)
    if not contested:
        return
    said: set[Problem] = set()
    for group in groups:
        for port, (routes, ports) in contested.items():
            active = [claim for claim in routes if claim.owner in group]
            for problem in (*_route_problems(active), *_port_problems(port, active, ports, group)):
                if problem not in said:
                    said.add(problem)
                    yield problem


def _contested(claims: Mapping[str, Claims]) -> dict[int, tuple[list[RouteClaim], list[PortClaim]]]:
    """The ports over which there would be a clash if everything were active at once, with all who claim them."""
    routes: dict[int, list[RouteClaim]] = defaultdict(list)
    for claim in (claim for container in claims.values() for claim in container.routes):
        routes[claim.forwarding.host_port].append(claim)
    ports: dict[int, list[PortClaim]] = defaultdict(list)
    for port_claim in (claim for container in claims.values() for claim in container.ports):
        published = port_claim.published
        if published.protocol == "tcp":
            for port in routes.keys() & range(published.first, published.last + 1):
                ports[port].append(port_claim)
    return {port: (found, ports[port]) for port, found in sorted(routes.items())
            if ports[port] or any(True for _ in _route_problems(found))}


def _route_problems(claims: list[RouteClaim]) -> Iterator[Problem]:
    """Clashes among the routes on one host_port; each is said of the later one and names the first."""
    first_of_kind: dict[str, RouteClaim] = {}
    by_name: dict[str, RouteClaim] = {}
    for claim in claims:
        _, port, _, kind = claim.forwarding
        other_kind = "http" if kind == "stream" else "stream"
        same, other = first_of_kind.setdefault(kind, claim), first_of_kind.get(other_kind)
        twin = by_name.setdefault(claim.forwarding.host_name, claim)
        if other:
            what = f"is http at {other.place} and cannot be a stream" if kind == "stream" else \
                f"is a stream at {other.place} and cannot be http"
            yield Problem(claim.place, claim.path, f"host_port {port} {what}", "another host_port")
        elif kind == "stream" and same is not claim:
            yield Problem(claim.place, claim.path, f"host_port {port} is already used by another stream ({same.place})",
                          "another host_port: a stream has no host_name to tell them apart")
        elif twin is not claim:
            yield Problem(claim.place, claim.path, f"{claim.forwarding.host_name}:{port} is already forwarded at {twin.place}",
                          "another host_port or host_name")


def _port_problems(port: int, routes: list[RouteClaim], ports: list[PortClaim], group: frozenset[str]) -> Iterator[Problem]:
    for claim in ports if routes else ():
        if claim.owner in group:
            yield Problem(claim.place, claim.path, f"port {port} belongs to the proxy",
                          f"another port: {routes[0].place} forwards it")


def closure(specs: Specs, app_names: Iterable[str], service_names: Iterable[str] = ()) -> frozenset[str]:
    """The containers that these apps and services bring with them: apps over `depends.apps`, and their services."""
    services, apps, waiting = set(service_names), set[str](), list(app_names)
    while waiting:
        name = waiting.pop()
        if name not in apps and name in specs.apps:
            apps.add(name)
            services.update(specs.apps[name].services)
            waiting.extend(specs.apps[name].apps)
    return frozenset(apps | services)


def groups_of(specs: Specs) -> Iterator[frozenset[str]]:
    """What is active together for certain: each app alone, and the closure of each bundle."""
    for name in specs.apps:
        yield frozenset((name,))
    for bundle in specs.bundles.values():
        yield closure(specs, bundle.apps, bundle.services)


def ports_path(kind: str, index: int) -> KeyPath:
    """Where item `index` of a container's own ports stands in its spec."""
    return ("ports", index) if kind == "service" else ("compose", "ports", index)
