"""Variables of specs: declared in vars.yml, used as `${{NAME}}` in any value (docs/specs.md, "Variables"). Pure.

Values come from `dusty vars set`, else from a user's overrides/vars.yml, else from an active bundle, else from the default;
never from the environment of who compiles.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.secret_values import UNSET, USE, may_hold_secrets
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Place, Problem, did_you_mean
from dusty_tasks.core.text.safe import shown

FILE = "vars.yml"
OVERRIDES = "vars_overrides"
"""The kind of a user's own vars.yml, in the folder of overrides: values by name."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(NamedTuple):
    """One variable as vars.yml declares it."""

    name: str
    default: str | None = None
    description: str = ""
    is_secret: bool = False
    """Its value stands in no spec and no artifact."""


class Layer(NamedTuple):
    """Values that stand in one place, for the variables that it has some for."""

    source: str
    """`set here`, `your override`, `of a bundle` or `default`."""
    texts: Mapping[str, str]
    places: Mapping[str, Place] = MappingProxyType({})
    """Where each stands; empty for values of config.yml."""


class Values(NamedTuple):
    """What variables stand for in a run."""

    declared: Mapping[str, Variable]
    layers: Mapping[str, Layer]
    """The layer whose value each variable has, for those that have one. No secrets."""
    secrets: frozenset[str] = frozenset()
    """The secrets that have a value, which nobody needs to know here."""

    @property
    def given(self) -> dict[str, str]:
        """The values by name."""
        return {name: layer.texts[name] for name, layer in self.layers.items()}


def declared_in(document: Document | None) -> dict[str, Variable]:
    """The variables of vars.yml; none without that file."""
    if document is None:
        return {}
    return {
        name: Variable(
            name,
            default if isinstance(default := (how or {}).get("default"), str) else None,
            str((how or {}).get("description") or ""),
            (how or {}).get("secret") is True,
        )
        for name, how in document.value.items()
        if how is None or isinstance(how, dict)
    }


def declaration_places(document: Document) -> dict[str, Place]:
    """Where vars.yml declares each variable."""
    return {name: document.key_place((name,)) for name in declared_in(document)}


def declaration_problems(document: Document) -> Iterator[Problem]:
    """Names that nothing could use, and secrets that everybody who has the specs could read."""
    for name, how in document.value.items():
        if isinstance(how, dict) and how.get("secret") is True and "default" in how:
            yield document.problem(
                (name, "default"),
                Code.SECRET,
                f"{name} is a secret, and everyone who has the specs can read a default",
                f"no default; {DUSTY} vars set {name} on each machine",
            )
        if not NAME.fullmatch(name):
            problem = document.problem(
                (name,),
                Code.VARIABLE_NAME,
                f"{shown(name)} is not a variable name",
                "letters, digits and _ only, not starting with a digit",
            )
            yield problem._replace(place=document.key_place((name,)))


def giving_problems(document: Document, declared: Mapping[str, Variable]) -> Iterator[Problem]:
    """What is wrong with the values that a bundle or overrides/vars.yml gives: secrets, and in the latter names of no variable."""
    base, given = _given_in(document)
    for name in given:
        path = (*base, name)
        if name in declared and declared[name].is_secret:
            who = (
                "this file is not the place for it"
                if document.is_override
                else "everyone who has the specs can read a bundle"
            )
            where = "" if document.is_override else " on each machine"
            hint = f"{DUSTY} vars set {name}{where}"
            yield document.problem(path, Code.SECRET, f"{name} is a secret, and {who}", hint)
        elif document.is_override and name not in declared:
            what = f"the specs declare no variable named {shown(name)}"
            problem = document.problem(path, Code.UNKNOWN_NAME, what, did_you_mean(name, declared), is_warning=True)
            yield problem._replace(place=document.key_place(path))


def nesting_problems(document: Document) -> Iterator[Problem]:
    """Variables in values of variables: nothing is put in their place."""
    base, given = ((), document.value) if document.kind == "vars" else _given_in(document)
    for name, value in given.items():
        path = (*base, name, "default") if document.kind == "vars" else (*base, name)
        text = value.get("default") if isinstance(value, dict) else value
        if isinstance(text, str) and USE.search(text):
            what = "the value of a variable cannot use another one"
            yield document.problem(
                path, Code.NOT_INTERPOLATED, what, "put them side by side where they are used: ${{A}}${{B}}"
            )


def layer_of(document: Document) -> Layer:
    """The values that a bundle, overrides/vars.yml or vars.yml itself gives."""
    if document.kind == "vars":
        defaults = [variable for variable in declared_in(document).values() if variable.default is not None]
        return Layer(
            "default",
            {variable.name: variable.default or "" for variable in defaults},
            {variable.name: document.place((variable.name, "default")) for variable in defaults},
        )
    base, given = _given_in(document)
    texts = {name: text for name, text in given.items() if isinstance(text, str)}
    source = "your override" if document.is_override else "of a bundle"
    return Layer(source, texts, {name: document.place((*base, name)) for name in texts})


