"""YAML text as plain values, with the place of every key (docs/specs.md).

The schema guides the reading: where it has a string, a scalar is taken as written in the file (`1.10`, `0755`, `on`);
integers and booleans are made only where it has them. Pure; libyaml parses, the values are made here.

More than 300 lines: one reader, by cases of what YAML can hold.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.specs.documents import Content
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import path_text
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import CONTROL, control_part, shown

if TYPE_CHECKING:
    from dusty_tasks.core.text.key_path import KeyPath

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_TEXT = 4 * MAX_BYTES
"""Characters after expansion: aliases of one long text would otherwise make gigabytes of a small file."""
MAX_DEPTH = 60
"""Deeper nesting is nobody's spec; without a limit a file of brackets ends in a crash of the parser."""
EMPTY, NO_MAPPING, SEVERAL, TOO_LARGE = (
    "empty file",
    "must be a mapping",
    "several documents in one file",
    "larger than 1 MiB",
)
NOT_UTF_8 = "not UTF-8 text"

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
_NULLS = ("", "~", "null", "Null", "NULL")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_KNOWN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}
_NOT_IN_TEXT = re.compile(f"{CONTROL}|[\u2028\u2029\ufffe\uffff]")
"""Control characters, and what libyaml takes for the end of a line, or for no character at all."""
PLAIN = "plain"
MERGE = "tag:yaml.org,2002:merge"
_ANYTHING: dict[str, Any] = {}


