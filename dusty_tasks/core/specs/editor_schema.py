"""A schema as an editor needs it.

An editor judges the values that YAML itself makes of a file, such as the number 8000 in `PORT: 8000`. Dusty takes a scalar
as written where a text is expected, and a key with nothing after it as left out (docs/specs.md).
"""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.yaml_reader import FALSE, TRUE

_YES_OR_NO = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in (*TRUE, *FALSE))


def schema_for_editors(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` (without `$ref`s), accepting every value that the checks accept."""
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
            key: schema_for_editors(below) if key in required else _or_nothing(schema_for_editors(below))
            for key, below in part.items()
        }
    if word == "additionalProperties" and isinstance(part, dict):
        return _or_nothing(schema_for_editors(part))
    if word in ("oneOf", "anyOf"):
        return [_choice(choice) for choice in part]
    return schema_for_editors(part) if word == "items" else part


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
