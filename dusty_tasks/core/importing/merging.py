"""Merging Compose files and services, as the Compose Specification ("Merge") defines it, with `!reset` and `!override`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dusty_tasks.core.importing.compose_yaml import OVERRIDE, RESET, Node, plain, text_of
from dusty_tasks.core.importing.short_forms import plain_text, split_colons

Values = Mapping[str, str]
_REPLACED = (("command",), ("entrypoint",), ("healthcheck", "test"))
"""Lists that are replaced and not appended to."""


def merged(base: Node, over: Node, path: tuple[str, ...] = ()) -> Node:
    """`over` on top of `base`: mappings are merged, lists appended, values replaced; `path` is that inside of a service."""
    if over.tag == OVERRIDE or path in _REPLACED:
        return over._replace(tag="")
    if over.value is None:
        return base
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        if path == ("logging",) and _differs(base, over, "driver"):
            return over
        value = dict(base.value)
        for key, node in over.value.items():
            if node.tag == RESET:
                value.pop(key, None)
            else:
                value[key] = merged(value[key], node, (*path, key)) if key in value else node._replace(tag="")
        return over._replace(value=value)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return over._replace(value=[*base.value, *over.value])
    return over


def _differs(base: Node, over: Node, key: str) -> bool:
    return key in base.value and key in over.value and plain(base.value[key]) != plain(over.value[key])


def without_resets(node: Node) -> Node:
    """The node without what is tagged `!reset`."""
    if isinstance(node.value, dict):
        kept = {key: without_resets(child) for key, child in node.value.items() if child.tag != RESET}
        return node._replace(value=kept, tag="")
    if isinstance(node.value, list):
        return node._replace(value=[without_resets(item) for item in node.value if item.tag != RESET], tag="")
    return node._replace(tag="")


def with_each_once(service: Node, values: Values) -> Node:
    """A service whose lists hold nothing twice: of two items that mean the same place, the later one stands where the first did."""
    found = dict(service.value)
    for key, node in service.value.items():
        if isinstance(node.value, list) and key not in ("command", "entrypoint", "post_start", "pre_stop"):
            key_of = _KEYS.get(key, _itself)
            by_key: dict[Any, Node] = {}
            for item in node.value:
                by_key[key_of(item, values)] = item
            found[key] = node._replace(value=list(by_key.values()))
    return service._replace(value=found)


def _itself(item: Node, values: Values) -> str:
    return repr(_evaluated(item, values))


def _evaluated(item: Node, values: Values) -> Any:
    if isinstance(item.value, dict):
        return {key: _evaluated(child, values) for key, child in item.value.items()}
    if isinstance(item.value, list):
        return [_evaluated(child, values) for child in item.value]
    return plain_text(item, values)


def _port(item: Node, values: Values) -> str:
    found = _evaluated(item, values)
    if isinstance(found, dict):
        keys = (("host_ip", ""), ("published", ""), ("target", ""), ("protocol", "tcp"))
        return "|".join(text_of(found.get(key) or usual) for key, usual in keys)
    ports, _, protocol = str(found).partition("/")
    parts = split_colons(ports.replace("$", "$$"))
    ip, published, target = ["", *(["", *parts] if len(parts) == 1 else parts)][-3:]
    return "|".join((ip, published, target, protocol or "tcp"))


def _target(item: Node, values: Values) -> str:
    found = _evaluated(item, values)
    if isinstance(found, dict):
        return str(found.get("target", found.get("source", found)))
    parts = split_colons(str(found).replace("$", "$$"))
    return (parts[1] if len(parts) > 1 else parts[0]).rstrip("/") or "/"


def _file(item: Node, values: Values) -> str:
    found = _evaluated(item, values)
    target = found.get("target") or found.get("source") if isinstance(found, dict) else found
    return text_of(target)


def _path(item: Node, values: Values) -> str:
    found = _evaluated(item, values)
    return text_of(found.get("path") if isinstance(found, dict) else found)


_KEYS: dict[str, Callable[[Node, Values], str]] = {
    "ports": _port,
    "volumes": _target,
    "devices": _target,
    "secrets": _file,
    "configs": _file,
    "env_file": _path,
}