class _Refused(Exception):
    """The whole text is unusable: what is said, and where."""

    def __init__(self, code: Code, what: str, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.line, self.column, self.hint = code, what, line, column, hint


def values_of_yaml(data: bytes, file: str, schema: dict[str, Any]) -> Content:
    """Read one YAML document whose top level is a mapping; every problem is in the result, none is raised."""
    try:
        text = _text(data)
        root = _root(text)
        reading = _Reading(file)
        value = reading.value(root, schema, (), root)
    except _Refused as refused:
        return Content(
            {},
            [],
            [Problem(Place(file, refused.line, refused.column), "", refused.code, refused.what, refused.hint)],
            is_readable=False,
        )
    except RecursionError:  # a chain of thousands of << merges
        return Content({}, [], [Problem(Place(file), "", Code.TOO_DEEP, "nested too deeply")], is_readable=False)
    return Content(value, reading.marks, reading.problems)


def nodes_of_yaml(data: bytes, file: str) -> tuple[list[Any], list[Problem]]:
    """The nodes of all YAML documents in `data`, each a mapping, with plain scalars under the tag PLAIN; or what is wrong."""
    import yaml

    from dusty_tasks.core.specs.yaml_trouble import conflict_in

    try:
        text = _text(data)
        if conflict := conflict_in(text):
            raise _Refused(*conflict)
        _check_depth(text)
        loader, roots = _loader_class()(text), []
        try:
            while loader.check_node():
                roots.append(loader.get_node())
        except yaml.MarkedYAMLError as error:
            raise _refused_by_parser(text, error) from None
        except yaml.YAMLError as error:
            raise _Refused(Code.YAML_SYNTAX, " ".join(str(error).split())) from None
        finally:
            loader.dispose()
        roots = [root for root in roots if not _is_null(root)]
        if wrong := [root for root in roots if root.id != "mapping"]:
            mark = wrong[0].start_mark
            raise _Refused(Code.NO_MAPPING, NO_MAPPING, mark.line + 1, mark.column + 1)
        if not roots:
            raise _Refused(Code.EMPTY_FILE, EMPTY)
    except _Refused as refused:
        place = Place(file, refused.line, refused.column)
        return [], [Problem(place, "", refused.code, refused.what, refused.hint)]
    return roots, []


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Refused(Code.TOO_LARGE, TOO_LARGE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].removeprefix(b"\xef\xbb\xbf")
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise _Refused(Code.NOT_UTF_8, f"{NOT_UTF_8} (byte {error.start + 1})", line, column) from None
    for found in _NOT_IN_TEXT.finditer(text):
        position = found.start()
        if found.group() == "\r" and text[position + 1 : position + 2] == "\n":
            continue  # the first half of a line end
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        what = control_part(found.group()) or f"an invisible character (U+{ord(found.group()):04X})"
        raise _Refused(Code.CONTROL_CHARACTER, f"contains {what}", line, column)
    return text


def _root(text: str) -> Any:
    """The node of the one document in `text`; a mapping."""
    import yaml

    from dusty_tasks.core.specs.yaml_trouble import conflict_in, of_no_mapping

    if conflict := conflict_in(text):
        raise _Refused(*conflict)
    _check_depth(text)
    loader = _loader_class()(text)
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _refused_by_parser(text, error) from None
    except yaml.YAMLError as error:
        raise _Refused(Code.YAML_SYNTAX, " ".join(str(error).split())) from None
    finally:
        loader.dispose()
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == PLAIN and root.value in _NULLS):
        raise _Refused(Code.EMPTY_FILE, EMPTY)
    if not isinstance(root, yaml.MappingNode):
        trouble = of_no_mapping(text) if isinstance(root, yaml.ScalarNode) else None
        raise _Refused(*trouble) if trouble else _Refused(Code.NO_MAPPING, NO_MAPPING)
    return root


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the composer sees it: it recurses in C, and twenty thousand levels end the process."""
    import yaml

    nested_in_a_line = max(
        (len(line) - len(line.lstrip()) + line.count("-") + line.count("?") for line in text.splitlines()), default=0
    )
    if text.count("[") + text.count("{") + nested_in_a_line < 4 * MAX_DEPTH:
        return
    depth = 0
    parser = _loader_class()(text)
    try:
        while parser.check_event():
            event = parser.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _Refused(
                    Code.TOO_DEEP, "nested too deeply", event.start_mark.line + 1, event.start_mark.column + 1
                )
    except yaml.YAMLError:
        return  # The composer says it again, and better.
    finally:
        parser.dispose()


def _refused_by_parser(text: str, error: Any) -> _Refused:
    if error.problem == "but found another document":
        mark = error.problem_mark
        return _Refused(Code.SEVERAL_DOCUMENTS, SEVERAL, mark.line + 1, mark.column + 1)
    from dusty_tasks.core.specs.yaml_trouble import of_parser

    return _Refused(*of_parser(text, error))


@cache
def _loader_class() -> Any:
    """libyaml's parser and composer without tag resolution: plain scalars keep their text under the tag `plain`."""
    import yaml

    base: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

    class Loader(base):
        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            if kind is not yaml.ScalarNode:
                return "tag:yaml.org,2002:" + ("map" if kind is yaml.MappingNode else "seq")
            if not implicit[0]:
                return "tag:yaml.org,2002:str"
            return MERGE if value == "<<" else PLAIN

        def descend_resolver(self, current_node: Any, current_index: Any) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    return Loader


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
            raise _Refused(Code.TOO_DEEP, f"expands to more than {MAX_NODES:,} values", mark.line + 1, mark.column + 1)
        if len(path) > MAX_DEPTH:
            raise _Refused(Code.TOO_DEEP, "nested too deeply", mark.line + 1, mark.column + 1)
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
            if not _is_null(value_node) or "null" in below.get("type", ()):
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
            raise _Refused(Code.TOO_DEEP, f"expands to more than {MAX_NODES:,} values", mark.line + 1, mark.column + 1)
        wrong = [source for source in sources if source.id != "mapping"]
        for source in wrong:
            self._say(source, path, Code.MERGE_KEY, "<< takes a mapping, or a list of mappings")
        return [source for source in sources if source.id == "mapping"]

    def _scalar(self, node: Any, types: Any, path: KeyPath) -> Any:
        text = self._text_of(node)
        if control := control_part(text):
            self._say(node, path, Code.CONTROL_CHARACTER, f"contains {control}")
        if node.tag != PLAIN:
            return text
        if text in _NULLS:
            return None
        return typed(text, types)

    def _text_of(self, node: Any) -> str:
        """The text of a scalar, counted each time that it is used."""
        text: str = node.value
        self._characters += len(text)
        if self._characters > MAX_TEXT:
            mark = node.start_mark
            raise _Refused(
                Code.TOO_DEEP, f"expands to more than {MAX_TEXT >> 20} MiB of text", mark.line + 1, mark.column + 1
            )
        return text

    def _say(self, node: Any, path: KeyPath, code: Code, what: str, hint: str = "") -> None:
        place = Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
        self.problems.append(Problem(place, path_text(path), code, what, hint))


def typed(text: str, types: Any) -> Any:
    """A plain scalar as one of the JSON `types` (a name, names, or () for anything): as written where a string may be.

    Text that fits none of the types becomes what it looks like, so that a message can name its type.
    """
    if types == "string":
        return text
    may_be_anything = not types
    if (may_be_anything or "integer" in types or "number" in types) and _INTEGER.fullmatch(text) and len(text) < 19:
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text) and "string" not in types:
        return float(text)
    if "boolean" in types and text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    if may_be_anything and text in ("true", "false"):
        return text == "true"
    return text if "string" in types or may_be_anything else _looks_like(text)


def _looks_like(text: str) -> Any:
    if _INTEGER.fullmatch(text) and len(text) < 19:
        return int(text)
    return text.lower() in TRUE if text.lower() in ("true", "false") else text


def _is_null(node: Any) -> bool:
    return node.tag == PLAIN and node.value in _NULLS


def _unsafe_key(key: str) -> str:
    if "\n" in key or "\t" in key:
        return "a newline" if "\n" in key else "a tab"
    return control_part(key)
