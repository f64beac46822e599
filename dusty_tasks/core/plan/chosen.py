"""`up NAMES…`: the part of a plan that brings up those containers, and what they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dusty_tasks.core.plan.change import BUILD, CLEAR, PULL, REMOVE, STOP, SYNC, Plan
from dusty_tasks.core.plan.image_changes import image_of
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.stack.assemble import closure
from dusty_tasks.core.text.namespace import Namespace


def needed(wanted: Wanted, names: Iterable[str]) -> set[str]:
    """The named containers, all that must be started before them, and the proxy if one of them has a route."""
    by_name = {container.name: container for container in wanted.containers}
    found = closure(names, lambda name: _needs(by_name[name]), by_name)
    has_routes = any(by_name[name].http_urls or by_name[name].route_ports for name in found)
    return found | {name for name, container in by_name.items() if has_routes and container.kind == "proxy"}


def _needs(container: WantedContainer) -> tuple[str, ...]:
    return (*container.after, *([container.shares_network_of] if container.shares_network_of else ()))


def narrowed(plan: Plan, wanted: Wanted, names: Collection[str], namespace: Namespace) -> Plan:
    """`plan` without what is done to other containers, and for them alone. What all share (files, the proxy's config, hosts) is kept."""
    chosen = needed(wanted, names)
    containers = [container for container in wanted.containers if container.name in chosen]
    repos = {repo_id for container in containers for repo_id in container.repo_ids}
    images = {image_of(container, namespace) for container in containers}
    strangers = {container.name for container in wanted.containers} - chosen

    def is_kept(kind: str, name: str) -> bool:
        if kind == SYNC:
            return name in repos
        if kind in (PULL, BUILD):
            return name in images
        if kind in (REMOVE, STOP):
            return False  # what nothing needs any more is for an `up` of all
        return kind == CLEAR or name not in strangers

    return Plan(tuple(change for change in plan.changes if is_kept(change.kind, change.name)), plan.pending)
