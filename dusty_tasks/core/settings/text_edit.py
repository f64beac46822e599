"""The text of config.yml: read as a plain mapping, edited so that a person's comments and order stay (pure text work).

Scalars are read as written: `4`, `true` and `1.10` are `Plain` strings that are written back without quotes, while a
quoted "4" stays a string. So what nobody changed is never spelled anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_NODES = 100_000
NULL = "tag:yaml.org,2002:null"
STR = "tag:yaml.org,2002:str"
MERGE = "tag:yaml.org,2002:merge"
COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)


class Plain(str):
    """A scalar that stood in the file without quotes and is no string to YAML: a number, a boolean, a date."""


class Edited(NamedTuple):
    text: str
    lost_comments: tuple[str, ...]
    """Comments of the former text that the new one no longer has."""


def value_of(text: str) -> dict[str, Any]:
    """The mapping that `text` holds ({} for none). Raises ValueError naming line and column of what is wrong."""
    node = _compose(text)
    if node is None:
        return {}
    if node.id != "mapping":
        raise ValueError(f"{_place(node)}: must be a mapping")
    return _built(node, [0])


def structure_of(text: str) -> Any:
    """What a person typed where a list or mapping belongs: the YAML list or mapping that it is, else the text itself.

    Raises ValueError for broken YAML, unless it looks like a plain word (`*.log`).
    """
    try:
        node = _compose(text)
    except ValueError:
        if "\n" in text.strip() or text.lstrip()[:1] in ("[", "{"):
            raise
        return text
    return text if node is None or node.id == "scalar" else _built(node, [0])


def text_of(value: dict[str, Any]) -> str:
    """`value` as block YAML in the given order; '' for {}."""
    return _dumped(written(value)) if value else ""


def written(value: Any) -> Any:
    """`value` in the form that value_of gives: numbers and booleans set by code become Plain, tuples lists."""
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(inner) for inner in value]
    return Plain(str(value).lower()) if isinstance(value, (bool, int, float)) else value


def edited(text: str, wanted: dict[str, Any]) -> Edited:
    """`text` changed to hold `wanted`, with as much of it kept as can be: keys that stay equal keep their lines.

    Where the text is too unusual to be edited (one flow mapping, aliases into what changes), it is written anew.
    Raises ValueError as value_of does.
    """
    wanted = written(wanted)
    if value_of(text) == wanted:
        return Edited(text, ())
    node = _compose(text)
    new = _edited_text(text, node, wanted)
    return Edited(new, tuple(sorted(set(_comments(text, node)) - set(_comments(new, _compose(new))))))


def _edited_text(text: str, node: Any, wanted: dict[str, Any]) -> str:
    if node is None:
        new = _with_newline(text) + text_of(wanted)
    elif node.flow_style or not node.value:
        return text_of(wanted)
    else:
        start = _line_start(text, node.value[0][0].start_mark.index)
        new = text[:start] + _edited_block(text, node, wanted, len(text))
    try:
        return new if value_of(new) == wanted else text_of(wanted)
    except ValueError:
        return text_of(wanted)


def _edited_block(text: str, mapping: Any, wanted: dict[str, Any], end: int) -> str:
    """The lines of a block mapping, from its first key to `end`, changed to hold `wanted`."""
    starts = [_line_start(text, key.start_mark.index) for key, _value in mapping.value] + [end]
    column = mapping.value[0][0].start_mark.column
    seen: set[str] = set()
    pieces, tail = [], ""
    for (key, value), start, stop in zip(mapping.value, starts, starts[1:], strict=False):
        seen.add(key.value)
        body, rest = _split_tail(text[start:stop])
        pieces.append(tail)
        tail = rest
        if key.value in wanted:
            pieces.append(_edited_entry(text, (key, value), wanted[key.value], (start, start + len(body))))
    added = {name: value for name, value in wanted.items() if name not in seen}
    pieces = [_with_newline(piece) for piece in pieces]
    return "".join(pieces) + (_indented(_dumped(added), column) if added else "") + tail


def _edited_entry(text: str, entry: tuple[Any, Any], wanted: Any, span: tuple[int, int]) -> str:
    """One `key: value` of a block mapping, which lies at `span`, with its value replaced: whole, or only where it differs."""
    (key, value), (start, stop) = entry, span
    if _built(value, [0]) == wanted:
        return text[start:stop]
    if value.id == "mapping" and not value.flow_style and value.value and isinstance(wanted, dict) and wanted:
        first = _line_start(text, value.value[0][0].start_mark.index)
        if first > start:
            return text[start:first] + _edited_block(text, value, wanted, stop)
    is_inline = value.id == "scalar" and value.style not in ("|", ">") and value.start_mark.line == value.end_mark.line
    if is_inline and value.value and not isinstance(wanted, (dict, list)):
        written = _dumped({"k": wanted})[len("k: ") :].rstrip("\n")
        if "\n" not in written:
            return text[start : value.start_mark.index] + written + text[value.end_mark.index : stop]
    return _indented(_dumped({key.value: wanted}), key.start_mark.column)


def _split_tail(segment: str) -> tuple[str, str]:
    """An entry's own lines, and the blank and comment lines after them, which belong to what follows."""
    lines = segment.splitlines(keepends=True)
    count = len(lines)
    while count > 1 and (not lines[count - 1].strip() or lines[count - 1].lstrip().startswith("#")):
        count -= 1
    return "".join(lines[:count]), "".join(lines[count:])


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _indented(text: str, column: int) -> str:
    return "".join(" " * column + line if line.strip() else line for line in text.splitlines(keepends=True))


