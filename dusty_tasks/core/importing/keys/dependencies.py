"""What a service needs of others: `depends_on`, `links`, and keys that share something of another container. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dusty_tasks.core.importing.compose_yaml import Node, text_of
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.importing.short_forms import plain_text
from dusty_tasks.core.plan.conditions import COMPLETED, HEALTHY, STARTED

_UNTIL = {STARTED: "started", HEALTHY: "ready", COMPLETED: "ended"}


def _depends_on(conversion: Conversion, node: Node) -> None:
    written: dict[str, Any] = {}
    for name, child in (node.value or {}).items():
        if name not in conversion.stack.kinds:
            conversion.own("depends_on", "absent", f"the service {name} is left out")
            continue
        words = evaluated_node(child, conversion.stack.variables.values)
        words = {str(key): value for key, value in words.items()} if isinstance(words, dict) else {}
        if text_of(words.get("required", True)) != "false":
            words.pop("required", None)
        if text_of(words.get("restart", False)) == "false":
            words.pop("restart", None)
        words.setdefault("condition", STARTED)
        written[name] = words
    if conversion.is_app:
        for name, words in written.items():
            _depend(conversion, name, words)
        return
    if all(words == {"condition": STARTED} and not _has_check(conversion, name) for name, words in written.items()):
        conversion.spec.compose["depends_on"] = [conversion.renamed(name) for name in written]
    else:
        conversion.spec.compose["depends_on"] = {conversion.renamed(name): words for name, words in written.items()}


def _has_check(conversion: Conversion, name: str) -> bool:
    """True where Dusty may wait for health if nothing is said."""
    return "healthcheck" in conversion.stack.project.services[name].value


def _depend(conversion: Conversion, name: str, words: Mapping[str, Any]) -> None:
    kind = f"{conversion.stack.kinds[name]}s"
    needed = conversion.renamed(name)
    if "required" in words:
        links = conversion.spec.top.setdefault("conditional_links", {})
        links.setdefault(kind, []).append(needed)
        waits_for = HEALTHY if _has_check(conversion, name) else STARTED
        if words["condition"] != waits_for:
            conversion.bent("depends_on", "depends", f"it waits until {name} is {_UNTIL[waits_for]}")
        else:
            conversion.own("depends_on", "depends", f"{name} is a conditional link")
        return
    condition = str(words["condition"])
    if condition not in _UNTIL:
        conversion.lost("depends_on", f'the condition "{condition}" of {name}', f"until: {', '.join(_UNTIL.values())}")
        return
    depends = conversion.spec.top.setdefault("depends", {})
    usual = condition == STARTED and not _has_check(conversion, name)
    depends.setdefault(kind, []).append(needed if usual else {"name": needed, "until": _UNTIL[condition]})
    conversion.own("depends_on", "depends")
    if "restart" in words:
        conversion.bent("depends_on", "depends", f"a restart of {name} does not restart this app")


def _links(conversion: Conversion, node: Node) -> None:
    for item in node.value or ():
        name, _, alias = plain_text(item, conversion.stack.variables.values).partition(":")
        if name not in conversion.stack.kinds:
            conversion.own("links", "absent", f"the service {name} is left out")
            continue
        if conversion.is_app:
            known = conversion.seen.get("depends_on") or {}
            if name not in known:
                _depend(conversion, name, {"condition": STARTED})
            conversion.own("links", "links", f"{name} is found by {alias or name}")
        else:
            conversion.spec.compose.setdefault("links", []).append(
                f"{conversion.renamed(name)}:{alias}" if alias else conversion.renamed(name)
            )
            conversion.own("links", "links")


def _of_another(conversion: Conversion, node: Node, key: str) -> None:
    """Keys that may name another service."""

    def one(item: Node) -> Any:
        text = conversion.text(item)
        mode, colon, name = text.partition(":")
        if key == "volumes_from":
            return text if mode == "container" else f"{conversion.renamed(mode)}{colon}{name}"
        return f"{mode}:{conversion.renamed(name)}" if mode == "service" else text

    value = node.value
    conversion.spec.compose[key] = [one(item) for item in value] if isinstance(value, list) else one(node)


RULES: dict[str, Rule] = {
    "depends_on": _depends_on,
    "links": _links,
    **{key: partial(_of_another, key=key) for key in ("network_mode", "pid", "ipc", "volumes_from")},
}
