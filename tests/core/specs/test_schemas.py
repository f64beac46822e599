"""The schemas: valid, fit for an editor, and equal to what the code knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from dusty_tasks import resources
from dusty_tasks.core.settings.keys import KEYS
from dusty_tasks.core.specs.compose_keys.known import KNOWN_KEYS
from dusty_tasks.core.specs.compose_rules import COMPOSE_FORMATS
from dusty_tasks.core.specs.editor_schema import schema_for_editors
from dusty_tasks.core.specs.rules import FORMATS
from dusty_tasks.effects.specs.schemas import read_schema

KINDS = ("app", "bundle", "config", "lib", "service")
TYPES = {
    "string": "string",
    "size": ["string", "integer"],
    "integer": "integer",
    "number": ["integer", "number"],
    "boolean": "boolean",
    "strings": "array",
    "mapping": "object",
}


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, dict):
        yield schema
        for below in schema.values():
            yield from parts(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from parts(below)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_a_schema_of_2020_12_with_title_and_descriptions(kind: str) -> None:
    schema = read_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] and schema["description"]
    assert "$ref" not in json.dumps(schema)
    for part in parts(schema):
        for key, below in part.get("properties", {}).items():
            assert len(below["description"]) > 4, key


def test_formats_are_rules_of_ours() -> None:
    named = {
        part["format"] for kind in KINDS for part in parts(read_schema(kind)) if isinstance(part.get("format"), str)
    }
    assert named == set(FORMATS) | set(COMPOSE_FORMATS)


def test_compose_keys_are_those_that_the_code_knows() -> None:
    assert set(read_schema("compose")["properties"]) - {"image_requires_login"} == KNOWN_KEYS


def test_config_has_the_keys_of_the_table() -> None:
    found: dict[str, dict[str, Any]] = {}
    for name, schema in read_schema("config")["properties"].items():
        if name in KEYS:
            found[name] = schema
        else:
            assert schema["additionalProperties"] is False
            found.update({f"{name}.{below}": part for below, part in schema["properties"].items()})
    assert set(found) == set(KEYS)
    for name, key in KEYS.items():
        schema = found[name]
        assert (schema["description"], schema["type"]) == (key.description, TYPES[key.kind]), name
        assert schema.get("enum", []) == list(key.values), name
        assert schema.get("default") == key.default, name


AS_EDITORS_SEE_THEM = [
    (
        "app",
        {
            "image": 5,
            "build": None,
            "commands": {"always": ["top", True, 1.5], "once": None},
            "test": None,
            "image_requires_login": "yes",
            "host_forwarding": [{"host_name": "a.test", "host_port": 80, "container_port": 80, "type": None}],
            "compose": {
                "environment": {"PORT": 8000, "DEBUG": True, "VERSION": 1.1},
                "ports": [80, {"target": 80, "published": 80}],
                "expose": 80,
                "labels": {"a": None, "b": 1},
                "tty": "On",
                "command": None,
            },
        },
    ),
    ("bundle", {"description": 1, "apps": [1, "web"], "services": None}),
    ("lib", {"repo": "/x", "mount": "/x", "install": None}),
    ("service", {"image": "a", "user": 1000, "hostname": None}),
    (
        "config",
        {"specs_repo": None, "env": {"web": {"A": 1, "B": None}}, "external_bind": "no", "hosts": {"mode": None}},
    ),
]


@pytest.mark.parametrize(("kind", "value"), AS_EDITORS_SEE_THEM)
def test_an_editor_accepts_what_the_checks_accept(kind: str, value: Any) -> None:
    schema = schema_for_editors(read_schema(kind))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(value)) == []


@pytest.mark.parametrize(
    "value",
    [
        {"image": ["a"]},
        {"image": None},
        {"build": "x"},
        {"commands": {"always": [None]}},
        {"commands": {"once": []}},
        {"image_requires_login": "maybe"},
        {"host_forwarding": [{"host_name": "a", "host_port": "80", "container_port": 80}]},
        {"imgae": "a"},
        {"host_forwarding": [{"host_name": "a", "host_port": 80, "container_port": 80, "type": "tcp"}]},
    ],
)
def test_an_editor_refuses_what_is_wrong_however_yaml_reads_it(value: dict[str, Any]) -> None:
    schema = schema_for_editors(read_schema("app"))
    assert list(
        jsonschema.Draft202012Validator(schema).iter_errors({"image": "a", "commands": {"always": []}, **value})
    )


def test_the_files_are_written_the_way_json_is_written_here() -> None:
    for path in resources.folder("schemas").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path.name


@pytest.mark.parametrize("kind", ["app", "lib", "service", "bundle"])
def test_a_key_is_of_one_type_or_told_apart_by_its_type(kind: str) -> None:
    """Reading is guided by `type`, `properties`, `items` and `additionalProperties`: nothing else may decide a value's type."""
    allowed_at = {"required", "maxProperties"}
    for part in parts(read_schema(kind)):
        for keyword in ("oneOf", "anyOf"):
            for choice in part.get(keyword, ()):
                assert set(choice) <= allowed_at
        assert not {"allOf", "if", "not", "prefixItems"} & set(part)
        assert part.get("patternProperties", {"^x-": {}}) == {"^x-": {}}
