"""All checks of a specs repo: documents in, typed specs and every problem out (spec-language section 2).

Pure, raises nothing, stops at nothing: a wrong key stops only the checks that need it.
"""
from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks.core import build_specs
from dusty_tasks.core.check_names import check_names
from dusty_tasks.core.check_references import check_references
from dusty_tasks.core.compose_keys import Names, Reference, translate_main, translate_suites
from dusty_tasks.core.documents import Document, PlacesByFile
from dusty_tasks.core.problems import Problem
from dusty_tasks.core.specs import Specs


def check_specs(documents: Sequence[Document], problems: Sequence[Problem] = ()) -> tuple[Specs, list[Problem]]:
    """The specs that `documents` hold, and all problems: those given, those of the documents, those found here.

    The problems are sorted, each once. Specs hold what could be understood, sorted by name; they are complete if there
    is no error among the problems.
    """
    found = [*problems, *(problem for document in documents for problem in document.problems)]
    names = Names.of(documents)
    specs = Specs(places=PlacesByFile(documents))
    compose_references: dict[str, list[Reference]] = {}
    for document in sorted(documents, key=lambda document: document.name):
        compose_references[document.file] = _add(specs, document, names, found)
    found += check_names(documents)
    found += check_references(documents, compose_references, names)
    return specs, sorted(set(found))


def _add(specs: Specs, document: Document, names: Names, found: list[Problem]) -> list[Reference]:
    """Put what `document` holds into `specs`; the containers that its Compose keys name."""
    if not document.is_readable:
        return []
    main, suites = translate_main(document, names), translate_suites(document, names)
    suite_compose = [suite.compose for suite in suites]
    found += [problem for translated in (main, *suites) for problem in translated.problems]
    name = document.name
    if document.kind == "app":
        specs.apps[name] = build_specs.app_of(document, main.compose, suite_compose, main.volume_driver)
    elif document.kind == "service":
        specs.services[name] = build_specs.service_of(document, main.compose, main.volume_driver)
    elif document.kind == "bundle":
        specs.bundles[name] = build_specs.bundle_of(document)
    elif lib := build_specs.lib_of(document, suite_compose):
        specs.libs[name] = lib
    references = [reference for translated in (main, *suites) for reference in translated.references]
    specs.references[document.file] = tuple(references)
    return references
