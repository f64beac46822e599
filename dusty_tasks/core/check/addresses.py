"""Addresses and ports that two containers want: routes against routes, and published ports against routes.

Checked within each app, within the closure of each bundle, and within the active stack: specs that are never active
together may share an address (docs/specs.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from dusty_tasks.core.specs.compose_values import Published
from dusty_tasks.core.specs.model import Forwarding, Specs
from dusty_tasks.core.stack.assemble import activated
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath, path_text
from dusty_tasks.core.text.problems import Place, Problem

PlaceOf = Callable[[str, KeyPath], Place]
"""File and key path -> place."""


class RouteClaim(NamedTuple):
    """One host_forwarding as it stands in a spec."""

    owner: str
    file: str
    path: KeyPath
    forwarding: Forwarding


class PortClaim(NamedTuple):
    """One port that a spec publishes itself."""

    owner: str
    file: str
    path: KeyPath
    published: Published


class Claims(NamedTuple):
    """What one container wants."""

    routes: tuple[RouteClaim, ...] = ()
    ports: tuple[PortClaim, ...] = ()


def check_addresses(
    claims: Mapping[str, Claims], groups: Iterable[frozenset[str]], place: PlaceOf
) -> Iterator[Problem]:
    """Clashes among the containers of each group; `claims` is by container name, in the order of precedence."""
    clashes = _Clashes(place)
    contested, twice = clashes.contested(claims), _published_twice(claims)
    if not contested and not twice:
        return
    said: set[Problem] = set()
    for group in groups:
        for first, claim in twice:
            if {first.owner, claim.owner} <= group and (problem := clashes.of_published(first, claim)) not in said:
                said.add(problem)
                yield problem
        for port, (routes, ports) in contested.items():
            active_routes = [claim for claim in routes if claim.owner in group]
            active_ports = [claim for claim in ports if claim.owner in group]
            for problem in (*clashes.of_routes(active_routes), *clashes.of_ports(port, active_routes, active_ports)):
                if problem not in said:
                    said.add(problem)
                    yield problem


def _published_twice(claims: Mapping[str, Claims]) -> list[tuple[PortClaim, PortClaim]]:
    """Each pair of claims that cannot both be published, the one that comes first in front."""
    ordered = [claim for container in claims.values() for claim in container.ports]
    by_port: dict[int, list[int]] = defaultdict(list)
    pairs: dict[tuple[int, int], None] = {}
    for index, claim in enumerate(ordered):
        for port in range(claim.published.first, claim.published.last + 1):
            for other in by_port[port]:
                if ordered[other].published.meets(claim.published):
                    pairs.setdefault((other, index))
            by_port[port].append(index)
    return [(ordered[first], ordered[second]) for first, second in pairs]


class _Clashes:
    """The problems of claims that are active together; places are looked up for what is said alone."""

    def __init__(self, place: PlaceOf) -> None:
        self._place = place

    def contested(self, claims: Mapping[str, Claims]) -> dict[int, tuple[list[RouteClaim], list[PortClaim]]]:
        """The ports that would be clashed over if everything were active at once, with all who claim them."""
        routes: dict[int, list[RouteClaim]] = defaultdict(list)
        for claim in (claim for container in claims.values() for claim in container.routes):
            routes[claim.forwarding.host_port].append(claim)
        ports: dict[int, list[PortClaim]] = defaultdict(list)
        for port_claim in (claim for container in claims.values() for claim in container.ports):
            published = port_claim.published
            if published.protocol == "tcp":
                for port in routes.keys() & range(published.first, published.last + 1):
                    ports[port].append(port_claim)
        return {
            port: (found, ports[port])
            for port, found in sorted(routes.items())
            if ports[port] or any(True for _ in self.of_routes(found))
        }

    def of_routes(self, claims: list[RouteClaim]) -> Iterator[Problem]:
        """Clashes among the routes on one host_port; each is said of the later one and names the first."""
        first_by_kind: dict[str, RouteClaim] = {}
        first_by_name: dict[str, RouteClaim] = {}
        for claim in claims:
            host_name, port, _, kind, *_ = claim.forwarding
            first = first_by_kind.setdefault(kind, claim)
            twin = first_by_name.setdefault(host_name, claim)
            other = next((known for one, known in first_by_kind.items() if one != kind), None)
            if other:
                is_what = f"host_port {port} is {_spoken(other.forwarding.kind)} at {self._at(other)}"
                yield self._problem(
                    claim,
                    Code.ADDRESS_TAKEN,
                    f"{is_what} and cannot be {_spoken(kind)}",
                    "another host_port",
                )
            elif kind == "stream" and first is not claim:
                yield self._problem(
                    claim,
                    Code.ADDRESS_TAKEN,
                    f"host_port {port} is already used by another stream ({self._at(first)})",
                    "another host_port: a stream has no host_name to tell them apart",
                )
            elif twin is not claim:
                yield self._problem(
                    claim,
                    Code.ADDRESS_TAKEN,
                    f"{host_name}:{port} is already forwarded at {self._at(twin)}",
                    "another host_port or host_name",
                )

    def of_ports(self, port: int, routes: list[RouteClaim], ports: list[PortClaim]) -> Iterator[Problem]:
        """Ports that a spec publishes itself although a route has them."""
        for claim in ports if routes else ():
            yield self._problem(
                claim,
                Code.PORT_OF_PROXY,
                f"port {port} belongs to the proxy",
                f"another port: {self._at(routes[0])} forwards it",
            )

    def of_published(self, first: PortClaim, claim: PortClaim) -> Problem:
        """Two containers, or one twice, that publish one port of the Docker host."""
        port = max(first.published.first, claim.published.first)
        what = f"port {port} is already published by {first.owner} ({self._at(first)})"
        hint = f"another port on the left, or leave it out: containers reach {claim.owner} by its name"
        return self._problem(claim, Code.PORT_TWICE, what, hint)

    def _problem(self, claim: RouteClaim | PortClaim, code: Code, what: str, hint: str) -> Problem:
        return Problem(self._at(claim), path_text(claim.path), code, what, hint)

    def _at(self, claim: RouteClaim | PortClaim) -> Place:
        return self._place(claim.file, claim.path)


def _spoken(kind: str) -> str:
    return "a stream" if kind == "stream" else kind


def groups_of(specs: Specs) -> Iterator[frozenset[str]]:
    """What is active together for certain: the closure of each bundle, and each app that is in none."""
    alone = set(specs.apps)
    for bundle in specs.bundles.values():
        active = activated(specs, bundle)
        alone -= active
        yield frozenset(active)
    for name in sorted(alone):
        yield frozenset((name,))


def ports_path(kind: str, index: int) -> KeyPath:
    """Where item `index` of a container's own ports stands in its spec."""
    return ("ports", index) if kind == "service" else ("compose", "ports", index)
