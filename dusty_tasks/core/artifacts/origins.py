"""From artifact lines and keys back to the spec lines that put them there: build/origins.json."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from dusty_tasks.core.artifacts.traced import Span
from dusty_tasks.core.artifacts.yaml_writer import Lines
from dusty_tasks.core.specs.documents import Spot
from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.specs.sources import Places, Source, _source
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.paths import COMPOSE_FILE

_COMPOSE_KEY = re.compile(r"\bservices[.\[][A-Za-z0-9._\[\]-]+")


def origins_json(members: Iterable[str]) -> str:
    """build/origins.json: artifact -> its rows, each with lines, key, place and spec key."""
    return "{" + ",\n".join([text for text in members if text]) + "}\n"


def member(path: str, rows: Sequence[str]) -> str:
    """One artifact as it stands in the file; nothing without rows."""
    return f"{encode_basestring(path)}:[\n" + ",\n".join(rows) + "]" if rows else ""


def members_of(spans_by_path: Mapping[str, Iterable[Span]], places: Places) -> str:
    """Artifacts and the rows of their spans."""
    known: dict[str, Mapping[KeyPath, Spot]] = {}
    members = [
        member(path, [row_at(first, last, _rest(key, origin, places, known)) for first, last, key, origin in spans])
        for path, spans in sorted(spans_by_path.items())
    ]
    return ",\n".join([text for text in members if text])


def rests_of(lines: Lines, places: Places) -> list[str]:
    """For each line its row without line numbers, for row_at; '' where no spec put the line there."""
    known: dict[str, Mapping[KeyPath, Spot]] = {}
    return [
        _rest(key, origin, places, known) if origin else ""
        for key, origin in zip(lines.keys, lines.origins, strict=True)
    ]


def row_at(first: int, last: int, rest: str) -> str:
    """A row for these lines. Written by hand: the Compose file of 500 apps has 14,000 of them."""
    return f'{{"lines":[{first},{last}],{rest}'


def _rest(key: str, origin: Origin, places: Places, known: dict[str, Mapping[KeyPath, Spot]]) -> str:
    """All of a row but its lines; `known` keeps what was looked up in `places`."""
    file = origin.file
    if file not in known:
        known[file] = places.get(file, {})
    place, spec_key = _source(origin, known[file])
    return (
        f'"key":{encode_basestring(key)},"from":{encode_basestring(place)},"spec_key":{encode_basestring(spec_key)}}}'
    )


def source_at(origins: Mapping[str, Any], artifact: str, where: int | str) -> Source | None:
    """What put a line (from 1) or key of an artifact there, by the content of origins.json; None if Dusty itself did.

    A key without an entry has its nearest parent's.
    """
    spans = origins.get(artifact, ())
    if isinstance(where, int):
        found = [span for span in spans if span["lines"][0] <= where <= span["lines"][1]]
        return _of_span(found[-1]) if found else None
    return source_in(spans_by_key(origins, artifact), where)


def spans_by_key(origins: Mapping[str, Any], artifact: str) -> dict[str, Any]:
    """The rows of an artifact by key, for who asks for many."""
    return {span["key"]: span for span in origins.get(artifact, ())}


def source_in(by_key: Mapping[str, Any], where: str) -> Source | None:
    """What put a key there, by the rows of its artifact; a key without a row has its nearest parent's."""
    key = _nearest_key(where, by_key)
    return _of_span(by_key[key]) if key else None


def keys_beside(origins: Mapping[str, Any], artifact: str, key: str) -> list[str] | None:
    """The keys with the same parent, for one that an artifact does not hold; None if it does hold it."""
    keys = {span["key"] for span in origins.get(artifact, ())} - {""}
    if any(known == key or known.startswith((f"{key}.", f"{key}[")) for known in keys):
        return None
    parent = _nearest_key(key, keys)
    return sorted(known for known in keys if _nearest_key(_parent(known), keys) == parent)


def _nearest_key(key: str, known: Collection[str]) -> str:
    """The key itself or its nearest parent among those that are known; ''."""
    while key and key not in known:
        key = _parent(key)
    return key


def _parent(key: str) -> str:
    return key[: max(key.rfind("."), key.rfind("["), 0)]


def sources_named_in(printed: str, origins: Mapping[str, Any]) -> list[Source]:
    """What put those keys into the Compose file that Compose names in what it printed: `services.web.restart must be …`."""
    words = (
        re.sub(r"^services\[([^\]]+)\]", r"services.\1", word.rstrip(".:,'\""))
        for word in _COMPOSE_KEY.findall(printed)
    )
    found = (source_at(origins, COMPOSE_FILE, word) for word in dict.fromkeys(words))
    return list(dict.fromkeys(source for source in found if source))


def _of_span(span: Mapping[str, Any]) -> Source:
    return Source(span["from"], span["spec_key"])
