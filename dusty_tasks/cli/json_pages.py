"""docs/json.md, made from schemas/output/: `python -m dusty_tasks.cli.json_pages` rewrites it, a test compares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dusty_tasks import resources
from dusty_tasks.resources import PACKAGE
from dusty_tasks.verbs.table import VERBS

PATH = PACKAGE.parent / "docs" / "json.md"
SHARED = "shared.json#/$defs/"

HEAD = """# JSON for programs

For people who call Dusty from scripts, editors and CI: what each command prints with `--json`. This page is generated from the JSON
Schemas in `schemas/output` (`python -m dusty_tasks.cli.json_pages`); the tests hold every output against its schema.

* The JSON is the only thing on stdout; warnings and progress go to stderr. The exit code is that of the command without `--json`.
* Times are local with their offset, places are `file:line:column`, and control characters in texts are escaped.
* Later versions may add keys. They do not rename or remove one without a line in CHANGELOG.md under "Changed".
* A key with a `?` is not always there. Keys of a list's items follow `[]`, those of a mapping with names of yours follow `*`.
"""


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one verb's output, of `failure`, or `shared`."""
    text = (resources.folder("schemas") / "output" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def document() -> str:
    """The whole of docs/json.md."""
    with_json = [verb.name for verb in VERBS if any(option.name == "json" for option in verb.options)]
    parts = [HEAD, _section("Failures", schema_of("failure")), _shared()]
    parts += [_section(f"dusty {name}", schema_of(name)) for name in with_json]
    return "\n".join(parts)


def _section(title: str, schema: dict[str, Any]) -> str:
    lines = [f"## {title}", "", schema["description"]]
    if "anyOf" in schema:
        for form in schema["anyOf"]:
            lines += ["", f"`dusty {form['title']}`: {form['description']}", "", *_table(form, schema)]
    else:
        lines += ["", *_table(schema, schema)]
    return "\n".join(lines) + "\n"


def _shared() -> str:
    """What several outputs have in common, each under a name of its own."""
    parts = ["## Shared parts\n"]
    for name, part in schema_of("shared")["$defs"].items():
        parts.append("\n".join([f"### {name}", "", part["description"], "", *_table(part, part)]) + "\n")
    return "\n".join(parts)


def _table(schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{key}`{'' if always else '?'} | {_type(part)} | {_described(part)} |"
        for key, part, always in _keys(schema, root, "", True)
    ]
    return ["| key | type | |", "| --- | --- | --- |", *rows]


def _keys(
    part: dict[str, Any], root: dict[str, Any], name: str, always: bool
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Each key below `part` with its schema, and whether it is always there."""
    if name:
        yield name, part, always
    reference = part.get("$ref", "") or next((one["$ref"] for one in part.get("anyOf", ()) if "$ref" in one), "")
    if reference.startswith("#/$defs/"):
        yield from _below(root["$defs"][reference.removeprefix("#/$defs/")], root, name)
    yield from _below(part, root, name)


def _below(part: dict[str, Any], root: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for key, below in part.get("properties", {}).items():
        yield from _keys(below, root, f"{name}.{key}" if name else key, key in part.get("required", ()))
    if part.get("items", {}).get("type") in ("object", None) and "items" in part:
        item = part["items"]
        if item.get("$ref", "").startswith("#/$defs/"):
            item = root["$defs"][item["$ref"].removeprefix("#/$defs/")]
        yield from _below(item, root, f"{name}[]")
    if isinstance(part.get("additionalProperties"), dict):
        yield from _keys(part["additionalProperties"], root, f"{name}.*" if name else "*", True)


def _type(part: dict[str, Any]) -> str:
    if "$ref" in part:
        return _linked(part["$ref"])
    if "anyOf" in part:
        return " or ".join(map(_type, part["anyOf"]))
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    kinds = [part["type"]] if isinstance(part.get("type"), str) else part.get("type", ["anything"])
    text = " or ".join(kinds)
    return (
        text.replace("array", f"list of {_type(part['items'])}") if "items" in part else text.replace("array", "list")
    )


def _linked(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name})" if reference.startswith(SHARED) else "object"


def _described(part: dict[str, Any]) -> str:
    text: str = part.get("description", "")
    return text.replace("|", "\\|")


def main(path: Path = PATH) -> None:
    """Write the document."""
    path.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
