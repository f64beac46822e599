"""Checks of the active stack: what depends on which bundles are active (docs/specs.md)."""

from __future__ import annotations

from collections.abc import Iterator

from dusty_tasks.core.artifacts.commands import asset_in_a_mount, visible_assets
from dusty_tasks.core.check.addresses import Claims, PortClaim, RouteClaim, check_addresses, ports_path
from dusty_tasks.core.specs.compose_values import published_ports, stored_paths
from dusty_tasks.core.specs.model import App, Origin, Service, Specs
from dusty_tasks.core.specs.sources import problem_at, source_place
from dusty_tasks.core.stack.bundle_env import env_clashes
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown

_HOW = {
    "links": "links to",
    "depends_on": "depends on",
    "volumes_from": "takes the volumes of",
    "network_mode": "shares the network of",
    "pid": "shares the processes of",
    "ipc": "shares the memory of",
}


def check_stack(specs: Specs, stack: Stack) -> list[Problem]:
    """Clashes of addresses and ports within the stack, and containers that it needs and lacks. `specs` are without error."""
    active = frozenset(stack.apps) | frozenset(stack.services)
    containers: list[App | Service] = [*stack.apps.values(), *stack.services.values()]
    claims = {spec.name: _claims(spec) for spec in containers}
    found = [*check_addresses(claims, [active], lambda file, path: source_place(Origin(file, path), specs.places))]
    found += env_clashes(specs, stack.bundles, active)
    for spec in containers:
        found += _missing(specs, spec, active)
    return sorted(found)


def check_bound_assets(specs: Specs, stack: Stack) -> list[Problem]:
    """With `sync.mode: bind`, the assets whose place is in a working tree: they are not put there."""
    found = {}
    for name, app in stack.apps.items():
        libs = [stack.libs[lib] for lib in stack.lib_order[name]]
        for asset in visible_assets(app, libs):
            if mount := asset_in_a_mount(asset.path, app, libs, stored_paths(app.compose)):
                path: KeyPath = ("assets", asset.position, "path")
                what = f"{asset.path} is in the working tree at {mount}, since sync.mode is bind: {asset.key} is not put there"
                hint = f"it is at /dusty_assets/{asset.key}: a link to that in the working tree will do; or a path outside of {mount}, or sync: {{mode: rsync}}"
                origin = Origin(asset.file, path)
                found[origin] = problem_at(origin, specs.places, Code.BOUND_ASSET, what, hint, is_warning=True)
    return list(found.values())


def _claims(spec: App | Service) -> Claims:
    """The addresses and ports that one container wants."""
    routes = tuple(
        RouteClaim(spec.name, spec.file, ("host_forwarding", index), forwarding)
        for index, forwarding in enumerate(spec.forwardings)
    )
    kind = "app" if isinstance(spec, App) else "service"
    ports = tuple(
        PortClaim(spec.name, spec.file, ports_path(kind, index), published)
        for index, published in published_ports(spec.compose)
    )
    return Claims(routes, ports)


def _missing(specs: Specs, spec: App | Service, active: frozenset[str]) -> Iterator[Problem]:
    for path, key, name in specs.references.get(spec.file, ()):
        if name not in active and path[0] != "test":
            yield problem_at(
                Origin(spec.file, path),
                specs.places,
                Code.NOT_IN_THE_STACK,
                f"{_HOW[key]} {shown(name)}, which nothing in this stack activates",
                "add it to depends.services of the app, or to the bundle",
            )
