"""The stack: everything that is active, resolved and ordered (docs/specs.md); the input of all rendering.

`build/stack.json` is this, so the render steps depend on nothing else but settings, templates and code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from dusty_tasks.core.specs.model import App, Lib, Service
from dusty_tasks.core.specs.repo_ids import Repo


class Route(NamedTuple):
    """One host_forwarding resolved."""

    app_name: str
    """The app, or service, that it leads to."""
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    """Its place in the `host_forwarding` there, for origins."""
    host_name: str
    host_port: int
    container_port: int
    kind: str
    port: int = 0
    """The 650xx port on the bridge; 0 with `routing: network`."""
    max_upload: str = ""
    """As nginx writes it; '' for the setting `proxy.max_upload`."""
    timeout: str = ""
    """How long the proxy waits in silence, as nginx writes it; '' for a day."""
    https: bool = True
    """False keeps it out of what the setting `https` does."""


class AssetUse(NamedTuple):
    key: str
    used_by: tuple[str, ...]
    required_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """Closed under everything the active bundles need."""

    bundles: tuple[str, ...] = ()
    apps: dict[str, App] = field(default_factory=dict)
    """Sorted by name."""
    libs: dict[str, Lib] = field(default_factory=dict)
    """Sorted by name."""
    services: dict[str, Service] = field(default_factory=dict)
    """Sorted by name."""
    lib_order: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """app or lib name -> the libs in its container, dependencies first, ties by name (3.3). Libs under 'lib/<name>'."""
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """app name -> names its container depends on, in order (3.5)."""
    routes: tuple[Route, ...] = ()
    assets: dict[str, AssetUse] = field(default_factory=dict)
    """Asset key -> who uses and requires it (3.7)."""
    repos: dict[str, Repo] = field(default_factory=dict)
    """Repo id -> repo, of all apps and libs of the stack."""
    same_container_repos: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """app name -> repo ids mounted into its container: its own, then its libs' in lib order (3.8)."""


def containers_of(stack: Stack) -> list[App | Service]:
    """The specs that have a container: apps, then services."""
    return [*stack.apps.values(), *stack.services.values()]


def file_of(stack: Stack, name: str) -> str:
    """The spec file of an app or service of the stack."""
    return (stack.apps.get(name) or stack.services[name]).file


def routes_by_app(stack: Stack) -> dict[str, list[Route]]:
    """Name of an app or service -> its routes, in route order."""
    routes: dict[str, list[Route]] = {}
    for route in stack.routes:
        routes.setdefault(route.app_name, []).append(route)
    return routes
