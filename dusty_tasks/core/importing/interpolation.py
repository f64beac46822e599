"""Variables in a Compose file, as the Compose Specification ("Interpolation") defines them. Pure.

`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}` and
`${NAME+other}`, whose words may hold variables themselves; `$$` is one `$`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-?+]")


class Use(NamedTuple):
    """One use of a variable."""

    name: str
    operator: str = ""
    """`:-`, `-`, `:?`, `?`, `:+`, `+`, or '' for none."""
    word: tuple[str | Use, ...] = ()
    """What stands after the operator."""


Template = tuple[str | Use, ...]


class BadTemplate(ValueError):
    """A `$` that begins no variable; Compose refuses the file."""


def parsed(text: str) -> Template:
    """The parts of a text. Raises BadTemplate."""
    parts, end = _parts(text, 0, inside=False)
    assert end == len(text)
    return parts


def _parts(text: str, start: int, *, inside: bool) -> tuple[Template, int]:
    """Parts from `start` on, up to the end or, `inside` of a variable, to its closing brace; and where that was."""
    parts: list[str | Use] = []
    plain = ""
    at = start
    while at < len(text) and not (inside and text[at] == "}"):
        if text[at] != "$":
            plain, at = plain + text[at], at + 1
        elif text[at + 1 : at + 2] == "$":
            plain, at = plain + "$", at + 2
        else:
            use, at = _use(text, at)
            parts += [plain, use] if plain else [use]
            plain = ""
    return (*parts, plain) if plain else tuple(parts), at


def _use(text: str, start: int) -> tuple[Use, int]:
    braced = text[start + 1 : start + 2] == "{"
    name = _NAME.match(text, start + 1 + braced)
    if not name:
        raise BadTemplate(text)
    at = name.end()
    if not braced:
        return Use(name.group()), at
    operator = _OPERATOR.match(text, at)
    word: Template = ()
    if operator:
        word, at = _parts(text, operator.end(), inside=True)
    if text[at : at + 1] != "}":
        raise BadTemplate(text)
    return Use(name.group(), operator.group() if operator else "", word), at + 1


def uses_in(template: Template) -> Iterator[Use]:
    """All uses, those inside of words after the one that they belong to."""
    for part in template:
        if isinstance(part, Use):
            yield part
            yield from uses_in(part.word)


def evaluated(template: Template, values: Mapping[str, str]) -> str:
    """The text that Compose makes of it; a variable without a value is blank."""
    return "".join(part if isinstance(part, str) else value_of(part, values) for part in template)


def value_of(use: Use, values: Mapping[str, str]) -> str:
    """What one use comes to."""
    value = values.get(use.name)
    has_value = bool(value) if use.operator.startswith(":") else value is not None
    if use.operator.endswith("-") and not has_value:
        return evaluated(use.word, values)
    if use.operator.endswith("+"):
        return evaluated(use.word, values) if has_value else ""
    return value or ""


def is_refused(use: Use, values: Mapping[str, str]) -> bool:
    """True if Compose refuses to go on, because a variable that must have a value has none."""
    value = values.get(use.name)
    return use.operator.endswith("?") and not (value if use.operator.startswith(":") else value is not None)


def rewritten(template: Template, written: Callable[[Use], str]) -> str:
    """The text with something else in place of each use."""
    return "".join(part if isinstance(part, str) else written(part) for part in template)


def compose_text(template: Template) -> str:
    """The inverse of `parsed`."""
    return "".join(part.replace("$", "$$") if isinstance(part, str) else _use_text(part) for part in template)


def _use_text(use: Use) -> str:
    return f"${{{use.name}{use.operator}{compose_text(use.word)}}}"
