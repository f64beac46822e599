"""Reading a specs repo: its files as documents, each parsed again only when its state changed.

The cache is one file; losing or damaging it costs one full reading, never an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dusty_tasks.core.specs.documents import Content, Document, spec_name
from dusty_tasks.core.specs.extends import extended, overridden
from dusty_tasks.core.specs.variables import (
    OVERRIDES,
    Layer,
    Values,
    declaration_places,
    declaration_problems,
    declared_in,
    filled,
    giving_problems,
    layer_of,
    nesting_problems,
    uses_at,
    uses_variables,
    values_of,
)
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.memo import Memo, digest
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import is_settled
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.doors.memos import code_version, read_memo, write_memo
from dusty_tasks.effects.doors.source_lines import learn_root
from dusty_tasks.effects.specs.schemas import read_schema
from dusty_tasks.effects.specs.states import KIND_BY_FOLDER, SpecFile, folders_in, names_in, spec_files

_OF_VARIABLES = ("vars", OVERRIDES, "bundle")
"""Kinds of files that declare variables or give them values."""
MOST_PARSED = 4096
"""Specs of a kind."""

if TYPE_CHECKING:
    from dusty_tasks.core.specs.shape import DocumentReader


def read_documents(
    root: str | Path,
    cache_path: str | Path | None = None,
    files: Iterable[SpecFile] | None = None,
    bundles: Iterable[str] = (),
    was_set: Mapping[str, str] = MappingProxyType({}),
    secrets: Iterable[str] = (),
) -> tuple[list[Document], list[Problem]]:
    """All spec files of the specs repo at `root`, in file order, and the problems of files that are not among them.

    With `cache_path`, only files whose state differs from the cached one are opened and parsed; `files` are the spec files
    with their states, if they are known already. Variables stand for what was set, and for what the active `bundles` say;
    `secrets` are the names of the secrets that were set.
    Raises Failure if `root` is no folder.
    """
    root = str(root)
    if not os.path.isdir(root):
        raise Failure(f"there is no specs repo at {root}", f"{DUSTY} config set specs_repo <repo or folder>")
    learn_root(root)
    version = digest((code_version(), root))
    memo = read_memo(cache_path, version) if cache_path is not None else Memo()
    now = time.time_ns()
    documents: list[Document] = []
    for found in spec_files(root) if files is None else files:
        key = f"{found.file} {found.state}"
        text = memo.known.get(key) if found.state else None
        document = Document.from_text(text) if text else _read(found)
        documents.append(document)
        if cache_path is not None and is_settled(found.state, now):
            memo.used[key] = document.text
    of_variables = [document for document in documents if document.kind in _OF_VARIABLES]
    values = _values(of_variables, bundles, was_set, secrets)
    whole = [document for document in documents if document.kind not in ("vars", OVERRIDES)]
    overrides = [document for document in whole if document.is_override]
    whole = extended([document for document in whole if not document.is_override])
    whole, problems = overridden(whole, overrides)
    documents, said = _filled(whole, memo, values)
    problems += [*_problems_of_variables(of_variables, values), *said]
    if cache_path is not None:
        write_memo(cache_path, version, memo)
    return documents, [*problems, *_problems_of_names(root)]


def read_variables(
    files: Iterable[SpecFile], bundles: Iterable[str], was_set: Mapping[str, str], secrets: Iterable[str] = ()
) -> Values:
    """What the variables of spec `files` stand for."""
    return _values([_read(found) for found in files if found.kind in _OF_VARIABLES], bundles, was_set, secrets)


def read_declarations(files: Iterable[SpecFile]) -> dict[str, Place]:
    """Where spec `files` declare variables, by name."""
    return next((declaration_places(_read(found)) for found in files if found.kind == "vars"), {})


def read_uses(files: Iterable[SpecFile], place: str) -> list[str]:
    """The names of the variables in the value that stands at `place` (`apps/web.yml:2:8`) of one of the spec `files`."""
    file, line, column = place.rsplit(":", 2)
    documents = [_read(found) for found in files if found.file == file and _may_use_variables(found.path)]
    return uses_at(documents[0], (int(line), int(column))) if documents else []


def _may_use_variables(path: str) -> bool:
    """False for a file that holds no `${{`, as it is or with an escape in it: there is nothing to parse it for."""
    try:
        data = read_bytes(path) or b""
    except OSError:
        return True  # Who reads it says why it cannot be read.
    return b"${{" in data or b"\\" in data


def _values(
    documents: Iterable[Document], bundles: Iterable[str], was_set: Mapping[str, str], secrets: Iterable[str]
) -> Values:
    by_key = {(document.kind, document.name): document for document in documents}
    declaring, overriding = by_key.get(("vars", "vars")), by_key.get((OVERRIDES, "vars"))
    chosen = [found for name in sorted(map(spec_name, bundles)) if (found := by_key.get(("bundle", name)))]
    documents = [document for document in (overriding, *chosen, declaring) if document]
    return values_of(
        declared_in(declaring), [Layer("set here", was_set), *map(layer_of, documents)], frozenset(secrets)
    )


def _problems_of_variables(documents: Iterable[Document], values: Values) -> Iterator[Problem]:
    """What is wrong with vars.yml, with a user's own, and with the values that bundles give."""
    for document in documents:
        yield from nesting_problems(document)
        if document.kind == "vars":
            yield from (*document.problems, *declaration_problems(document))
        else:
            yield from (
                *(document.problems if document.is_override else ()),
                *giving_problems(document, values.declared),
            )


