"""A schema as an editor needs it.

An editor judges the values that YAML itself makes of a file, such as the number 8000 in `PORT: 8000`. Dusty takes a scalar
as written where a text is expected, and a key with nothing after it as left out (docs/specs.md).
"""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.yaml_scalars import FALSE, TRUE

_YES_OR_NO = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in (*TRUE, *FALSE))


_OF_THE_WHOLE = ("required", "dependentRequired", "oneOf", "anyOf")
"""What a spec need not have that extends another: what it lacks stands there (core/specs/extends)."""


def schema_for_editors(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` (without `$ref`s) of one kind of file, accepting every value that the checks accept."""
    widened = _widened(schema)
    if "extends" not in schema.get("properties", {}):
        return widened
    whole = {word: widened.pop(word) for word in _OF_THE_WHOLE if word in widened}
    parts = {key: _of_a_part(part) for key, part in widened["properties"].items()}
    own = {key: part for key, part in widened["properties"].items() if part != parts[key]}
    return {
        **widened,
        "properties": parts,
        "if": {"required": ["extends"]},
        "else": {**whole, "properties": own},
    }


def _of_a_part(schema: dict[str, Any]) -> dict[str, Any]:
    """A mapping that another file may complete; the items of a list are never completed."""
    part = {word: below for word, below in schema.items() if word not in _OF_THE_WHOLE}
    if "properties" in part:
        part["properties"] = {key: _of_a_part(below) for key, below in part["properties"].items()}
    return part


def _widened(schema: dict[str, Any]) -> dict[str, Any]:
    widened = {word: _below(word, part, schema) for word, part in schema.items()}
    types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if "string" in types and "enum" not in schema:
        widened["type"] = list(dict.fromkeys([*types, "number", "boolean"]))
    elif "boolean" in types:
        widened.update(type=[*types, "string"], pattern=f"^({_YES_OR_NO})$")
    return widened


def _below(word: str, part: Any, schema: dict[str, Any]) -> Any:
    if word == "properties":
        required = schema.get("required", ())
        return {
            key: _widened(below) if key in required else _or_nothing(_widened(below)) for key, below in part.items()
        }
    if word == "additionalProperties" and isinstance(part, dict):
        return _or_nothing(_widened(part))
    if word in ("oneOf", "anyOf"):
        return [_choice(choice) for choice in part]
    return _widened(part) if word == "items" else part


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    """One of the keys of which some are required; nothing after it is not enough."""
    return {
        "type": "object",
        **choice,
        "properties": {key: {"not": {"type": "null"}} for key in choice.get("required", ())},
    }


def _or_nothing(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, for a key that may have nothing after it."""
    wider = dict(schema)
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        wider["type"] = list(dict.fromkeys([*types, "null"]))
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], None]
    if "oneOf" in schema:
        wider["oneOf"] = [*schema["oneOf"], {"type": "null"}]
    return wider
