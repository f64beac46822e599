"""Each error of jsonschema as a problem of ours: what is wrong, where, and what to write. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.right_form import given_type, right_form, same_in_the_right_type, wanted_type
from dusty_tasks.core.specs.yaml_trouble import without_blank
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath, path_text
from dusty_tasks.core.text.problems import GUESS, Problem, edit_distance, nearest
from dusty_tasks.core.text.safe import shown

_UNDER_COMPOSE = "write it under compose:"
_NOUN = {"app": "an app", "lib": "a lib", "bundle": "a bundle"}
_ANY_FORMS = {"image": "image: redis:7", "apps": "apps: [web]"}


def problems_of(document: Document, found: Iterator[Any]) -> Iterator[Problem]:
    """One problem a place: a format knows more about its value than the type, the type more than the range."""
    rank = {"format": 0, "type": 1}
    errors = sorted(found, key=lambda error: rank.get(error.validator, 2))
    judged: set[KeyPath] = set()
    for error in errors:
        path: KeyPath = tuple(error.absolute_path)
        if error.validator in ("format", "type", "minimum", "maximum", "enum"):
            if path in judged:
                continue
            judged.add(path)
        yield from _TRANSLATIONS.get(error.validator, _other)(document, path, error)


def _format(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    problem = document.problem(path, error.cause.code, error.cause.what, error.cause.hint)
    is_quoted_port = error.cause.code is Code.PORT and isinstance(error.instance, str) and error.cause.hint
    yield problem._replace(instead=str(int(error.instance)) if is_quoted_port else "")


def _type(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    value = error.instance
    joined = without_blank(value) if isinstance(value, str) and "object" in error.schema["type"] else None
    if joined:
        key, rest = joined
        place = document.place(path)
        yield Problem(
            place._replace(column=place.column + len(key)),
            path_text(path),
            Code.NO_BLANK_AFTER_COLON,
            f"a space is missing after {shown(key)}",
            f"{key} {rest}"[:80],
        )
        return
    problem = document.problem(
        path,
        Code.WRONG_TYPE,
        f"must be {wanted_type(error.schema)}, not {given_type(value)}",
        right_form(path, value, error.schema),
    )
    yield problem._replace(instead=same_in_the_right_type(value, error.schema))


def _additional(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    is_of_compose = "patternProperties" in error.schema
    for key in error.instance:
        if key not in known and not (is_of_compose and key.startswith("x-")):
            if where := _belongs(document.kind, path, key):
                yield Problem(
                    document.key_place((*path, key)),
                    path_text(path),
                    Code.MISPLACED_KEY,
                    f"{key} is a key of Compose, not one of {_NOUN.get(document.kind, 'a spec')}",
                    where,
                    instead=key if where == _UNDER_COMPOSE else "",
                )
                continue
            yield Problem(
                document.key_place((*path, key)),
                path_text(path),
                Code.UNKNOWN_KEY,
                f"unknown key {shown(key)}",
                _unknown_key_hint(key, known),
                instead=_certain(key, known, error.instance),
            )


def _belongs(kind: str, path: KeyPath, key: str) -> str:
    """Where a key of Compose belongs that stands among the keys of Dusty, or ''."""
    from dusty_tasks.core.specs.compose_keys.known import IGNORED_IN_APPS, KNOWN_KEYS

    if key not in KNOWN_KEYS:
        return ""
    if kind == "app" and not path:
        return IGNORED_IN_APPS.get(key) or _UNDER_COMPOSE
    if len(path) == 3 and path[:2] == ("test", "suites"):
        return "write it under compose: of the suite"
    return "write it under compose: of an app; a lib has no container of its own" if kind == "lib" and not path else ""


def _certain(key: str, known: Iterable[str], given: Container[str]) -> str:
    """The known key that `key` can only have been meant to be: one edit away, no other one near, and not given beside it."""
    guess = nearest(key, known)
    near = [name for name in known if edit_distance(key, name) <= 2]
    is_one_edit = edit_distance(key, guess) == 1 or key.lower().replace("-", "_") == guess
    return guess if guess and is_one_edit and len(guess) > 3 and near in ([guess], []) and guess not in given else ""


def _unknown_key_hint(key: str, known: Any) -> str:
    """`did you mean`, else the allowed keys."""
    guess = nearest(key, known)
    return f'{GUESS}"{guess}"?' if guess else f"allowed: {', '.join(sorted(known))}"


def _required(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    # jsonschema reports each missing key as an error of its own; its name is the first quoted word.
    key = next(key for key in error.validator_value if error.message.startswith(repr(key)))
    below = error.schema.get("properties", {}).get(key, {})
    missing = [key, *below.get("required", ())[:1]]
    start = max((index + 1 for index, part in enumerate(path) if isinstance(part, int)), default=0)
    dotted = ".".join(map(str, [*path[start:], *missing]))
    yield Problem(
        document.key_place(path),
        path_text(path[:start]),
        Code.MISSING_KEY,
        f"missing: {dotted}",
        _missing_hint(document.kind, missing),
    )


def _missing_hint(kind: str, missing: list[str]) -> str:
    forms = {
        "always": "commands: {always: [./run.sh]}; without commands the command of the image runs, and nothing before it",
        "mount": "mount: /app",
        "repo": "repo: github.com/org/name",
    }
    return forms.get(missing[-1], "") if missing[-1] != "name" else ""


def _one_of(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    """`image` xor `build`."""
    if not isinstance(error.instance, dict):
        return  # its type is wrong, which has been said
    if all(key in error.instance for key in ("image", "build")):
        yield Problem(
            document.key_place((*path, "build")),
            path_text(path),
            Code.BOTH_GIVEN,
            "image and build are both given",
            "keep one of them",
        )
    else:
        yield Problem(
            document.key_place(path),
            path_text(path),
            Code.NEITHER_GIVEN,
            "image or build is required",
            "image: python:3.12-slim",
        )


def _any_of(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    """At least one of some keys: `image`/`build` of a service, `apps`/`services` of a bundle."""
    keys = [key for part in error.validator_value for key in part.get("required", ())]
    yield Problem(
        document.key_place(path),
        path_text(path),
        Code.NEITHER_GIVEN,
        f"{' or '.join(keys)} is required",
        _ANY_FORMS.get(keys[0], ""),
    )


def _dependent(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    given, missing = next(
        (key, other)
        for key, others in error.validator_value.items()
        if key in error.instance
        for other in others
        if other not in error.instance
    )
    hint = _missing_hint(document.kind, [missing])
    yield Problem(
        document.key_place((*path, given)), path_text(path), Code.NEEDS_ANOTHER_KEY, f"{given} needs {missing}", hint
    )


def _enum(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    allowed = [str(value) for value in error.validator_value]
    word = str(error.instance)
    guess = nearest(word, allowed)
    if 2 * edit_distance(word, guess) >= len(word):
        guess = ""  # "tcp" was not meant to be "http"
    yield document.problem(
        path,
        Code.NOT_ONE_OF,
        f"{shown(error.instance)} is not one of {', '.join(allowed)}",
        f'did you mean "{guess}"?' if guess else "",
    )


def _too_few(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    yield document.problem(path, Code.EMPTY_VALUE, "must not be empty")


def _other(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    yield document.problem(path, Code.OUT_OF_RANGE, str(error.message))


_TRANSLATIONS: dict[str, Callable[[Document, KeyPath, Any], Iterator[Problem]]] = {
    "format": _format,
    "type": _type,
    "additionalProperties": _additional,
    "required": _required,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "dependentRequired": _dependent,
    "enum": _enum,
    "minItems": _too_few,
    "minLength": _too_few,
}
