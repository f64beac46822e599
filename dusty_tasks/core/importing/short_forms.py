"""The keys of a Compose service in one form each, before files are merged: lists of `A=1` as mappings, texts as lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dusty_tasks.core.importing.compose_yaml import Node, Refused, text_of
from dusty_tasks.core.importing.interpolation import BadTemplate, Use, compose_text, evaluated, parsed

Values = Mapping[str, str]

_PAIRS: dict[tuple[str, ...], Any] = {
    ("environment",): None,
    ("labels",): "",
    ("annotations",): "",
    ("sysctls",): "",
    ("build", "args"): None,
    ("build", "labels"): "",
    ("build", "additional_contexts"): "",
    ("deploy", "labels"): "",
}
"""Where `A=1` in a list means `A: 1`, and what `A` alone means."""
_LISTS = ("dns", "dns_search", "dns_opt", "env_file", "tmpfs", "label_file", "profiles", "expose", "ports")
"""Keys that take one value or a list of them."""
_SHAPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("build", "environment", "labels", "annotations", "sysctls"), (str, list, dict)),
    **dict.fromkeys(("depends_on", "networks", "models", "extra_hosts"), (list, dict)),
    **dict.fromkeys(("deploy", "healthcheck", "logging", "develop", "ulimits", "storage_opt", "blkio_config"), (dict,)),
    **dict.fromkeys(("volumes", "secrets", "configs", "links", "external_links", "volumes_from", "devices"), (list,)),
    **dict.fromkeys(("cap_add", "cap_drop", "security_opt", "group_add", "device_cgroup_rules"), (list,)),
    **dict.fromkeys(("image", "container_name", "network_mode", "hostname", "restart", "user"), (str, int, float)),
    **dict.fromkeys(("command", "entrypoint"), (str, int, float, list)),
    **dict.fromkeys(_LISTS, (str, int, float, list, dict)),
    "extends": (str, dict),
}
"""What a key may be; Compose refuses anything else."""


def in_one_form(service: Node, values: Values) -> Node:
    """A service with its keys in the form in which they are merged. Raises Refused for a key of another type."""
    if service.value is None:
        return service._replace(value={})
    if not isinstance(service.value, dict):
        raise Refused(service.place, "a service must be a mapping")
    for key, node in service.value.items():
        shape = _SHAPES.get(key)
        if shape and node.value is not None and (not isinstance(node.value, shape) or isinstance(node.value, bool)):
            raise Refused(node.place, f"{key} cannot be {_kind(node.value)}")
        for item in node.value if isinstance(node.value, list) else ():
            if item.value is None and not item.tag:
                raise Refused(item.place, f"an item of {key} is empty")
    _check_entries(service)
    found = {key: _of_key(key, node, values) for key, node in service.value.items()}
    for path, alone in _PAIRS.items():
        found = _at(found, path, partial(_pairs, alone=alone, values=values))
    return service._replace(value=found)


def _check_entries(service: Node) -> None:
    """Refuse entries of the wrong type below keys that hold entries by name."""
    for key, may_be_empty in (("depends_on", False), ("networks", True)):
        node = service.value.get(key)
        for name, entry in node.value.items() if node is not None and isinstance(node.value, dict) else ():
            if not (isinstance(entry.value, dict) or (may_be_empty and entry.value is None) or entry.tag):
                raise Refused(entry.place, f"{key}.{name} must be a mapping")
            aliases = (
                (entry.value or {}).get("aliases") if key == "networks" and isinstance(entry.value, dict) else None
            )
            if aliases is not None and not (
                isinstance(aliases.value, list) and all(isinstance(item.value, (str, int)) for item in aliases.value)
            ):
                raise Refused(aliases.place, "aliases must be a list of names")
            for word, child in (entry.value or {}).items() if key == "depends_on" else ():
                if word not in ("condition", "required", "restart") and not word.startswith("x-"):
                    raise Refused(child.place, f'{key}.{name} has no key "{word}"', "condition, required or restart")
                if child.value is None or isinstance(child.value, (dict, list)):
                    raise Refused(child.place, f"{key}.{name}.{word} has no value")
                if (
                    word in ("required", "restart")
                    and not isinstance(child.value, bool)
                    and "$" not in str(child.value)
                ):
                    raise Refused(child.place, f"{key}.{name}.{word} must be true or false")
    hosts = service.value.get("extra_hosts")
    for name, address in hosts.value.items() if hosts is not None and isinstance(hosts.value, dict) else ():
        if address.value is None:
            raise Refused(address.place, f"extra_hosts.{name} has no value")
    develop = service.value.get("develop")
    watch = develop.value.get("watch") if develop is not None and isinstance(develop.value, dict) else None
    for rule in watch.value if watch is not None and isinstance(watch.value, list) else ():
        path = rule.value.get("path") if isinstance(rule.value, dict) else rule
        if path is None or not isinstance(path.value, str):
            raise Refused(rule.place, "a rule of develop.watch needs a path")
    build = service.value.get("build")
    contexts = build.value.get("additional_contexts") if build is not None and isinstance(build.value, dict) else None
    entries = [contexts] if contexts is not None else []
    for key in ("volumes", "env_file"):
        node = service.value.get(key)
        entries += node.value if node is not None and isinstance(node.value, list) else []
    for item in entries:
        for word, child in item.value.items() if isinstance(item.value, dict) else ():
            if child.value is None and word not in ("bind", "volume", "tmpfs"):
                raise Refused(child.place, f"{word} has no value")
    items = build.value.get("secrets") if build is not None and isinstance(build.value, dict) else None
    for holder in (service.value.get("secrets"), service.value.get("configs"), items):
        for item in holder.value if holder is not None and isinstance(holder.value, list) else ():
            if not isinstance(item.value, (str, dict)):
                raise Refused(item.place, "must be a name, or a mapping with a source")


def _kind(value: Any) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else f'"{text_of(value)}"'


def _of_key(key: str, node: Node, values: Values) -> Node:
    value = node.value
    if key == "build" and isinstance(value, str):
        return node._replace(value={"context": node._replace(tag="")})
    if key == "depends_on" and isinstance(value, list):
        started = Node("service_started", node.place)
        return node._replace(
            value={
                _name(item, values): Node({"condition": started, "required": Node(True, node.place)}, item.place)
                for item in value
            }
        )
    if key == "networks" and isinstance(value, list):
        return node._replace(value={_name(item, values): Node(None, item.place) for item in value})
    if key == "extra_hosts" and isinstance(value, list):
        return _hosts(node, values)
    if key in _LISTS and not isinstance(value, list) and value is not None:
        return node._replace(value=[node._replace(tag="")])
    if key == "extends" and isinstance(value, str):
        return node._replace(value={"service": node._replace(tag="")})
    return node


def _name(item: Node, values: Values) -> str:
    if isinstance(item.value, (dict, list)):
        raise Refused(item.place, "must be a name")
    return plain_text(item, values)


def _at(mapping: dict[str, Node], path: tuple[str, ...], change: Callable[[Node], Node]) -> dict[str, Node]:
    node = mapping.get(path[0])
    if node is None or node.value is None:
        return mapping
    if len(path) == 1:
        return {**mapping, path[0]: change(node)}
    if not isinstance(node.value, dict):
        return mapping
    return {**mapping, path[0]: node._replace(value=_at(node.value, path[1:], change))}


def _pairs(node: Node, alone: Any, values: Values) -> Node:
    if isinstance(node.value, dict):
        blank = {name: child._replace(value=alone) for name, child in node.value.items() if child.value is None}
        return node._replace(value={**node.value, **{key: child for key, child in blank.items() if not child.tag}})
    found: dict[str, Node] = {}
    for item in node.value if isinstance(node.value, list) else [node]:
        if isinstance(item.value, (dict, list)):
            raise Refused(item.place, "must be a text, NAME=value")
        name, sign, text = split_once(text_of(item.value), "=", values)
        found.pop(name, None)
        found[name] = Node(text if sign else alone, item.place, item.tag)
    return node._replace(value=found)


def _hosts(node: Node, values: Values) -> Node:
    """`name:address` or `name=address`, each name with the list of its addresses."""
    found: dict[str, Node] = {}
    for item in node.value:
        text = text_of(item.value)
        name, sign, address = split_once(text, "=", values)
        if not sign:
            name, sign, address = split_once(text, ":", values)
        before = found[name].value if name in found else []
        found[name] = Node([*before, Node(address, item.place)], item.place)
    return node._replace(value=found)


def template_of(node: Node) -> tuple[str | Use, ...]:
    """The parts of a scalar's text. Raises Refused for a `$` that means nothing."""
    try:
        return parsed(text_of(node.value)) if isinstance(node.value, str) else (text_of(node.value),)
    except BadTemplate as error:
        raise Refused(
            node.place, f'"{error}" uses $ for something that is not a variable', "$$ stands for one $"
        ) from None


