"""All checks of a specs repo: documents in, typed specs and every problem out (spec-language section 2).

Pure, raises nothing, stops at nothing: a wrong key stops only the checks that need it.
"""
from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks.core import build_specs
from dusty_tasks.core.check_names import check_names
from dusty_tasks.core.check_references import check_references
from dusty_tasks.core.compose_keys import Names, translated
from dusty_tasks.core.documents import Document
from dusty_tasks.core.problems import Problem
from dusty_tasks.core.specs import Lib, Specs


def check_specs(documents: Sequence[Document], problems: Sequence[Problem] = ()) -> tuple[Specs, list[Problem]]:
    """The specs that `documents` hold, and all problems: those given, those of the documents, those found here.

    The problems are sorted, each once. Specs hold what could be understood, sorted by name; they are complete if there
    is no error among the problems.
    """
    found = [*problems, *(problem for document in documents for problem in document.problems)]
    names = Names.of(documents)
    specs = Specs(places={document.file: document.places for document in documents})
    for document in sorted(documents, key=lambda document: document.name):
        _add(specs, document, names, found)
    found += check_names(documents)
    found += check_references(documents, names)
    return specs, sorted(set(found))


def _add(specs: Specs, document: Document, names: Names, found: list[Problem]) -> None:
    """Put what `document` holds into `specs`, unless nothing of it could be read."""
    if not document.is_readable:
        return
    compose, suite_compose = translated(document, names, found)
    if document.kind == "app":
        specs.apps[document.name] = build_specs.app_of(document, compose, suite_compose)
    elif document.kind == "service":
        specs.services[document.name] = build_specs.service_of(document, compose)
    elif document.kind == "bundle":
        specs.bundles[document.name] = build_specs.bundle_of(document)
    else:
        lib: Lib | None = build_specs.lib_of(document, suite_compose)
        if lib:
            specs.libs[document.name] = lib
