"""Names that clash: of specs among each other, and of scripts, suites and assets within one spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dusty_tasks.core.specs.build import at, mappings
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.rules import Wrong, check_spec_name, normal_path
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import shown

_SMALLEST_BUNDLE = 'a file bundles/main.yml with the line "apps: [web]"'


def check_names(documents: Sequence[Document]) -> Iterator[Problem]:
    """Problems of names: not allowed, reserved, taken by another spec, given twice in one spec, no bundle at all."""
    if not any(document.kind == "bundle" for document in documents):
        yield Problem(Place("bundles/"), "", Code.NO_BUNDLES, "no bundles found", _SMALLEST_BUNDLE)
    by_name: dict[tuple[str, str], Document] = {}
    for document in documents:
        try:
            check_spec_name(document.kind, document.name)
        except Wrong as wrong:
            yield document.problem((), wrong.code, wrong.what, wrong.hint)
        by_name.setdefault((document.kind, document.name), document)
        yield from _given_twice(document)
        if document.kind == "bundle":
            yield from _empty_bundle(document)
    yield from _taken(by_name)
    yield from _alike(documents)


def check_templates(documents: Sequence[Document]) -> Iterator[Problem]:
    """Names that would not be allowed without the `_` that makes a template of a spec."""
    for document in documents:
        if document.is_template:
            try:
                check_spec_name(document.kind, document.name[1:])
            except Wrong as wrong:
                hint = wrong.hint.replace("rename the file to ", "rename the file to _")
                yield document.problem(
                    (), wrong.code, wrong.what.replace(shown(document.name[1:]), shown(document.name)), hint
                )


def _taken(by_name: dict[tuple[str, str], Document]) -> Iterator[Problem]:
    """An app and a service of one name; an app and a lib of one name that both have tests."""
    for (kind, name), document in by_name.items():
        service = by_name.get(("service", name))
        if kind == "app" and service:
            yield document.problem(
                (), Code.NAME_TAKEN, f"{shown(name)} is also a service ({service.file})", "rename one of them"
            )
        lib = by_name.get(("lib", name))
        if kind == "app" and lib and at(document.value, "test") and at(lib.value, "test"):
            yield Problem(
                document.key_place(("test",)),
                "test",
                Code.NAME_TAKEN,
                f"{shown(name)} has tests as app and as lib",
                "rename one of them",
            )


def _alike(documents: Sequence[Document]) -> Iterator[Problem]:
    """Two bundles, or two services, whose names differ only in case, or in their Unicode form alone."""
    first: dict[tuple[str, str], Document] = {}
    for document in documents:
        if document.kind in ("bundle", "service"):
            other = first.setdefault((document.kind, document.name.casefold()), document)
            if other is not document:
                how = (
                    f"is also the name of {other.file}"
                    if other.name == document.name
                    else f"differs from {shown(other.name)} only in case ({other.file})"
                )
                yield document.problem((), Code.NAME_ALIKE, f"{shown(document.name)} {how}", "rename one of them")


def _empty_bundle(document: Document) -> Iterator[Problem]:
    lists = [document.value.get(key) for key in ("apps", "services") if key in document.value]
    if lists and all(found == [] for found in lists):
        yield document.problem((), Code.EMPTY_BUNDLE, "the bundle is empty", "add an app or a service", is_warning=True)


def _given_twice(document: Document) -> Iterator[Problem]:
    yield from _twice(document, "script", mappings(document.value, "scripts"), "name", str.casefold)
    yield from _twice(document, "suite", mappings(document.value, "test", "suites"), "name", str.casefold)
    yield from _twice(document, "asset path", mappings(document.value, "assets"), "path", normal_path)


def _twice(
    document: Document, noun: str, items: Iterable[tuple[KeyPath, dict[str, Any]]], key: str, same: Any
) -> Iterator[Problem]:
    first: dict[str, KeyPath] = {}
    for path, item in items:
        text = item.get(key)
        if not isinstance(text, str):
            continue
        other = first.setdefault(same(text), (*path, key))
        if other != (*path, key):
            line = document.place(other).line
            yield document.problem(
                (*path, key), Code.GIVEN_TWICE, f"{noun} {shown(text)} is given twice; first at line {line}"
            )
