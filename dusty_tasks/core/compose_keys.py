"""Compose keys, version 1 or today's, as today's Compose Specification (spec-language 1.6)."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.build_specs import at, mappings
from dusty_tasks.core.documents import Document
from dusty_tasks.core.problems import Problem
from dusty_tasks.core.specs import KeyPath


class Names(NamedTuple):
    """The names that all documents define, whether or not they could be read."""

    by_kind: dict[str, frozenset[str]]
    containers: frozenset[str]
    """Apps and services: what has a container."""

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Names:
        by_kind = {kind: frozenset(document.name for document in documents if document.kind == kind)
                   for kind in ("app", "lib", "service", "bundle")}
        return cls(by_kind, by_kind["app"] | by_kind["service"])


def translated(document: Document, names: Names, problems: list[Problem]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The Compose mapping of a document, and those of its suites; problems are added to `problems`."""
    value = document.value if document.kind == "service" else at(document.value, "compose")
    suites = [suite.get("compose") or {} for _, suite in mappings(document.value, "test", "suites")]
    return dict(value) if isinstance(value, dict) else {}, suites


def compose_references(document: Document, names: Names) -> Iterator[tuple[KeyPath, str]]:
    return iter(())
