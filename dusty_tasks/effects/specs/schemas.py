"""What specs and artifacts are read and made by: the schemas, each made whole with what it refers to in another file, and the templates."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from dusty_tasks import resources

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.templates import Templates


@cache
def read_schema(kind: str) -> dict[str, Any]:
    """The schema of `app`, `lib`, `service`, `bundle`, `config` or `compose`, without any `$ref`."""
    schema: dict[str, Any] = _whole(_file(f"{kind}.json"))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


@cache
def _file(name: str) -> Any:
    return json.loads((resources.folder("schemas") / name).read_text(encoding="utf-8"))


def _whole(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_whole(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    own = {key: _whole(part) for key, part in schema.items() if key not in ("$ref", "$schema")}
    if "$ref" not in schema:
        return own
    referred = _referred(schema["$ref"])
    both = [part["properties"] for part in (referred, own) if "properties" in part]
    return {**referred, **own, **({"properties": {**both[0], **both[-1]}} if both else {})}


@cache
def _referred(reference: str) -> dict[str, Any]:
    name, _, pointer = reference.partition("#")
    part = _file(name)
    for key in pointer.split("/")[1:]:
        part = part[key]
    whole: dict[str, Any] = _whole(part)
    return whole


@cache
def read_templates() -> Templates:
    """All templates, by their name below templates/."""
    from dusty_tasks.core.artifacts.templates import Templates

    folder = resources.folder("templates")
    return Templates(
        {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    )
