"""The names that specs define, from what earlier runs left in state/: for the TAB key, so no YAML is parsed and nothing fails."""

from __future__ import annotations

from typing import Any, NamedTuple

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.memos import read_memo
from dusty_tasks.effects.home.assets import set_keys


class KnownNames(NamedTuple):
    """Names by kind, as far as they are known."""

    bundles: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    """Short names; the id where several repos share one."""
    assets: tuple[str, ...] = ()
    scripts: dict[str, tuple[str, ...]] = {}
    """By app."""
    suites: dict[str, tuple[str, ...]] = {}
    """By app or lib; those of both where they share a name."""


def read_known_names(home: str) -> KnownNames:
    """What the cache of parsed specs holds; nothing where there is none, or one of another form."""
    try:
        read = [Document.from_text(text) for text in read_memo(Paths(home).documents).known.values()]
        # One that extends another is kept twice: as written, then merged.
        documents = {(document.kind, document.name): document.value for document in read if not document.is_template}
        return known_names([(*key, value) for key, value in documents.items()], set_keys(home))
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return KnownNames()


def known_names(documents: list[tuple[str, str, dict[str, Any]]], assets_set: set[str]) -> KnownNames:
    """The names in spec values as written: (kind, name, value) each."""

    def named(kind: str) -> tuple[str, ...]:
        return tuple(sorted(name for found, name, _value in documents if found == kind))

    suites: dict[str, tuple[str, ...]] = {}
    for _kind, name, value in documents:
        found = _names_in(value.get("test", {}).get("suites", ()) if isinstance(value.get("test"), dict) else ())
        if found:
            suites[name] = (*suites.get(name, ()), *found)
    assets = {asset for _kind, _name, value in documents for asset in _names_in(value.get("assets", ()))}
    scripts = {name: _names_in(value.get("scripts", ())) for kind, name, value in documents if kind == "app"}
    return KnownNames(
        named("bundle"),
        named("app"),
        named("lib"),
        named("service"),
        _short_names(documents),
        tuple(sorted(assets | assets_set)),
        scripts,
        suites,
    )


def _names_in(entries: Any) -> tuple[str, ...]:
    if not isinstance(entries, (list, tuple)):
        return ()
    return tuple(entry["name"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str))


def _short_names(documents: list[tuple[str, str, dict[str, Any]]]) -> tuple[str, ...]:
    written = {
        value["repo"]
        for kind, _name, value in documents
        if kind in ("app", "lib") and isinstance(value.get("repo"), str)
    }
    ids: dict[str, set[str]] = {}
    for text in written:
        try:
            repo = repo_of(text)
        except ValueError:
            continue
        ids.setdefault(repo.short_name, set()).add(repo.id)
    return tuple(sorted(name for short, found in ids.items() for name in ([short] if len(found) == 1 else found)))
