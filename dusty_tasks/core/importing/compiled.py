"""What written specs compile to, in memory: the entries of their containers, as Compose would read them. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.artifacts.compose import compose_entry
from dusty_tasks.core.artifacts.parts import ContainerSlice, parts_of, secrets_of
from dusty_tasks.core.check.specs import check_specs
from dusty_tasks.core.settings.model import ContainerSettings, HostSettings
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.extends import extended
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.specs.shape import DocumentReader
from dusty_tasks.core.specs.variables import (
    Layer,
    declaration_problems,
    declared_in,
    filled,
    layer_of,
    uses_variables,
    values_of,
)
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.problems import Problem, errors

ROOT = "/dusty-docker-host"
HOME = "/dusty-home"
"""Places that stand for those of a machine."""
_KINDS = {"apps": "app", "bundles": "bundle", "libs": "lib", "services": "service"}
Readers = Callable[[str], DocumentReader]
"""The reader of a kind of spec."""


class Compiled(NamedTuple):
    """What specs come to, or what is wrong with them."""

    problems: list[Problem]
    """Errors alone."""
    specs: Specs
    entries: dict[str, dict[str, Any]]
    """Container -> its entry, each `$` once."""
    secrets: dict[str, dict[str, str]]
    """Container -> its variables whose values hold secrets, with `${{NAME}}`."""
    stack: Stack


def compiled(files: Mapping[str, bytes], readers: Readers, given: Mapping[str, str], specs_root: str) -> Compiled:
    """Compile the specs among `files`; `given` are values of their variables."""
    documents = list(_documents(files, readers))
    declaring = next((document for document in documents if document.kind == "vars"), None)
    problems = [*declaring.problems, *declaration_problems(declaring)] if declaring else []
    declared = declared_in(declaring)
    hidden = [name for name, variable in declared.items() if variable.is_secret]
    layers = [Layer("set here", given), *([layer_of(declaring)] if declaring else [])]
    values = values_of(declared, layers, hidden)
    whole = []
    for document in extended([document for document in documents if document.kind != "vars"]):
        if uses_variables(document):
            document, said = filled(document, readers(document.kind).schema, values)
            problems += said
            document = document.with_problems(readers(document.kind).problems(document))
        elif document.is_merged:
            document = document.with_problems(readers(document.kind).problems(document))
        whole.append(document)
    specs, problems = check_specs(whole, problems)
    wrong = errors(problems)
    if wrong:
        return Compiled(wrong, specs, {}, {}, Stack())
    stack, _ = assemble(specs, specs.bundles)
    settings = ContainerSettings(HOME, host=HostSettings(root=ROOT), routing="network")
    parts = {name: part for name, part in parts_of(stack).items() if name != PROXY}
    entries = {
        name: _single(compose_entry(ContainerSlice(name, part, settings, specs_root)).mapping)
        for name, part in parts.items()
    }
    return Compiled([], specs, entries, {name: secrets_of(part) for name, part in parts.items()}, stack)


def _documents(files: Mapping[str, bytes], readers: Readers) -> Iterable[Document]:
    for path, data in sorted(files.items()):
        folder, name = posixpath.split(path)
        if path == "vars.yml":
            yield readers("vars")("vars", path, data)
        elif folder in _KINDS and name.endswith(".yml"):
            yield readers(_KINDS[folder])(name.removesuffix(".yml"), path, data)


def _single(value: Any) -> Any:
    """The value with one `$` for each two."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, dict):
        return {key: _single(item) for key, item in value.items()}
    return [_single(item) for item in value] if isinstance(value, (list, tuple)) else value
