"""What a plain scalar of YAML is, by the types that its place may have. Pure."""

from __future__ import annotations

import re
from typing import Any

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")


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
