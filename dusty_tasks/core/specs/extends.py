"""`extends`: a spec that begins as another one of its kind, and writes only what differs (docs/specs.md, "Specs that begin as another").

Mappings are merged, key by key; lists and single values replace. Every value keeps the place where it was written, so a
problem, and `trace`, lead to the file that a person has to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dusty_tasks.core.specs.documents import Content, Document, Merge, paths_of
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem, did_you_mean
from dusty_tasks.core.text.safe import shown

EXTENDS = "extends"
MOST_FILES = 16
"""More files behind one another are nobody's stack, and nobody could say what a key comes to."""
_ALTERNATIVES: dict[str, dict[KeyPath, tuple[str, ...]]] = {
    "app": {(): ("image", "build"), ("test",): ("image", "build")},
    "lib": {("test",): ("image", "build")},
}
"""Kind of spec -> where -> keys of which only one may be given: the one written takes the place of an inherited other."""


def extended(documents: Sequence[Document]) -> list[Document]:
    """The documents, those with `extends` merged with what they name, directly or not; in the same order.

    A merged document has `is_merged`, and its shape is still to be checked. One whose `extends` leads nowhere, or in a
    circle, says so, and is told no missing keys.
    """
    by_name = {(document.kind, document.name): document for document in documents}
    return [
        _whole(document, by_name) if document.is_readable and base_name(document) else document
        for document in documents
    ]


def base_name(document: Document) -> str:
    """What a document extends, or ''; bundles extend nothing."""
    name = document.value.get(EXTENDS) if document.kind != "bundle" else None
    return name if isinstance(name, str) else ""


def _whole(document: Document, by_name: Mapping[tuple[str, str], Document]) -> Document:
    chain = [document]
    while name := base_name(chain[-1]):
        base = by_name.get((document.kind, name))
        if base in chain:
            return document.with_problems(_cycle(chain, base))
        if base is None:
            return document.with_problems(_unknown(document, name, by_name) if len(chain) == 1 else [])
        if not base.is_readable:
            return document
        chain.append(base)
        if len(chain) > MOST_FILES:
            what = f"extends chains through more than {MOST_FILES} files"
            return document.with_problems(
                [document.problem((EXTENDS,), Code.UNSUPPORTED_KEY, what, "extend a spec nearer to the end")]
            )
    whole = chain.pop()
    while chain:
        whole = merged(whole, chain.pop())
    return whole


def merged(base: Document, document: Document) -> Document:
    """`document` on top of `base`: its name, file and problems, and the values of both."""
    return _merged(document, document.problems, base, document)


def overridden(documents: Sequence[Document], overrides: Sequence[Document]) -> tuple[list[Document], list[Problem]]:
    """The documents, the user's own `overrides` merged over those of their kind and name; and what is wrong with the overrides that are not.

    A document stays what it is, and where it is.
    """
    by_name = {(override.kind, override.name): override for override in overrides if override.is_readable}
    problems = [problem for override in overrides if not override.is_readable for problem in override.problems]
    found = []
    for document in documents:
        override = by_name.pop((document.kind, document.name), None)
        if override is None or not document.is_readable:
            found.append(document)
            continue
        if EXTENDS in override.value:
            hint = "remove it: an override is merged over the spec of its name"
            problems.append(override.problem((EXTENDS,), Code.MISPLACED_KEY, "an override extends nothing", hint))
        found.append(_merged(document, [*document.problems, *override.problems], document, override))
    return found, [*problems, *map(_idle, by_name.values())]


def _idle(override: Document) -> Problem:
    what = f"the specs have no {override.kind} named {shown(override.name)} to merge this over"
    return override.problem((), Code.UNKNOWN_NAME, what, "remove the file, or rename it", is_warning=True)


def _merged(named: Document, problems: Sequence[Problem], base: Document, document: Document) -> Document:
    """`document` on top of `base`, under the name and file of `named`."""
    value = merged_values(_without_alternatives(base, document), document.value)
    value.pop(EXTENDS, None)
    spots = {**base.spots(), **document.spots()}
    files = list(dict.fromkeys([named.file, *base.all_files, *document.all_files]))
    marks: list[int] = []
    owners: list[int] = []
    for path in paths_of(value):
        file, *mark = spots[path]
        marks += mark
        owners.append(files.index(file))
    return Document(named.kind, named.name, named.file, Content(value, marks, list(problems)), Merge(files[1:], owners))


def merged_values(base: Any, value: Any) -> Any:
    """Mappings merged, in the order of `base`; of anything else, `value`."""
    if not isinstance(base, dict) or not isinstance(value, dict):
        return value
    inherited = {key: merged_values(part, value[key]) if key in value else part for key, part in base.items()}
    return {**inherited, **{key: part for key, part in value.items() if key not in base}}


def _without_alternatives(base: Document, document: Document) -> dict[str, Any]:
    found = base.value
    for path, keys in _ALTERNATIVES.get(base.kind, {}).items():
        written = _at(document.value, path)
        if any(key in written for key in keys):
            found = _without(found, path, [key for key in keys if key not in written])
    return found


def _at(value: Any, path: KeyPath) -> dict[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _without(value: Any, path: KeyPath, keys: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return value
    if not path:
        return {key: part for key, part in value.items() if key not in keys}
    return {key: _without(part, path[1:], keys) if key == path[0] else part for key, part in value.items()}


def _cycle(chain: Sequence[Document], base: Document) -> Iterator[Problem]:
    """Said once, by the first of the circle by name; who only leads into it says nothing."""
    names = [document.name for document in chain[chain.index(base) :]]
    if chain[0] is base and base.name == min(names):
        yield base.problem((EXTENDS,), Code.CYCLE, f"cycle: {' -> '.join([*names, base.name])}", "remove one of these")


def _unknown(document: Document, name: str, by_name: Mapping[tuple[str, str], Document]) -> Iterator[Problem]:
    others = [other for kind, other in by_name if kind == document.kind and other != document.name]
    yield document.problem(
        (EXTENDS,), Code.UNKNOWN_NAME, f"no {document.kind} named {shown(name)}", did_you_mean(name, others)
    )
