"""Files of variables, `.env` and those of `env_file`, as Compose reads them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dusty_tasks.core.importing.interpolation import BadTemplate, evaluated, parsed

_BEGIN = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_.][A-Za-z0-9_.\[\]-]*)[ \t]*(?P<sign>[=:])?[ \t]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$", "'": "'"}


class BadLine(ValueError):
    """A line that is no assignment; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def variables_of(text: str, known: Mapping[str, str], *, is_raw: bool = False) -> dict[str, str | None]:
    """Name -> value of a file of variables; None for a name alone. Raises BadLine.

    Values may use variables: those of `known`, and those of earlier lines. With `is_raw` they are taken as they are.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if not line or line.startswith("#"):
            at = end + 1
            continue
        begin = _BEGIN.match(text, at, end)
        rest = text[begin.end() : end].strip() if begin else ""
        if begin is None or (not begin["sign"] and rest and not rest.startswith("#")):
            raise BadLine(text.count("\n", 0, at) + 1)
        if not begin["sign"]:
            found[begin["name"]] = None
            at = end + 1
            continue
        if is_raw:
            found[begin["name"]] = text[begin.end("sign") : end]
            at = end + 1
            continue
        raw, at = _value(text, begin.end(), end)
        if isinstance(raw, str):
            values = {**{name: value for name, value in found.items() if value is not None}, **known}
            try:
                found[begin["name"]] = evaluated(parsed(raw), values)
            except BadTemplate:
                found[begin["name"]] = raw
        else:
            found[begin["name"]] = raw[0]
    return found


def _value(text: str, start: int, end: int) -> tuple[str | tuple[str], int]:
    """The value from `start` on, and where the next line begins: a template, or in a tuple a text that is none."""
    quote = text[start : start + 1]
    if quote not in ("'", '"') or not quote:
        value = re.split(r"[ \t]#|^#", text[start:end], maxsplit=1)[0].strip()
        return value, end + 1
    at, value = start + 1, ""
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and quote == '"' and text[at + 1 : at + 2] in _ESCAPES:
            value, at = value + _ESCAPES[text[at + 1]], at + 2
        elif text[at] == "\\" and quote == "'" and text[at + 1 : at + 2] == "'":
            value, at = value + "'", at + 2
        else:
            value, at = value + text[at], at + 1
    if at >= len(text):
        raise BadLine(text.count("\n", 0, start) + 1)
    after = text.find("\n", at)
    after = len(text) if after < 0 else after
    return (value if quote == '"' else (value,)), after + 1
