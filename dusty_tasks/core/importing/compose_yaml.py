"""YAML of a Compose file as nodes: plain values, each with its place and its tag, as Compose types them. Pure.

Anchors and `<<` are resolved. `!reset` and `!override` are left for who merges files (core/importing/merging).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from dusty_tasks.core.specs.yaml_nodes import MERGE, PLAIN, nodes_of_yaml
from dusty_tasks.core.text.problems import Place

RESET, OVERRIDE = "!reset", "!override"
MAX_NODES = 200_000
_NULLS = ("", "~", "null", "Null", "NULL")
_INTEGER = re.compile(r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+|[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")


class Refused(ValueError):
    """A Compose file that Compose itself would refuse to read: where, what, and at most one hint."""

    def __init__(self, place: Place, what: str, hint: str = "") -> None:
        super().__init__(f"{place}: {what}")
        self.place, self.what, self.hint = place, what, hint


class Node(NamedTuple):
    """A value of a Compose file: of mappings and lists the children are nodes, too."""

    value: Any
    place: Place
    """Where its key stands; of a list item, where it stands itself."""
    tag: str = ""
    """`!reset`, `!override` or ''."""


def documents(data: bytes, file: str) -> list[Node]:
    """The YAML documents of a file, each a mapping. Raises Refused."""
    found, problems = nodes_of_yaml(data, file)
    if problems:
        raise Refused(problems[0].place, problems[0].what, problems[0].hint)
    reading = _Reading(file)
    return [reading.node(root, root) for root in found]


class _Reading:
    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0

    def place(self, node: Any) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, node: Any, key: Any) -> Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise Refused(self.place(node), f"expands to more than {MAX_NODES:,} values")
        tag = node.tag if node.tag in (RESET, OVERRIDE) else ""
        if node.id == "mapping":
            value: Any = self.mapping(node)
        elif node.id == "sequence":
            value = [self.node(item, item) for item in node.value]
        else:
            value = None if tag == RESET else scalar(node.value) if node.tag == PLAIN else _typed(node.tag, node.value)
        return Node(value, self.place(key), tag)

    def mapping(self, node: Any) -> dict[str, Node]:
        """Those of `<<` first, then the mapping's own, which win."""
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                for source in value.value if value.id == "sequence" else [value]:
                    if source.id != "mapping":
                        raise Refused(self.place(source), "<< takes a mapping, or a list of mappings")
                    for name, inherited in self.mapping(source).items():
                        merged.setdefault(name, inherited)
            elif key.id != "scalar":
                raise Refused(self.place(key), "a key must be a plain word")
            elif key.value in own:
                raise Refused(self.place(key), f'the key "{key.value}" is given twice', "keep one")
            else:
                own[key.value] = self.node(value, key)
        return {**merged, **own}


def _typed(tag: str, text: str) -> Any:
    name = tag.rpartition(":")[2]
    return scalar(text) if name in ("int", "float", "bool", "null") else text


def scalar(text: str) -> Any:
    """A plain scalar as Compose's YAML reader types it."""
    if text in _NULLS:
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INTEGER.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text


def _whole(text: str) -> Any:
    bare = text.replace("_", "").lower()
    sign, digits = (bare[0], bare[1:]) if bare[0] in "+-" else ("", bare)
    try:
        if digits.startswith("0") and digits[1:].isdigit():
            return int(f"{sign}{digits}", 8)
        return int(f"{sign}{digits}", 0)
    except ValueError:
        return text


def plain(node: Node) -> Any:
    """The value without places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def mapped(node: Node, change: Callable[[Any, Place], Any]) -> Node:
    """The node with each scalar replaced by what `change` makes of it."""
    if isinstance(node.value, dict):
        return node._replace(value={key: mapped(child, change) for key, child in node.value.items()})
    if isinstance(node.value, list):
        return node._replace(value=[mapped(child, change) for child in node.value])
    return node._replace(value=change(node.value, node.place))


def text_of(value: Any) -> str:
    """A scalar as Compose writes it where it needs a text: numbers as Go prints them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        if value and not 1e-4 <= abs(value) < 1e21:
            mantissa, _, exponent = f"{value!r}".partition("e")
            return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}" if exponent else mantissa
        return f"{int(value)}" if value == int(value) else repr(value)
    return "" if value is None else str(value)
