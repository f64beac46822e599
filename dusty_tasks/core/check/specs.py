"""All checks of a specs repo: documents in, typed specs and every problem out (docs/specs.md).

Pure, raises nothing, stops at nothing: a wrong key stops only the checks that need it. What depends on the active
bundles is in check_stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dusty_tasks.core.check.addresses import Claims, PortClaim, RouteClaim, check_addresses, groups_of, ports_path
from dusty_tasks.core.check.containers import check_container
from dusty_tasks.core.check.cycles import check_cycles
from dusty_tasks.core.check.mounts import check_mounts
from dusty_tasks.core.check.names import check_names, check_templates
from dusty_tasks.core.check.own_process import check_own_processes
from dusty_tasks.core.check.references import check_references, references
from dusty_tasks.core.check.reload import check_reload
from dusty_tasks.core.check.repos import check_repos, first_by_id, use_first
from dusty_tasks.core.specs import build as build_specs
from dusty_tasks.core.specs.compose_keys.translate import translate_main, translate_suites
from dusty_tasks.core.specs.compose_keys.translation import Names
from dusty_tasks.core.specs.compose_values import published_ports
from dusty_tasks.core.specs.documents import Document, PlacesByFile
from dusty_tasks.core.specs.model import App, Service, Specs
from dusty_tasks.core.text.problems import Problem


def check_specs(documents: Sequence[Document], problems: Sequence[Problem] = ()) -> tuple[Specs, list[Problem]]:
    """The specs that `documents` hold, and all problems: those given, those of the documents, those found here.

    The problems are sorted, each once. Specs hold what could be understood, sorted by name; they are complete if there
    is no error among the problems.
    """
    found = [*problems, *(problem for document in documents for problem in document.problems)]
    found += check_templates(documents)
    documents = [document for document in documents if not document.is_template]
    names = Names.of(documents)
    specs = Specs(places=PlacesByFile(documents))
    for document in sorted(documents, key=lambda document: document.name):
        found += _add(specs, document, names)
    first_repos = first_by_id(documents)
    use_first(specs, first_repos)
    found += check_names(documents)
    named = {document.file: list(references(document)) for document in documents}
    found += check_references(documents, named, specs.references, names)
    found += check_cycles(documents, named, specs.references)
    found += check_repos(documents, first_repos)
    found += check_reload(documents)
    by_file = {document.file: document for document in documents}
    found += check_mounts(specs, by_file)
    found += check_own_processes(specs, by_file)
    found += check_addresses(_claims(documents, specs), groups_of(specs), lambda file, path: by_file[file].place(path))
    return specs, sorted(set(found))


def _add(specs: Specs, document: Document, names: Names) -> Iterator[Problem]:
    """Put what `document` holds into `specs`, unless it could not be read; the problems of that."""
    if not document.is_readable:
        return
    main, suites = translate_main(document, names), translate_suites(document, names)
    suite_compose = [suite.compose for suite in suites]
    name = document.name
    if document.kind == "app":
        specs.apps[name] = build_specs.app_of(document, main.compose, suite_compose, main.volume_driver)
    elif document.kind == "service":
        specs.services[name] = build_specs.service_of(document, main.compose, main.volume_driver)
    elif document.kind == "bundle":
        specs.bundles[name] = build_specs.bundle_of(document)
    elif lib := build_specs.lib_of(document, suite_compose):
        specs.libs[name] = lib
    specs.references[document.file] = tuple(reference for one in (main, *suites) for reference in one.references)
    for translated in (main, *suites):
        yield from translated.problems
    yield from check_container(document, main, names.containers)


def _claims(documents: Sequence[Document], specs: Specs) -> dict[str, Claims]:
    """What each container wants, apps before services, by name; indexes are those of the file."""
    claims: dict[str, Claims] = {}
    for document in sorted(documents, key=lambda document: (document.kind, document.name)):
        name = document.name
        spec: App | Service | None = None
        if document.kind in ("app", "service"):
            spec = specs.apps.get(name) if document.kind == "app" else specs.services.get(name)
        if spec is not None and name not in claims:
            routes = tuple(
                RouteClaim(name, document.file, ("host_forwarding", index), forwarding)
                for index, forwarding in build_specs.forwardings(document.value)
            )
            claims[name] = Claims(routes, _ports(document, spec.compose))
    return claims


def _ports(document: Document, compose: dict[str, object]) -> tuple[PortClaim, ...]:
    return tuple(
        PortClaim(document.name, document.file, ports_path(document.kind, index), published)
        for index, published in published_ports(compose)
    )
