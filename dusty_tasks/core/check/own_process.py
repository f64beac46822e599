"""Containers in which nothing of Dusty's runs: services, and apps without `commands`. What Dusty would do at their start does not apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dusty_tasks.core.check.mounts import lib_closure
from dusty_tasks.core.specs.compose_values import volumes
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import App, Service, Specs
from dusty_tasks.core.specs.rules import normal_path
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown


def check_own_processes(specs: Specs, documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Installs of libs that nobody runs, and assets whose place is taken; `documents` is by file."""
    for app in specs.apps.values():
        if not app.has_commands:
            yield from _installs(specs, app, documents[app.file])
            yield from _places(app, documents[app.file])
    for service in specs.services.values():
        yield from _places(service, documents[service.file])


def _installs(specs: Specs, app: App, document: Document) -> Iterator[Problem]:
    for lib in lib_closure(specs, app):
        if lib.install:
            index = app.libs.index(lib.name) if lib.name in app.libs else 0
            yield document.problem(
                ("depends", "libs", index),
                Code.IGNORED_KEY,
                f"`install` of lib {shown(lib.name)} is not run here: without commands the image's own command runs",
                "install it in the image, or write commands",
                is_warning=True,
            )


def _places(spec: App | Service, document: Document) -> Iterator[Problem]:
    """An asset is mounted at its place here, where nothing else can be."""
    taken = {normal_path(volume.target) for _, volume in volumes(spec.compose)}
    for index, asset in enumerate(spec.assets):
        if normal_path(asset.path) in taken:
            yield document.problem(
                ("assets", index, "path"),
                Code.VOLUME,
                f"a volume is mounted at {asset.path} already",
                "another path in the container",
            )
