"""How a service is found: `container_name`, `networks` and `ports`. Pure."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.importing.short_forms import port_of


def _container_name(conversion: Conversion, node: Node) -> None:
    name = conversion.text(node)
    conversion.own("container_name", "names", "Dusty names containers; other containers find it by this name")
    conversion.spec.aliases.append(name)


def _networks(conversion: Conversion, node: Node) -> None:
    aliases: list[str] = []
    kept: dict[str, Any] = {}
    for network, options in (node.value or {}).items():
        for key, child in (options.value or {}).items() if isinstance(options.value, dict) else ():
            if key == "aliases":
                aliases += [conversion.text(item) for item in child.value or ()]
            elif network == "default" or key in ("priority", "gw_priority"):
                kept[key] = conversion.symbolic(child)
            else:
                conversion.lost("networks", f"{key} in the network {network}", "containers find one another by name")
    default = {**({"aliases": list(dict.fromkeys(aliases))} if aliases else {}), **kept}
    if default:
        conversion.spec.compose["networks"] = {"default": default}
    if list(node.value or {}) != ["default"]:
        conversion.own("networks", "network", "all containers of a stack share one network")


def _ports(conversion: Conversion, node: Node) -> None:
    found = []
    for item in node.value if isinstance(node.value, list) else [node]:
        published = {port_of(evaluated_node(item, conversion.stack.variables.values))}
        if published & conversion.stack.routed:
            conversion.own("ports", "proxy", f"port {published.pop()} belongs to Dusty's proxy")
        else:
            found.append(conversion.symbolic(item))
    conversion.spec.compose["ports"] = found


RULES: dict[str, Rule] = {
    "container_name": _container_name,
    "networks": _networks,
    "ports": _ports,
}