def plain_text(node: Node, values: Values) -> str:
    """What a scalar comes to."""
    return evaluated(template_of(node), values)


def split_once(text: str, sign: str, values: Values) -> tuple[str, str, str]:
    """As str.partition, but not inside of `${…}`, and with what is before the sign as it comes to."""
    try:
        parts = parsed(text)
    except BadTemplate:
        return text.partition(sign)
    for index, part in enumerate(parts):
        if isinstance(part, str) and sign in part:
            before, _, after = part.partition(sign)
            rest = (after, *parts[index + 1 :]) if after else parts[index + 1 :]
            return evaluated((*parts[:index], before), values), sign, compose_text(rest)
    if any(isinstance(part, Use) for part in parts) and sign in (whole := evaluated(parts, values)):
        name, found, rest_text = whole.partition(sign)
        return name, found, rest_text.replace("$", "$$")
    return evaluated(parts, values), "", ""


def split_colons(text: str, most: int = 10) -> list[str]:
    """A short form at its colons, each part as Compose text; colons inside of `${…}` and `[…]` do not count."""
    try:
        parts = parsed(text)
    except BadTemplate:
        return text.split(":")
    found: list[list[str | Use]] = [[]]
    depth = 0
    for part in parts:
        if isinstance(part, Use):
            found[-1].append(part)
            continue
        plain = ""
        for letter in part:
            depth += {"[": 1, "]": -1}.get(letter, 0)
            if letter == ":" and depth <= 0 and len(found) < most:
                found[-1].append(plain)
                found.append([])
                plain = ""
            else:
                plain += letter
        found[-1].append(plain)
    return [compose_text(tuple(filter(None, parts_of))) for parts_of in found]


def port_of(item: Any) -> str:
    """The port of this machine that an item of `ports` publishes, '' for none of its own."""
    if isinstance(item, dict):
        return text_of(item.get("published", ""))
    parts = split_colons(text_of(item).replace("$", "$$").partition("/")[0])
    return parts[-2] if len(parts) > 1 else ""
