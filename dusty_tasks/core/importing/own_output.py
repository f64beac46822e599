"""What Dusty itself put into a Compose file that it compiled: its labels, its proxy, the folder of `cp`. Pure.

Whoever imports such a file gets all of it again from Dusty, so it is left out, and called its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dusty_tasks.core.importing.compose_yaml import Node, text_of
from dusty_tasks.core.importing.reading import Project
from dusty_tasks.core.importing.short_forms import split_colons
from dusty_tasks.core.specs.compose_keys.known import OWN_TARGETS
from dusty_tasks.core.text.namespace import KIND_LABEL, OWN_LABELS, PROXY, Namespace

WHY = "Dusty adds this itself"
ANY_STACK = Namespace("")
"""What the names of its containers end with, whichever stack was compiled."""


class Own(NamedTuple):
    """A key that is Dusty's own, wholly or in part."""

    service: str
    key: str
    node: Node


def without_own(project: Project) -> tuple[Project, list[Own]]:
    """The project without what Dusty adds, and what that was; a file that Dusty did not compile stays as it is."""
    services: dict[str, Node] = {}
    own: list[Own] = []
    for name, node in project.services.items():
        if KIND_LABEL not in (_labels(node) or {}):
            services[name] = node
        elif name == PROXY:
            own += [Own(name, key, child) for key, child in node.value.items()]
        else:
            services[name], found = _without_own(name, node)
            own += found
    return project._replace(services=services), own


def _labels(service: Node) -> Mapping[str, Node] | None:
    labels = service.value.get("labels")
    return labels.value if labels is not None and isinstance(labels.value, dict) else None


def _without_own(name: str, service: Node) -> tuple[Node, list[Own]]:
    kept: dict[str, Node] = {}
    own: list[Own] = []
    for key, child in service.value.items():
        rest = child
        if key == "labels":
            rest = child._replace(value={k: v for k, v in child.value.items() if not k.startswith(OWN_LABELS)})
        elif key == "volumes" and isinstance(child.value, list):
            rest = child._replace(value=[item for item in child.value if not _is_own_mount(item)])
        elif key == "container_name" and text_of(child.value).endswith(ANY_STACK.container(name)):
            rest = child._replace(value=None)
        if rest != child:
            own.append(Own(name, key, child))
        if rest.value not in (None, {}, []) or rest == child:
            kept[key] = rest
    return service._replace(value=kept), own


def _is_own_mount(item: Node) -> bool:
    """True for what Dusty mounts in each app: its assets and commands, and the folder of `cp`."""
    parts = split_colons(item.value) if isinstance(item.value, str) else []
    return parts[-1] in OWN_TARGETS["app"] or (len(parts) > 1 and parts[1] in OWN_TARGETS["app"])
