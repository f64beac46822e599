"""Plain values as block YAML, with the key and origin of each line: what PyYAML cannot tell, and `trace` needs.

Any string that another reader could take for something else is written as a JSON string, which YAML reads the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from dusty_tasks.core.specs.model import Origin

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = frozenset("true false yes no on off y n null none".split())
"""What some YAML reader takes for a boolean or for nothing."""
_NUMBER_LIKE = re.compile(r"[._]*(?:inf|nan)", re.IGNORECASE)
# Valid in JSON strings, but line breaks or forbidden in YAML.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


class Lines(NamedTuple):
    """Three lists of one length: the text of each line, the key of the value that begins in it, and its origin."""

    texts: list[str]
    keys: list[str]
    """`services.web.ports[0]`"""
    origins: list[Origin | None]


def yaml_lines(
    value: Mapping[str, Any], origins: Mapping[str, Origin] | None = None, indent: str = "", parent: str = ""
) -> Lines:
    """The lines of a mapping, in its own order. A key that `origins` does not have has its parent's origin, carried on.

    With `indent` and `parent` they are those of a mapping that stands below the key `parent`.
    """
    lines = Lines([], [], [])
    _Writer(lines, origins or {}).mapping(value, indent, "", parent, None)
    return lines


def scalar(value: Any) -> str:
    """One value on one line. Raises TypeError for what YAML has no word for."""
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, (bool, int, float)):
        text = json.dumps(value, allow_nan=False)
        # For YAML 1.1 a number with an exponent has a point, too.
        return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text
    if isinstance(value, (Mapping, list, tuple)) and not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    raise TypeError(f"{value!r} cannot be written as YAML")


@lru_cache(maxsize=4096)
def _string(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not _NUMBER_LIKE.fullmatch(value):
        return value
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", encode_basestring(value))


class _Writer:
    """Plain calls and lists in place of generators: the Compose file of 500 apps has 14,000 lines."""

    def __init__(self, lines: Lines, origins: Mapping[str, Origin]) -> None:
        self.lines, self.origins = lines, origins

    def mapping(self, value: Mapping[str, Any], indent: str, head: str, parent: str, origin: Origin | None) -> None:
        """`head` stands in the place of the first line's indent, if it is not ''."""
        for name, item in value.items():
            key = f"{parent}.{name}" if parent else name
            self.item(f"{head or indent}{_string(name)}:", item, indent + "  ", key, self._origin(key, origin, name))
            head = ""

    def item(self, head: str, item: Any, indent: str, key: str, origin: Origin | None) -> None:
        """`head` and the value after it: on its line if it is a scalar, else on those below."""
        if isinstance(item, Mapping) and item:
            self._line(head, key, origin)
            self.mapping(item, indent, "", key, origin)
        elif isinstance(item, (list, tuple)) and item:
            self._line(head, key, origin)
            for index, element in enumerate(item):
                self._element(element, index, indent, f"{key}[{index}]", origin)
        else:
            self._line(f"{head} {scalar(item)}", key, origin)

    def _element(self, element: Any, index: int, indent: str, key: str, origin: Origin | None) -> None:
        own = self._origin(key, origin, index)
        if isinstance(element, Mapping) and element:
            self.mapping(element, indent + "  ", f"{indent}- ", key, own)
        else:
            self.item(f"{indent}-", element, indent + "  ", key, own)

    def _origin(self, key: str, parent: Origin | None, name: str | int) -> Origin | None:
        own = self.origins.get(key)
        if own is not None or parent is None or not parent.file:
            return own or parent
        return Origin(parent.file, (*parent.path, name))

    def _line(self, text: str, key: str, origin: Origin | None) -> None:
        self.lines.texts.append(text)
        self.lines.keys.append(key)
        self.lines.origins.append(origin)
