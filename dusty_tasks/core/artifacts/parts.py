"""What each container of the stack is made from: all that its entry in the Compose file may look at, and nothing else.

An entry is rendered again only when these change, so whatever it needs of the stack has to be among them.
"""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.plan.container_state import has_healthcheck
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.model import App, Lib, Service
from dusty_tasks.core.specs.secret_values import templates_in
from dusty_tasks.core.stack.builds import shared_builds
from dusty_tasks.core.stack.https import ON, secured
from dusty_tasks.core.stack.model import Route, Stack, containers_of, file_of, routes_by_app
from dusty_tasks.core.text.namespace import PROXY


def _bundle_files(spec: App | Service) -> list[str]:
    """The bundles that have variables for a container."""
    return list(dict.fromkeys(file for _, file in spec.bundle_env.values()))


class AppParts(NamedTuple):
    app: App
    libs: tuple[Lib, ...]
    """In lib order."""
    needs: tuple[str, ...]
    """The containers that it depends on: its links (3.5), then what its own Compose keys need."""
    healthy: tuple[str, ...]
    """Those of `needs` that have a healthcheck."""
    guests: tuple[str, ...]
    """The containers that join its network."""
    routes: tuple[Route, ...]
    repo_ids: tuple[str, ...]
    """Repos in the same container."""
    shares_image_of: str = ""
    """The container that is built from the same, and whose image it runs; '' for none."""
    jobs: tuple[str, ...] = ()
    """Those of `needs` that run to their end."""
    secured: tuple[int, ...] = ()
    """The positions of the routes that are answered on 443, too, unless the setting `https` is off."""

    @property
    def files(self) -> list[str]:
        """The spec files that its lines may come from."""
        return [self.app.file, *(lib.file for lib in self.libs), *_bundle_files(self.app)]


class ServiceParts(NamedTuple):
    service: Service
    needs: tuple[str, ...]
    """The containers that it depends on."""
    healthy: tuple[str, ...]
    guests: tuple[str, ...]
    routes: tuple[Route, ...] = ()
    shares_image_of: str = ""
    jobs: tuple[str, ...] = ()
    secured: tuple[int, ...] = ()

    @property
    def files(self) -> list[str]:
        """The spec files that its lines may come from."""
        return [self.service.file, *_bundle_files(self.service)]


class ProxyParts(NamedTuple):
    routes: tuple[Route, ...]
    file_of: dict[str, str]
    """App or service -> its spec file."""
    aliases: dict[str, Route]
    """Each host_name by which containers find the proxy, with its first route. A container's own name stays its own."""

    @property
    def files(self) -> list[str]:
        """The spec files that its lines may come from."""
        return list(self.file_of.values())


Parts = AppParts | ServiceParts | ProxyParts


class ContainerSlice(NamedTuple):
    """All that a container's entry, its rows in origins.json and its part of wanted.json are made of."""

    name: str
    parts: Parts
    settings: ContainerSettings
    specs_root: str
    """What relative paths of services are joined to."""


def parts_of(stack: Stack) -> dict[str, Parts]:
    """Container name -> its parts, sorted by name. A stack without routes has no proxy."""
    guests, routes = _guests(stack), routes_by_app(stack)
    healthy = {spec.name for spec in containers_of(stack) if has_healthcheck(spec.compose)}
    jobs = {spec.name for spec in containers_of(stack) if spec.is_job}
    shared = shared_builds(stack.apps, stack.services)
    answered: dict[str, tuple[int, ...]] = {}
    for route in secured(stack.routes, ON).values():
        answered[route.app_name] = (*answered.get(route.app_name, ()), route.index)
    parts: dict[str, Parts] = {}
    for name, app in stack.apps.items():
        needs = tuple(dict.fromkeys((*stack.links[name], *(app.compose.get("depends_on") or ()))))
        libs = tuple([stack.libs[lib] for lib in stack.lib_order[name]])
        parts[name] = AppParts(
            app,
            libs,
            needs,
            tuple([need for need in needs if need in healthy]),
            tuple(guests.get(name, ())),
            tuple(routes.get(name, ())),
            stack.same_container_repos[name],
            shared.get(name, ""),
            tuple([need for need in needs if need in jobs]),
            answered.get(name, ()),
        )
    for name, service in stack.services.items():
        needs = tuple(service.compose.get("depends_on") or ())
        parts[name] = ServiceParts(
            service,
            needs,
            tuple([need for need in needs if need in healthy]),
            tuple(guests.get(name, ())),
            tuple(routes.get(name, ())),
            shared.get(name, ""),
            tuple([need for need in needs if need in jobs]),
            answered.get(name, ()),
        )
    if stack.routes:
        files = {route.app_name: file_of(stack, route.app_name) for route in stack.routes}
        parts[PROXY] = ProxyParts(stack.routes, files, _proxy_aliases(stack))
    return dict(sorted(parts.items()))


def secrets_of(parts: Parts) -> dict[str, str]:
    """Variable -> its text with `${{NAME}}`, of those whose values hold secrets."""
    if isinstance(parts, ProxyParts):
        return {}
    spec = parts.app if isinstance(parts, AppParts) else parts.service
    return templates_in(spec.compose.get("environment") or {}, spec.bundle_env)


def network_owner(spec: App | Service) -> str:
    """The name of the container whose network this one joins, or ''."""
    mode = str(spec.compose.get("network_mode") or "")
    return mode.removeprefix("service:") if mode.startswith("service:") else ""


def namespace_owners(spec: App | Service) -> list[str]:
    """The containers whose network, processes or memory this one shares: they start first."""
    modes = (str(spec.compose.get(key) or "") for key in ("network_mode", "pid", "ipc"))
    return [mode.removeprefix("service:") for mode in modes if mode.startswith("service:")]


def _guests(stack: Stack) -> dict[str, list[str]]:
    """Owner of a network -> the containers that join it, also through another guest: their names must lead to it."""
    specs: dict[str, App | Service] = {**stack.apps, **stack.services}
    guests: dict[str, list[str]] = {}
    for name in sorted(specs):
        owner, steps = network_owner(specs[name]), 0
        while owner in specs and network_owner(specs[owner]) and steps < len(specs):
            owner, steps = network_owner(specs[owner]), steps + 1
        if owner in specs and "network_mode" not in specs[owner].compose:
            guests.setdefault(owner, []).append(name)
    return guests


def _proxy_aliases(stack: Stack) -> dict[str, Route]:
    aliases: dict[str, Route] = {}
    for route in stack.routes:
        if route.host_name not in stack.apps and route.host_name not in stack.services:
            aliases.setdefault(route.host_name, route)
    return aliases