def _comments(text: str, node: Any) -> Iterator[str]:
    """The comments of `text`: whatever begins with # outside of its scalars."""
    spans = [(scalar.start_mark.index, scalar.end_mark.index) for scalar in _scalars(node, set())]
    for match in COMMENT.finditer(text):
        if not any(first <= match.start() < last for first, last in spans):
            yield match.group().rstrip()


def _scalars(node: Any, seen: set[int]) -> Iterator[Any]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if node.id == "scalar":
        yield node
    for child in node.value if node.id != "scalar" else ():
        for part in child if isinstance(child, tuple) else (child,):
            yield from _scalars(part, seen)


def _compose(text: str) -> Any:
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return None if node is None or node.tag == NULL else node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(
            "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        ) from error


def _built(node: Any, count: list[int]) -> Any:
    """A node as dict, list, str, Plain or None; aliases are expanded, up to MAX_NODES in all."""
    count[0] += 1
    if count[0] > MAX_NODES:
        raise ValueError(f"{_place(node)}: more than {MAX_NODES:,} values once aliases are expanded")
    if node.id == "scalar":
        if node.tag == NULL:
            return None
        return node.value if node.tag == STR else Plain(node.value)
    if node.id == "sequence":
        return [_built(child, count) for child in node.value]
    return _built_mapping(node, count)


def _built_mapping(node: Any, count: list[int]) -> dict[str, Any]:
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise ValueError(f"{_place(key)}: a key must be a word")
        if key.tag == MERGE:
            for source in reversed(value.value if value.id == "sequence" else [value]):
                if source.id != "mapping":
                    raise ValueError(f"{_place(source)}: << needs a mapping")
                merged |= _built_mapping(source, count)
            continue
        if key.value in own:
            raise ValueError(f'{_place(key)}: duplicate key "{key.value}"')
        own[key.value] = _built(value, count)
    return merged | own


def _place(node: Any) -> str:
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _dumped(value: Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Lists inside mappings are indented, `Plain` is written as it stood."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def plain(dumper: Any, data: Plain) -> Any:
        tag = dumper.resolve(yaml.ScalarNode, str(data), (True, False))
        return dumper.represent_scalar(tag, str(data), style="")

    def quoted_where_odd(dumper: Any, data: str) -> Any:
        odd = any(not character.isprintable() and character != "\n" for character in data)
        return dumper.represent_scalar(STR, data, style='"' if odd else None)

    Dumper.add_representer(Plain, plain)
    Dumper.add_representer(str, quoted_where_odd)
    text: str = yaml.dump(
        value, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000
    )
    return text
