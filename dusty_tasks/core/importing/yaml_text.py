"""Specs as YAML that a person would write: block style, texts of several lines as they are, short lists on one line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.artifacts.yaml_writer import scalar

WIDTH = 100
_BLOCK = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\t\r]*")


def yaml_text(value: Mapping[str, Any]) -> str:
    """The document; the same value gives the same text."""
    return "\n".join(_mapping(value, "")) + "\n" if value else "{}\n"


def _mapping(value: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        lines += _item(f"{indent}{scalar(str(key))}:", item, indent)
    return lines


def _item(head: str, item: Any, indent: str) -> list[str]:
    if isinstance(item, Mapping) and item:
        short = _flow(item)
        if short and len(item) <= 4 and len(head) + len(short) < WIDTH and _is_flat(item):
            return [f"{head} {short}"]
        return [head, *_mapping(item, f"{indent}  ")]
    if isinstance(item, (list, tuple)) and item:
        short = _flow(item)
        if (
            short
            and len(head) + len(short) < WIDTH
            and all(not isinstance(one, (Mapping, list, tuple)) for one in item)
        ):
            return [f"{head} {short}"]
        return [head, *_list(item, f"{indent}  ")]
    if isinstance(item, str) and "\n" in item.rstrip("\n") and _BLOCK.fullmatch(item) and not _begins_oddly(item):
        sign = "|" if item.endswith("\n") and not item.endswith("\n\n") else "|-" if not item.endswith("\n") else "|+"
        return [
            f"{head} {sign}",
            *(f"{indent}  {line}" if line else "" for line in item.removesuffix("\n").split("\n")),
        ]
    return [f"{head} {scalar(item)}"]


def _begins_oddly(text: str) -> bool:
    return text[0] in " \n" or text.endswith("\n\n")


def _list(items: list[Any] | tuple[Any, ...], indent: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, Mapping) and item:
            short = _flow(item)
            if short and len(indent) + len(short) < WIDTH and _is_flat(item):
                lines.append(f"{indent}- {short}")
                continue
            inner = _mapping(item, f"{indent}  ")
            lines += [f"{indent}- {inner[0].lstrip()}", *inner[1:]]
        elif isinstance(item, (list, tuple)) and item:
            lines += [f"{indent}-", *_list(item, f"{indent}  ")]
        else:
            lines += _item(f"{indent}-", item, indent)
    return lines


def _is_flat(value: Any) -> bool:
    children = value.values() if isinstance(value, Mapping) else value
    return not any(isinstance(child, (Mapping, list, tuple)) and child for child in children)


def _flow(value: Any) -> str:
    """On one line, '' where that needs escapes."""
    if isinstance(value, Mapping):
        parts = [f"{scalar(str(key))}: {_flow(item)}" for key, item in value.items()]
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return scalar(value)