def _filled(documents: list[Document], memo: Memo, values: Values) -> tuple[list[Document], list[Problem]]:
    """The specs with values in place of their variables, those that files alone could not be judged by checked."""
    problems: list[Problem] = []
    found: list[Document] = []
    for document in documents:
        if uses_variables(document):
            document, said = filled(document, read_schema(document.kind), values)
            problems += said
            found.append(_checked(document, memo))
        else:
            found.append(_checked(document, memo) if document.is_merged else document)
    return found, problems


def _checked(document: Document, memo: Memo) -> Document:
    """A merged document with the problems of its shape, which no file of it could have alone."""

    def text() -> str:
        return document.with_problems(_reader(document.kind).problems(document)).text

    return Document.from_text(memo.text(f"{document.file} merged {document.digest}", text))


def _read(found: SpecFile) -> Document:
    """Parse one file and check its shape."""
    from dusty_tasks.core.specs.yaml_nodes import MAX_BYTES

    name = os.path.basename(found.path)[: -len(".yml")]
    trouble, hint = found.trouble, "copy the file into the specs repo" if found.trouble.startswith("link") else ""
    if not trouble:
        try:
            with open(found.path, "rb") as file:
                return _parser(found.kind)(name, found.file, file.read(MAX_BYTES + 1))
        except OSError as error:
            trouble = f"cannot be read: {error.strerror}"
    code = Code.LINK_OUT if trouble.startswith("link") else Code.UNREADABLE_FILE
    problem = Problem(Place(found.file), "", code, trouble, hint)
    return Document(found.kind, spec_name(name), found.file, Content({}, [], [problem], is_readable=False))


@cache
def _parser(kind: str) -> Callable[[str, str, bytes], Document]:
    """What parses a spec's name, file and bytes. `impact` reads nearly the same files twice: what was parsed is not parsed again."""
    return lru_cache(maxsize=MOST_PARSED)(_reader(kind))


@cache
def _reader(kind: str) -> DocumentReader:
    from dusty_tasks.core.specs.shape import DocumentReader

    return DocumentReader(kind, read_schema(kind))


def _in_subfolders(root: str) -> Iterator[Problem]:
    """Files that look like specs and are in a folder below; what stands beside a Dockerfile belongs to an image."""
    for folder in KIND_BY_FOLDER:
        for name in folders_in(os.path.join(root, folder)):
            if name[0] == ".":
                continue
            names = names_in(os.path.join(root, folder, name))
            if any(other.lower().startswith("dockerfile") for other in names):
                continue
            for other in names:
                if other.endswith((".yml", ".yaml")) and other[0] != ".":
                    right = f"{folder}/{other.rpartition('.')[0]}.yml"
                    yield Problem(
                        Place(printable(f"{folder}/{name}/{other}")),
                        "",
                        Code.SUBFOLDER,
                        f"ignored: specs go directly in {folder}/",
                        printable(f"move it to {right}"),
                        is_warning=True,
                    )


def _problems_of_names(root: str) -> Iterator[Problem]:
    """What stands beside the specs and was probably meant to be one."""
    yield from _in_subfolders(root)
    for folder in KIND_BY_FOLDER:
        for name in names_in(os.path.join(root, folder)):
            if name.endswith(".yaml") and name[0] != ".":
                file = printable(f"{folder}/{name}")
                yield Problem(
                    Place(file),
                    "",
                    Code.YAML_SUFFIX,
                    "ignored: a spec's name ends in .yml",
                    "rename it to .yml",
                    is_warning=True,
                )
