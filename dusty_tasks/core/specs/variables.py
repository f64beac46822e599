"""Variables of specs: declared in vars.yml, used as `${{NAME}}` in any value (docs/specs.md, "Variables"). Pure.

Values come from `dusty vars set`, else from an active bundle, else from the default; never from the environment of who compiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.yaml_reader import typed
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem, did_you_mean
from dusty_tasks.core.text.safe import shown

FILE = "vars.yml"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
USE = re.compile(r"\$\{\{ *([^{}]*?) *\}\}")
UNSET = "unset-"
"""Before the name of a variable without a value, in what is compiled only to be looked at."""


class Variable(NamedTuple):
    """One variable as vars.yml declares it."""

    name: str
    default: str | None = None
    description: str = ""


class Values(NamedTuple):
    """What variables stand for in a run."""

    declared: Mapping[str, Variable]
    given: Mapping[str, str]
    """Those that have a value, by name: what was set, what an active bundle says, or the default."""


def declared_in(document: Document | None) -> dict[str, Variable]:
    """The variables of vars.yml; none without that file."""
    if document is None:
        return {}
    return {
        name: Variable(
            name,
            default if isinstance(default := (how or {}).get("default"), str) else None,
            str((how or {}).get("description") or ""),
        )
        for name, how in document.value.items()
        if how is None or isinstance(how, dict)
    }


def declaration_problems(document: Document) -> Iterator[Problem]:
    """Names that nothing could use."""
    for name in document.value:
        if not NAME.fullmatch(name):
            problem = document.problem(
                (name,),
                Code.VARIABLE_NAME,
                f"{shown(name)} is not a name of a variable",
                "letters, digits and _ only, no digit first",
            )
            yield problem._replace(place=document.key_place((name,)))


def values_of(
    declared: Mapping[str, Variable], of_bundles: Iterable[Mapping[str, str]], was_set: Mapping[str, str]
) -> Values:
    """What each declared variable stands for: what was set beats the bundles, the first of which beats the default."""
    given = {name: variable.default for name, variable in declared.items() if variable.default is not None}
    for bundle in reversed(list(of_bundles)):
        given.update({name: text for name, text in bundle.items() if name in declared})
    given.update({name: text for name, text in was_set.items() if name in declared})
    return Values(declared, given)


def uses_variables(value: Any) -> bool:
    """True if some text in a value holds `${{`."""
    if isinstance(value, str):
        return "${{" in value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(uses_variables(part) for part in parts)


def filled(document: Document, schema: dict[str, Any], values: Values) -> tuple[Document, list[Problem]]:
    """The document with values in place of variables, its shape still to be checked; a warning for each without a value."""
    filling = _Filling(document, values)
    value = filling.value(document.value, schema, ())
    whole = Document(
        document.kind,
        document.name,
        document.file,
        value,
        document.marks,
        document.problems,
        document.is_readable,
        document.all_files[1:],
        document.owners,
    )
    return whole, filling.problems


class _Filling:
    def __init__(self, document: Document, values: Values) -> None:
        self.document, self.values = document, values
        self.problems: list[Problem] = []

    def value(self, value: Any, schema: dict[str, Any], path: KeyPath) -> Any:
        """The value with its texts filled in; a number or a word of true and false where the schema has one."""
        if isinstance(value, dict):
            known, others = schema.get("properties", {}), schema.get("additionalProperties")
            others = others if isinstance(others, dict) else {}
            return {key: self.value(part, known.get(key, others), (*path, key)) for key, part in value.items()}
        if isinstance(value, list):
            items = schema.get("items", {})
            return [self.value(part, items, (*path, index)) for index, part in enumerate(value)]
        if not isinstance(value, str) or "${{" not in value:
            return value
        text = USE.sub(lambda use: self._text(use[1], path), value)
        types = schema.get("type", "string")
        return typed(text, types) if USE.fullmatch(value) and types != "string" else text

    def _text(self, name: str, path: KeyPath) -> str:
        text = self.values.given.get(name)
        if text is not None:
            return text
        if name not in self.values.declared:
            known = self.values.declared
            hint = did_you_mean(name, known) if known else f"declare it in {FILE}: {name or 'NAME'}: {{default: …}}"
            self.problems.append(
                self.document.problem(path, Code.UNKNOWN_NAME, f"no variable named {shown(name)}", hint)
            )
        else:
            self.problems.append(
                self.document.problem(
                    path,
                    Code.UNSET_VARIABLE,
                    f"the variable {name} has no value",
                    f"{DUSTY} vars set {name} VALUE, a default in {FILE}, or vars of a bundle",
                    is_warning=True,
                )
            )
        return f"{UNSET}{name}"
