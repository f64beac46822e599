"""The bytes of a file as nodes of YAML, parsed by libyaml; what is refused before any value is looked at. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import CONTROL, control_part

MAX_BYTES = 1 << 20
MAX_DEPTH = 60
"""Deeper nesting is nobody's spec; without a limit a file of brackets ends in a crash of the parser."""
EMPTY, NO_MAPPING, SEVERAL, TOO_LARGE = (
    "empty file",
    "must be a mapping",
    "several documents in one file",
    "larger than 1 MiB",
)
NOT_UTF_8 = "not UTF-8 text"
NULLS = ("", "~", "null", "Null", "NULL")
_NOT_IN_TEXT = re.compile(f"{CONTROL}|[\u2028\u2029\ufffe\uffff]")
"""Control characters, and what libyaml takes for the end of a line, or for no character at all."""
PLAIN = "plain"
MERGE = "tag:yaml.org,2002:merge"


class Refused(Exception):
    """The whole text is unusable: what is said, and where."""

    def __init__(self, code: Code, what: str, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.line, self.column, self.hint = code, what, line, column, hint


def nodes_of_yaml(data: bytes, file: str) -> tuple[list[Any], list[Problem]]:
    """The nodes of all YAML documents in `data`, each a mapping, with plain scalars under the tag PLAIN; or what is wrong."""

    from dusty_tasks.core.specs.yaml_trouble import conflict_in

    try:
        text = text_of_bytes(data)
        if conflict := conflict_in(text):
            raise Refused(*conflict)
        _check_depth(text)
        roots = []
        with _loading(text) as loader:
            while loader.check_node():
                roots.append(loader.get_node())
        roots = [root for root in roots if not is_null(root)]
        if wrong := [root for root in roots if root.id != "mapping"]:
            mark = wrong[0].start_mark
            raise Refused(Code.NO_MAPPING, NO_MAPPING, mark.line + 1, mark.column + 1)
        if not roots:
            raise Refused(Code.EMPTY_FILE, EMPTY)
    except Refused as refused:
        place = Place(file, refused.line, refused.column)
        return [], [Problem(place, "", refused.code, refused.what, refused.hint)]
    return roots, []


def text_of_bytes(data: bytes) -> str:
    """The text of a file, without a byte order mark. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused(Code.TOO_LARGE, TOO_LARGE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].removeprefix(b"\xef\xbb\xbf")
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise Refused(Code.NOT_UTF_8, f"{NOT_UTF_8} (byte {error.start + 1})", line, column) from None
    for found in _NOT_IN_TEXT.finditer(text):
        position = found.start()
        if found.group() == "\r" and text[position + 1 : position + 2] == "\n":
            continue  # the first half of a line end
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        what = control_part(found.group()) or f"an invisible character (U+{ord(found.group()):04X})"
        raise Refused(Code.CONTROL_CHARACTER, f"contains {what}", line, column)
    return text


@contextmanager
def _loading(text: str) -> Iterator[Any]:
    """A loader of `text`. What the parser cannot read in the block is raised as Refused."""
    import yaml

    loader = _loader_class()(text)
    try:
        yield loader
    except yaml.MarkedYAMLError as error:
        raise _refused_by_parser(text, error) from None
    except yaml.YAMLError as error:
        raise Refused(Code.YAML_SYNTAX, " ".join(str(error).split())) from None
    finally:
        loader.dispose()


def root_of(text: str) -> Any:
    """The node of the one document in `text`; a mapping. Raises Refused."""
    import yaml

    from dusty_tasks.core.specs.yaml_trouble import conflict_in, of_no_mapping

    if conflict := conflict_in(text):
        raise Refused(*conflict)
    _check_depth(text)
    with _loading(text) as loader:
        root = loader.get_single_node()
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == PLAIN and root.value in NULLS):
        raise Refused(Code.EMPTY_FILE, EMPTY)
    if not isinstance(root, yaml.MappingNode):
        trouble = of_no_mapping(text) if isinstance(root, yaml.ScalarNode) else None
        raise Refused(*trouble) if trouble else Refused(Code.NO_MAPPING, NO_MAPPING)
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
                raise Refused(
                    Code.TOO_DEEP, "nested too deeply", event.start_mark.line + 1, event.start_mark.column + 1
                )
    except yaml.YAMLError:
        return  # The composer says it again, and better.
    finally:
        parser.dispose()


def _refused_by_parser(text: str, error: Any) -> Refused:
    if error.problem == "but found another document":
        mark = error.problem_mark
        return Refused(Code.SEVERAL_DOCUMENTS, SEVERAL, mark.line + 1, mark.column + 1)
    from dusty_tasks.core.specs.yaml_trouble import of_parser

    return Refused(*of_parser(text, error))


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


def is_null(node: Any) -> bool:
    """True for a plain scalar that says nothing."""
    return node.tag == PLAIN and node.value in NULLS