def _given_in(document: Document) -> tuple[KeyPath, dict[str, Any]]:
    """Where a document has values of variables, and those."""
    if document.kind == OVERRIDES:
        return (), document.value
    given = document.value.get("vars")
    return ("vars",), given if isinstance(given, dict) else {}


def values_of(declared: Mapping[str, Variable], layers: Iterable[Layer], secrets: Collection[str] = ()) -> Values:
    """What each declared variable stands for: the first layer that has a value for it gives it.

    `secrets` are the names of the secrets that were set.
    """
    found: dict[str, Layer] = {}
    for layer in layers:
        for name in layer.texts:
            if name in declared and not declared[name].is_secret:
                found.setdefault(name, layer)
    hidden = {name for name, variable in declared.items() if variable.is_secret}
    return Values(declared, found, frozenset(hidden & set(secrets)))


def without_consequences(problems: Iterable[Problem], of_variables: Iterable[Problem]) -> list[Problem]:
    """The problems without what is wrong with a placeholder, which fits only where any text does: that a variable has no value says it all.

    `of_variables` are those that filling in gave.
    """
    of_variables = set(of_variables)
    unset = {problem.place for problem in of_variables if problem.code is Code.UNSET_VARIABLE}
    return [problem for problem in problems if problem.place not in unset or problem in of_variables]


def uses_variables(document: Document) -> bool:
    """True if some text in a document holds `${{`. Few do: the whole text tells most of them at once."""
    return "${{" in document.text and any(
        isinstance(part, str) and "${{" in part for part in _values_in(document.value)
    )


def uses_at(document: Document, place: tuple[int, int]) -> list[str]:
    """The names of the variables in the value that stands at this line and column of a document as it was read."""
    marks = zip(document.marks[::4], document.marks[1::4], strict=False)
    texts = [value for value, mark in zip(_values_in(document.value), marks, strict=False) if mark == place]
    return list(dict.fromkeys(name for text in texts if isinstance(text, str) for name in USE.findall(text)))


def _values_in(value: Any) -> Iterator[Any]:
    """A value and all below it, parents first."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values_in(part)


def filled(document: Document, schema: dict[str, Any], values: Values) -> tuple[Document, list[Problem]]:
    """The document with values in place of variables, its shape still to be checked; a warning for each without a value."""
    filling = _Filling(document, values)
    value = filling.value(document.value, schema, ())
    whole = document.holding(value, document.problems)
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
        if text.startswith(UNSET) and value.partition("}}")[2].startswith("/"):
            text = f"/{text}"  # What stands for a folder has to pass for one.
        types = schema.get("type", "string")
        if types == "string" or USE.search(text) or not USE.fullmatch(value):
            return text
        from dusty_tasks.core.specs.yaml_scalars import typed

        return typed(text, types)

    def _secret(self, name: str, path: KeyPath) -> str:
        """What stands for a secret until Compose reads its value."""
        if not may_hold_secrets(self.document.kind, path):
            self.problems.append(
                self.document.problem(
                    path,
                    Code.SECRET,
                    f"{name} is a secret, and this value would be readable in what is compiled",
                    f"use it in a value of environment (apps and suites: compose.environment; bundles: env), or no secret: true in {FILE}",
                )
            )
            return f"{UNSET}{name}"
        if name not in self.values.secrets:
            self._say_unset(name, path, f"{DUSTY} vars set {name} asks for it")
        return f"${{{{{name}}}}}"

    def _say_unset(self, name: str, path: KeyPath, hint: str) -> None:
        what = f"the variable {name} has no value"
        self.problems.append(self.document.problem(path, Code.UNSET_VARIABLE, what, hint, is_warning=True))

    def _text(self, name: str, path: KeyPath) -> str:
        if name in self.values.declared and self.values.declared[name].is_secret:
            return self._secret(name, path)
        if name in self.values.layers:
            return self.values.layers[name].texts[name]
        if name not in self.values.declared:
            known = self.values.declared
            hint = did_you_mean(name, known) if known else f"declare it in {FILE}: {name or 'NAME'}: {{default: …}}"
            self.problems.append(
                self.document.problem(path, Code.UNKNOWN_NAME, f"no variable named {shown(name)}", hint)
            )
        else:
            self._say_unset(name, path, f"{DUSTY} vars set {name} VALUE, a default in {FILE}, or vars of a bundle")
        return f"{UNSET}{name}"
