"""Plain values as block YAML, with the line of each key: what PyYAML cannot tell, and origins need.

Any string that another reader could take for something else is written as a JSON string, which YAML reads the same.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dusty_tasks.core.specs import KeyPath

Line = tuple[str, KeyPath]
"""One line of text, and the path of the value that begins in it."""

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = frozenset("true false yes no on off y n null none".split())  # noqa: SIM905
"""What some YAML reader takes for a boolean or for nothing."""
_NUMBER_LIKE = re.compile(r"[._]*(?:inf|nan)", re.IGNORECASE)
# Valid in JSON strings, but line breaks or forbidden in YAML.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def yaml_lines(value: dict[str, Any]) -> list[Line]:
    """The lines of a mapping, in its own order."""
    return list(_mapping(value, "", ()))


def scalar(value: Any) -> str:
    """One value on one line. Raises TypeError for what YAML has no word for."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not _NUMBER_LIKE.fullmatch(value):
            return value
        return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value, allow_nan=False)
    if value == {} or value == []:
        return "{}" if value == {} else "[]"
    raise TypeError(f"{value!r} is no value for YAML")


def _mapping(value: dict[str, Any], indent: str, path: KeyPath, head: str = "") -> Iterator[Line]:
    """`head` stands in the place of the first line's indent."""
    for key, item in value.items():
        yield from _item(f"{head or indent}{scalar(key)}:", item, indent + "  ", (*path, key))
        head = ""


def _item(head: str, item: Any, indent: str, path: KeyPath) -> Iterator[Line]:
    """`head` and the value after it: on its line if it is a scalar, else on those below."""
    if isinstance(item, dict) and item:
        yield head, path
        yield from _mapping(item, indent, path)
    elif isinstance(item, (list, tuple)) and item:
        yield head, path
        for index, element in enumerate(item):
            if isinstance(element, dict) and element:
                yield from _mapping(element, indent + "  ", (*path, index), f"{indent}- ")
            else:
                yield from _item(f"{indent}-", element, indent + "  ", (*path, index))
    else:
        yield f"{head} {scalar(list(item) if isinstance(item, tuple) else item)}", path
