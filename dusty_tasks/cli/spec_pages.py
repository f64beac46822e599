"""The tables of keys in docs/specs.md, made from the schemas: `python -m dusty_tasks.cli.spec_pages` rewrites them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dusty_tasks.effects.specs.schemas import read_schema
from dusty_tasks.resources import PACKAGE

PATH = PACKAGE.parent / "docs" / "specs.md"
_TABLE = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end of keys -->)", re.DOTALL)
_TYPES = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


def document(text: str) -> str:
    """`text` with each table of keys as the schemas have it."""
    return _TABLE.sub(lambda found: f"{found[1]}{table(found[2])}{found[3]}", text)


def table(kind: str) -> str:
    """The keys of one kind of file: name, type, default, meaning."""
    schema = read_schema("app")["properties"]["test"] if kind == "test" else read_schema(kind)
    rows = [
        f"| `{name}` | {_type(part)} | {_default(part, is_required)} | {_cell(part.get('description', ''))} |"
        for name, part, is_required in _keys(schema, "")
    ]
    return "\n".join(["| key | type | default | |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _keys(schema: dict[str, Any], above: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Dotted key, its schema, and whether it must be there; keys of Compose and of `test` are told elsewhere."""
    for key, below in schema.get("properties", {}).items():
        name = f"{above}.{key}" if above else key
        yield name, below, key in schema.get("required", ())
        if below.get("title") == "Compose keys" or key in ("test", "build"):
            continue
        yield from _keys(below, name)
        yield from _keys(below.get("items", {}), f"{name}[]")


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if types == ["array"] and schema.get("items", {}).get("type") == "string":
        return "list of texts"
    return " or ".join(dict.fromkeys(_TYPES[name] for name in types))


def _default(schema: dict[str, Any], is_required: bool) -> str:
    if is_required:
        return "required"
    value = schema.get("default")
    if value is None or value in ("", [], {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(path: Path = PATH) -> None:
    """Rewrite the tables of the document."""
    path.write_text(document(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
