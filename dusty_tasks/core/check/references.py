"""References to apps, libs and services that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dusty_tasks.core.specs.build import mappings, strings
from dusty_tasks.core.specs.compose_keys.translation import Names
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import Reference
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem, did_you_mean
from dusty_tasks.core.text.safe import shown, unsafe_part

REFERENCES: dict[str, dict[tuple[str, ...], str]] = {
    "bundle": {("apps",): "app", ("services",): "service"},
    "app": {
        ("depends", "services"): "service",
        ("depends", "apps"): "app",
        ("depends", "libs"): "lib",
        ("conditional_links", "apps"): "app",
        ("conditional_links", "services"): "service",
    },
    "lib": {("depends", "libs"): "lib"},
    "service": {},
}
"""Kind of spec -> key of a list of names -> the kind that they name."""

_PLACE_BY_KIND = {
    "bundle": {"app": "apps", "service": "services"},
    "app": {"app": "depends.apps", "service": "depends.services", "lib": "depends.libs"},
    "lib": {"lib": "depends.libs"},
}
"""Kind of spec -> kind of what it names -> where it is to be written."""
_ARTICLES = {"app": "an", "service": "a", "lib": "a"}


Named = tuple[KeyPath, str, str]
"""A reference by name: its path, the kind it names, and the name."""


def references(document: Document) -> Iterator[Named]:
    """Every reference of a document by name, once a list."""
    for keys, kind in REFERENCES[document.kind].items():
        for name, path in _first_paths(strings(document.value, *keys)).items():
            yield path, kind, name
    for suite_path, suite in mappings(document.value, "test", "suites"):
        for name, path in _first_paths(strings(suite, "services")).items():
            yield (*suite_path, *path), "service", name


def _first_paths(found: Iterable[tuple[KeyPath, str]]) -> dict[str, KeyPath]:
    paths: dict[str, KeyPath] = {}
    for path, name in found:
        paths.setdefault(name, path)
    return paths


def check_references(
    documents: Sequence[Document],
    named: Mapping[str, Sequence[Named]],
    compose_references: Mapping[str, Sequence[Reference]],
    names: Names,
) -> Iterator[Problem]:
    """Names of apps, libs and services that no spec defines; `named` are the references by file, `compose_references` those in Compose keys."""
    for document in documents:
        for path, kind, name in named[document.file]:
            if name not in names.by_kind[kind]:
                yield document.problem(
                    path, Code.UNKNOWN_NAME, f"no {kind} named {shown(name)}", _hint(document, kind, name, names)
                )
        if document.kind == "bundle":
            yield from _check_env(document, names)
        for path, _, name in compose_references.get(document.file, ()):
            if name not in names.containers:
                yield document.problem(
                    path, Code.UNKNOWN_NAME, f"no app or service named {shown(name)}", _container_hint(name, names)
                )


def _check_env(document: Document, names: Names) -> Iterator[Problem]:
    """`env` of a bundle: apps and services by name, and names of variables."""
    env = document.value.get("env")
    for name, variables in env.items() if isinstance(env, dict) else ():
        if name not in names.containers:
            what = f"no app or service named {shown(name)}"
            problem = document.problem(("env", name), Code.UNKNOWN_NAME, what, _container_hint(name, names))
            yield problem._replace(place=document.key_place(("env", name)))
        for variable in variables if isinstance(variables, dict) else ():
            if not variable or "=" in variable or unsafe_part(variable):
                what = f"{shown(variable)} is not a variable name"
                problem = document.problem(("env", name, variable), Code.VARIABLE_NAME, what, "for example LOG_LEVEL")
                yield problem._replace(place=document.key_place(("env", name, variable)))


def _hint(document: Document, kind: str, name: str, names: Names) -> str:
    for other_kind in ("app", "service", "lib"):
        if other_kind != kind and name in names.by_kind[other_kind]:
            where = _PLACE_BY_KIND.get(document.kind, {}).get(other_kind, f"depends.{other_kind}s of an app")
            return f"{shown(name)} is {_ARTICLES[other_kind]} {other_kind}: write it under {where}"
    if name.startswith("_"):
        return "a spec whose file begins with _ is a template: others extend it, nothing activates it"
    return did_you_mean(name, names.by_kind[kind]) or f"add {kind}s/{name}.yml"


def _container_hint(name: str, names: Names) -> str:
    if name in names.by_kind["lib"]:
        return f"{shown(name)} is a lib: only apps and services have a container"
    return did_you_mean(name, names.containers)
