"""schemas/output/ has a schema of every `--json`, each strict and explained, and docs/json.md says the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import json_outputs
import pytest
from jsonschema import Draft202012Validator

from dusty_tasks.cli import json_pages as pages
from dusty_tasks.verbs.table import VERBS

WITH_JSON = {verb.name for verb in VERBS if any(option.name == "json" for option in verb.options)}


def parts_of(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its path."""
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from parts_of(part, f"{where}[{number}]")
    elif isinstance(schema, dict):
        yield where, schema
        for key, part in schema.items():
            yield from parts_of(part, f"{where}.{key}")


def test_every_json_has_a_schema_and_every_schema_a_verb() -> None:
    assert json_outputs.SCHEMAS.keys() == WITH_JSON | {"failure", "shared"}


@pytest.mark.parametrize("name", json_outputs.SCHEMAS)
def test_a_schema_is_strict_and_says_what_each_key_is(name: str) -> None:
    schema = json_outputs.SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    for where, part in parts_of(schema, name):
        if part.get("type") == "object":
            assert "additionalProperties" in part, where
        for key, below in part.get("properties", {}).items() if "type" in part else ():
            assert below.get("description") or "$ref" in below, f"{where}.{key} has no description"


def test_what_no_schema_allows_is_told() -> None:
    told = '{"ok": false, "problems": [{"file": "", "what": "the specs are gone"}]}'
    with pytest.raises(AssertionError, match=r"failure: \$\.problems\[0\]: 'line' is a required property"):
        json_outputs.checked(["validate", "--json"], told)
    with pytest.raises(AssertionError, match="'more' was unexpected"):
        json_outputs.checked(["urls", "--json"], '[{"name": "web", "url": "http://web.test", "more": 1}]')
    json_outputs.checked(["timeline", "--json"], "")
    json_outputs.checked(["shell", "web", "--json"], "no JSON of Dusty's")


def test_the_document_is_what_the_schemas_make(bless: bool) -> None:
    if bless:
        pages.main()
    text = pages.PATH.read_text(encoding="utf-8")
    assert text == pages.document(), "run: python -m dusty_tasks.cli.json_pages"
    assert all(f"## dusty {name}\n" in text for name in WITH_JSON)
