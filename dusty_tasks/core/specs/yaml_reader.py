"""YAML text as plain values, with the place of every key (docs/specs.md).

The schema guides the reading: where it has a string, a scalar is taken as written in the file (`1.10`, `0755`, `on`);
integers and booleans are made only where it has them. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dusty_tasks.core.specs.documents import Content
from dusty_tasks.core.specs.yaml_nodes import (
    MAX_BYTES,
    MAX_DEPTH,
    MERGE,
    NULLS,
    PLAIN,
    Refused,
    is_null,
    root_of,
    text_of_bytes,
)
from dusty_tasks.core.specs.yaml_scalars import typed
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import path_text
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import control_part, shown

if TYPE_CHECKING:
    from dusty_tasks.core.text.key_path import KeyPath

MAX_NODES = 100_000
MAX_TEXT = 4 * MAX_BYTES
"""Characters after expansion: aliases of one long text would otherwise make gigabytes of a small file."""
_KNOWN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}
_ANYTHING: dict[str, Any] = {}


def values_of_yaml(data: bytes, file: str, schema: dict[str, Any]) -> Content:
    """Read one YAML document whose top level is a mapping; every problem is in the result, none is raised."""
    try:
        text = text_of_bytes(data)
        root = root_of(text)
        reading = _Reading(file)
        value = reading.value(root, schema, (), root)
    except Refused as refused:
        return Content(
            {},
            [],
            [Problem(Place(file, refused.line, refused.column), "", refused.code, refused.what, refused.hint)],
            is_readable=False,
        )
    except RecursionError:  # a chain of thousands of << merges
        return Content({}, [], [Problem(Place(file), "", Code.TOO_DEEP, "nested too deeply")], is_readable=False)
    return Content(value, reading.marks, reading.problems)


class _Reading:
    """One pass over the nodes of a document: their value, and the marks and problems met on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: list[int] = []
        self.problems: list[Problem] = []
        self._nodes = self._characters = 0

    def value(self, node: Any, schema: dict[str, Any], path: KeyPath, key_node: Any) -> Any:
        """The value of `node`; `key_node` is the node of its key (for a list item: itself)."""
        mark, key_mark = node.start_mark, key_node.start_mark
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Refused(Code.TOO_DEEP, f"expands to more than {MAX_NODES:,} values", mark.line + 1, mark.column + 1)
        if len(path) > MAX_DEPTH:
            raise Refused(Code.TOO_DEEP, "nested too deeply", mark.line + 1, mark.column + 1)
        self.marks += (mark.line + 1, mark.column + 1, key_mark.line + 1, key_mark.column + 1)
        kind = node.id
        if node.tag != PLAIN and node.tag not in _KNOWN_TAGS:
            self._say(
                node, path, Code.TAG, f"the tag {shown(node.tag)} is not supported", "write the value without a tag"
            )
        if kind == "scalar":
            return self._scalar(node, schema.get("type", ()), path)
        if kind == "sequence":
            items = schema.get("items", _ANYTHING)
            return [self.value(child, items, (*path, index), child) for index, child in enumerate(node.value)]
        return self._mapping(node, schema, path)

    def _mapping(self, node: Any, schema: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        properties = schema.get("properties", _ANYTHING)
        others = schema.get("additionalProperties")
        if not isinstance(others, dict):
            others = _ANYTHING
        value: dict[str, Any] = {}
        for key, (key_node, value_node) in self._pairs(node, path).items():
            below = properties.get(key, others)
            # A key without a value is a key left out, unless null means something there.
            if not is_null(value_node) or "null" in below.get("type", ()):
                value[key] = self.value(value_node, below, (*path, key), key_node)
        return value

    def _pairs(self, node: Any, path: KeyPath) -> dict[str, tuple[Any, Any]]:
        """The key and value nodes by key: those of `<<` merges first, then the mapping's own, which win."""
        merged: dict[str, tuple[Any, Any]] = {}
        own: dict[str, tuple[Any, Any]] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                for source in self._merge_sources(value_node, path):
                    for key, pair in self._pairs(source, path).items():
                        merged.setdefault(key, pair)
            elif key_node.id != "scalar":
                self._say(
                    key_node,
                    path,
                    Code.BAD_KEY,
                    "a key must be a plain word",
                    "put quotes around text that begins with { or [",
                )
            elif unsafe := _unsafe_key(self._text_of(key_node)):
                self._say(key_node, path, Code.BAD_KEY, f"the key {shown(key_node.value)} contains {unsafe}")
            elif key_node.value in own:
                first = own[key_node.value][0].start_mark.line + 1
                self._say(
                    key_node,
                    path,
                    Code.DUPLICATE_KEY,
                    f"duplicate key {shown(key_node.value)}; first at line {first}",
                    "keep one",
                )
            else:
                own[key_node.value] = (key_node, value_node)
        return {**merged, **own}

    def _merge_sources(self, node: Any, path: KeyPath) -> list[Any]:
        """The mappings that `<<` names; counted, since a chain of them can grow like aliases do."""
        sources = node.value if node.id == "sequence" else [node]
        self._nodes += sum(len(source.value) for source in sources if source.id == "mapping") + 1
        if self._nodes > MAX_NODES:
            mark = node.start_mark
            raise Refused(Code.TOO_DEEP, f"expands to more than {MAX_NODES:,} values", mark.line + 1, mark.column + 1)
        wrong = [source for source in sources if source.id != "mapping"]
        for source in wrong:
            self._say(source, path, Code.MERGE_KEY, "<< takes a mapping, or a list of mappings")
        return [source for source in sources if source.id == "mapping"]

    def _scalar(self, node: Any, types: Any, path: KeyPath) -> Any:
        text = self._text_of(node)
        if control := control_part(text.replace("\r", "") if _may_return(path) else text):
            self._say(node, path, Code.CONTROL_CHARACTER, f"contains {control}")
        if node.tag != PLAIN:
            return text
        if text in NULLS:
            return None
        return typed(text, types)

    def _text_of(self, node: Any) -> str:
        """The text of a scalar, counted each time that it is used."""
        text: str = node.value
        self._characters += len(text)
        if self._characters > MAX_TEXT:
            mark = node.start_mark
            raise Refused(
                Code.TOO_DEEP, f"expands to more than {MAX_TEXT >> 20} MiB of text", mark.line + 1, mark.column + 1
            )
        return text

    def _say(self, node: Any, path: KeyPath, code: Code, what: str, hint: str = "") -> None:
        place = Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
        self.problems.append(Problem(place, path_text(path), code, what, hint))


def _may_return(path: KeyPath) -> bool:
    """True for the words of a process: a shell is told of carriage returns, which HTTP and files of Windows have."""
    key = path[path[:1] == ("compose",) :][:1]
    return key in (("command",), ("entrypoint",), ("healthcheck",))


def _unsafe_key(key: str) -> str:
    if "\n" in key or "\t" in key:
        return "a newline" if "\n" in key else "a tab"
    return control_part(key)
