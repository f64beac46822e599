"""Holds what `--json` prints against schemas/output/. Helpers that run verbs call `checked`, so every test of a verb tests its schema, too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from dusty_tasks.cli.parsing import UsageError, parse
from dusty_tasks.verbs.table import BY_NAME, meant

FOLDER = Path(__file__).parent.parent / "schemas/output"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
_REGISTRY: Registry = Registry().with_resources(
    [(f"{name}.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items()]
)


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[name], registry=_REGISTRY)


def values_in(text: str) -> list[Any]:
    """The JSON values that stand one after the other in `text`."""
    found, decoder, rest = [], json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def mistakes(name: str, value: Any) -> list[str]:
    """What of one value does not fit the schema of a verb, nor that of a failure."""
    if isinstance(value, dict) and value.get("ok") is False and value.keys() == {"ok", "problems"}:
        name = "failure"
    return [f"{name}: {error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]


def checked(words: Sequence[str], printed: str) -> None:
    """Raise AssertionError if these words ask a verb for JSON, and what it printed is not as its schema says."""
    name = meant(words[0])[0] if words else ""
    if "--json" not in words or name not in BY_NAME:
        return
    try:
        _words, options = parse(BY_NAME[name], words[1:])
    except UsageError:
        return
    if options.get("json") and not options["help"]:
        name = "timeline" if options.get("timeline") else name
        wrong = [text for value in values_in(printed) for text in mistakes(name, value)]
        assert not wrong, "\n".join(wrong)
