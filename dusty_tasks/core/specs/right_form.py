"""What a value of the wrong type is, what the schema wants in its place, and how the value would be written then. Pure."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.yaml_scalars import FALSE, TRUE
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.safe import shown

_SHORT = 59
"""Characters of a text that hints show whole."""


def same_in_the_right_type(value: Any, schema: dict[str, Any]) -> str:
    """The value as the type that is wanted, where it can mean nothing else; ''."""
    types = schema["type"]
    if not isinstance(value, str) or "\n" in value or len(value) > _SHORT:
        return ""
    if types in ("integer", "boolean"):
        return _without_quotes(types, value).removeprefix("write ").removesuffix(" without quotes")
    return _flow(value) if types == "array" and schema.get("items", {}).get("type") == "string" and value else ""


def wanted_type(schema: dict[str, Any]) -> str:
    """The types that a schema allows, in words."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = []
    if "integer" in types or "number" in types:
        words.append("a number" if "number" in types else "a whole number")
    for name, word in (("boolean", "true or false"), ("string", "a string"), ("object", "a mapping")):
        if name in types:
            words.append(word)
    if "array" in types:
        items = schema.get("items", {}).get("type", "")
        if "minLength" in schema.get("items", {}):
            items = "string"  # names, which may say more in a mapping
        noun = {"string": "strings", "object": "mappings"}.get(items, "values") if isinstance(items, str) else "values"
        words.append(f"a list of {noun}")
    return " or ".join(words)


def given_type(value: Any) -> str:
    """The type that a value has, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "that")


def right_form(path: KeyPath, value: Any, schema: dict[str, Any]) -> str:
    """The value in the form that the schema wants, where that can be guessed."""
    types = schema["type"]
    if value is None:
        return "remove the empty item"
    if types == "string" and isinstance(value, dict):
        if path and list(value) == ["default"] and isinstance(value["default"], str):
            return f"{path[-1]}: {_plain(value['default'])}"
        return 'put quotes around text that holds ": "'
    if types in ("integer", "boolean") and isinstance(value, str):
        return _without_quotes(types, value)
    if "array" in types and isinstance(value, str) and "\n" in value:
        return f"make it a list of one item: {path[-1]}:, and on the next line - |" if path else ""
    start = f"{path[-1]}: " if path and isinstance(path[-1], str) else "- "
    items = schema.get("items", {})
    if "array" in types:
        wants_mappings = items.get("type") == "object" or (isinstance(value, dict) and "properties" in items)
        return start + (f"[{_members(items, None)}]" if wants_mappings else _flow(value))
    if types == "string" and isinstance(value, list):
        return start + _plain(value[0]) if len(value) == 1 and isinstance(value[0], str) else ""
    return start + _members(schema, value) if "object" in types else ""


def _without_quotes(wanted: str, text: str) -> str:
    if wanted == "integer" and text.isascii() and text.isdigit():
        return f"write {int(text)} without quotes"
    return f"write {text.lower()} without quotes" if wanted == "boolean" and text.lower() in TRUE + FALSE else ""


def _members(schema: dict[str, Any], value: Any) -> str:
    """A mapping as a hint shows it: its first key where there are few to choose from, with `value` if that is a list of texts."""
    known = list(schema.get("properties", ()))
    if not 0 < len(known) < 20:
        return "{…}"
    is_for_it = schema["properties"][known[0]].get("type") == "array" and isinstance(value, (str, list))
    return f"{{{known[0]}: {_flow(value) if is_for_it else '…'}}}"


def _flow(value: Any) -> str:
    return f"[{', '.join(map(_plain, value if isinstance(value, (list, dict)) else [value]))}]"


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else shown(value)
    is_safe = text.isprintable() and not set(text) & set("[]{},:#&*!|>'\"%@`\\") and text == text.strip()
    return text if is_safe and len(text) < 60 else shown(text)
