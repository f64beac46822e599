"""From artifact lines and keys back to the spec lines that put them there: build/origins.json."""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.documents import path_text
from dusty_tasks.core.problems import Place
from dusty_tasks.core.specs import KeyPath, Origin
from dusty_tasks.core.traced import Artifact

CONFIG_FILE = "config.yml"

_OLD_KEYS: dict[str, tuple[str, ...]] = {
    "network_mode": ("net",), "depends_on": ("links", "volumes_from", "net", "network_mode"),
    "logging": ("log_driver", "log_opt"), "build": ("dockerfile",)}
"""Compose keys and what a spec may have written for them (spec-language 1.6)."""

Places = Mapping[str, Mapping[KeyPath, tuple[int, int]]]


class Source(NamedTuple):
    """What put something into an artifact: a place of a spec, or a setting ('config.yml', key)."""

    place: str
    """`apps/web.yml:12:5`, or `config.yml` for a setting."""
    key: str
    """The dotted key there, '' for a whole file."""

    def __str__(self) -> str:
        return f"{self.place}{': ' if self.key else ''}{self.key}"


def origins_json(artifacts: Mapping[str, Artifact], places: Places) -> str:
    """build/origins.json: artifact -> its spans, each with lines, key, place and spec key."""
    entries = {path: [_entry(span.first, span.last, span.key, source_of(span.origin, places)) for span in artifact.spans]
               for path, artifact in sorted(artifacts.items()) if artifact.spans}
    rows = [f"{json.dumps(path)}:{json.dumps(spans, ensure_ascii=False)}" for path, spans in entries.items()]
    return "{" + ",\n".join(rows) + "}\n"


def _entry(first: int, last: int, key: str, source: Source) -> dict[str, Any]:
    return {"lines": [first, last], "key": key, "from": source.place, "spec_key": source.key}


def source_of(origin: Origin, places: Places) -> Source:
    """Where an origin stands now: its key, else what an older Compose called it, else its nearest parent."""
    if not origin.file:
        return Source(CONFIG_FILE, path_text(origin.path))
    known = places.get(origin.file, {})
    path = origin.path
    while path:
        for spelling in (path, *_old_spellings(path)):
            if spelling in known:
                return Source(str(Place(origin.file, *known[spelling])), path_text(spelling))
        path = path[:-1]
    return Source(str(Place(origin.file)), "")


def _old_spellings(path: KeyPath) -> list[KeyPath]:
    if not isinstance(path[-1], str):
        return []
    return [(*path[:-1], old) for old in _OLD_KEYS.get(path[-1], ())]


def source_at(origins: Mapping[str, Any], artifact: str, where: int | str) -> Source | None:
    """What put a line (from 1) or key of an artifact there, by the content of origins.json; None if Dusty itself did.

    A key without an entry has its nearest parent's.
    """
    spans = origins.get(artifact, ())
    if isinstance(where, int):
        found = [span for span in spans if span["lines"][0] <= where <= span["lines"][1]]
        return _source(found[-1]) if found else None
    by_key = {span["key"]: span for span in spans}
    key = where
    while key:
        if key in by_key:
            return _source(by_key[key])
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _source(span: Mapping[str, Any]) -> Source:
    return Source(span["from"], span["spec_key"])
