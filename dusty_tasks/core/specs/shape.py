"""One spec file alone: its YAML, and its shape against the schema, each error of jsonschema as one of our problems.

Pure. Bytes and schema are handed in; yaml and jsonschema are imported only when there is something to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dusty_tasks.core.specs.compose_rules import COMPOSE_FORMATS
from dusty_tasks.core.specs.documents import Document, spec_name
from dusty_tasks.core.specs.extends import base_name
from dusty_tasks.core.specs.rules import FORMATS, Wrong
from dusty_tasks.core.specs.yaml_reader import (
    EMPTY,
    FALSE,
    NO_MAPPING,
    NOT_UTF_8,
    SEVERAL,
    TOO_LARGE,
    TRUE,
    values_of_yaml,
)
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath, path_text
from dusty_tasks.core.text.problems import GUESS, Problem, edit_distance, nearest
from dusty_tasks.core.text.safe import shown

_EXAMPLES = {
    "app": 'for example "image: python:3.12-slim" and "commands: {always: [./run.sh]}"',
    "bundle": 'for example "apps: [web]"',
    "lib": 'for example "repo: github.com/org/lib" and "mount: /lib"',
    "service": 'for example "image: redis:7"',
}
"""What a spec needs at least, by kind."""
_NO_SPEC = {EMPTY: "", NO_MAPPING: "", SEVERAL: "one spec a file; ", TOO_LARGE: "", NOT_UTF_8: "save it as UTF-8; "}
"""What is said of a file that holds no spec, and how the hint begins."""


class DocumentReader:
    """Reads files of one kind: bytes in, documents out, with the problems of each file alone."""

    def __init__(self, kind: str, schema: dict[str, Any]) -> None:
        """`schema` is that of the kind, without `$ref`s."""
        import jsonschema

        self.kind, self.schema = kind, schema
        formats = jsonschema.FormatChecker(formats=())
        for name, rule in {**FORMATS, **COMPOSE_FORMATS}.items():
            formats.checks(name, raises=Wrong)(_as_format(rule))
        self._validator = jsonschema.Draft202012Validator(_rules_of(schema), format_checker=formats)

    def __call__(self, name: str, file: str, data: bytes) -> Document:
        """The document that `data` holds; `name` is the file's name without `.yml`."""
        values = values_of_yaml(data, file, self.schema)
        document = Document(self.kind, spec_name(name), file, *values)
        if document.is_readable:
            document.problems += self.problems(document)
        else:
            document.problems = [
                problem._replace(hint=_least(self.kind, problem.what)) for problem in document.problems
            ]
        return document

    def problems(self, document: Document) -> list[Problem]:
        """What is wrong with the shape of a document. Of one that others complete, or that is to be completed, no missing keys."""
        found = self._validator.iter_errors(document.value)
        if document.is_template or base_name(document):
            found = (error for error in found if not _is_of_the_whole(error))
        return list(_problems(document, found))


def _is_of_the_whole(error: Any) -> bool:
    """True for an error that another file may mend: keys are merged, but never those of a list's items."""
    is_in_a_list = any(isinstance(part, int) for part in error.absolute_path)
    return error.validator in ("required", "dependentRequired", "oneOf", "anyOf") and not is_in_a_list


def _least(kind: str, what: str) -> str:
    """The hint for a file that holds no spec: what a spec of this kind needs at least; '' where YAML itself is wrong."""
    return next((f"{start}{_EXAMPLES[kind]}" for words, start in _NO_SPEC.items() if what.startswith(words)), "")


_NOTES = {"title", "description", "default", "deprecated", "$schema"}


def _rules_of(schema: Any) -> Any:
    """A schema without what is there for people alone: jsonschema looks at every word, and takes half the time without."""
    if isinstance(schema, list):
        return [_rules_of(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        word: {key: _rules_of(part) for key, part in value.items()} if word == "properties" else _rules_of(value)
        for word, value in schema.items()
        if word not in _NOTES
    }


def _as_format(rule: Callable[[Any], None]) -> Callable[[object], bool]:
    def follows(value: object) -> bool:
        rule(value)
        return True

    return follows


def _problems(document: Document, found: Iterator[Any]) -> Iterator[Problem]:
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
    yield document.problem(path, error.cause.code, error.cause.what, error.cause.hint)


def _type(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    value = error.instance
    yield document.problem(
        path,
        Code.WRONG_TYPE,
        f"must be {_wanted(error.schema)}, not {_found(value)}",
        _right_form(path, value, error.schema),
    )


def _wanted(schema: dict[str, Any]) -> str:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = []
    if "integer" in types or "number" in types:
        words.append("a number" if "number" in types else "a whole number")
    for name, word in (("boolean", "true or false"), ("string", "a string"), ("object", "a mapping")):
        if name in types:
            words.append(word)
    if "array" in types:
        items = schema.get("items", {}).get("type", "")
        noun = {"string": "strings", "object": "mappings"}.get(items, "values") if isinstance(items, str) else "values"
        words.append(f"a list of {noun}")
    return " or ".join(words)


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "that")


def _right_form(path: KeyPath, value: Any, schema: dict[str, Any]) -> str:
    """The value in the form that the schema wants, where that can be guessed."""
    types = schema["type"]
    if value is None:
        return "remove the empty item"
    if types == "string" and isinstance(value, dict):
        return 'put quotes around text that holds ": "'
    if types in ("integer", "boolean") and isinstance(value, str):
        return _without_quotes(types, value)
    start = f"{path[-1]}: " if path and isinstance(path[-1], str) else "- "
    items = schema.get("items", {})
    if "array" in types:
        wants_mappings = items.get("type") == "object" or (isinstance(value, dict) and "properties" in items)
        return start + (f"[{_members(items, None)}]" if wants_mappings else _flow(value))
    if types == "string" and isinstance(value, list):
        return start + _plain(value[0]) if len(value) == 1 and isinstance(value[0], str) else ""
    return start + _members(schema, value) if "object" in types else ""


def _without_quotes(wanted: str, text: str) -> str:
    if wanted == "integer" and text.isascii() and text.isdigit():
        return f"write {int(text)} without quotes"
    return f"write {text.lower()} without quotes" if wanted == "boolean" and text.lower() in TRUE + FALSE else ""


def _members(schema: dict[str, Any], value: Any) -> str:
    """A mapping as a hint shows it: its first key where there are few to choose from, with `value` if that is a list of texts."""
    known = list(schema.get("properties", ()))
    if not 0 < len(known) < 20:
        return "{…}"
    is_for_it = schema["properties"][known[0]].get("type") == "array" and isinstance(value, (str, list))
    return f"{{{known[0]}: {_flow(value) if is_for_it else '…'}}}"


def _flow(value: Any) -> str:
    return f"[{', '.join(map(_plain, value if isinstance(value, (list, dict)) else [value]))}]"


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else shown(value)
    is_safe = text.isprintable() and not set(text) & set("[]{},:#&*!|>'\"%@`\\") and text == text.strip()
    return text if is_safe and len(text) < 60 else shown(text)


def _additional(document: Document, path: KeyPath, error: Any) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    is_of_compose = "patternProperties" in error.schema
    for key in error.instance:
        if key not in known and not (is_of_compose and key.startswith("x-")):
            yield Problem(
                document.key_place((*path, key)),
                path_text(path),
                Code.UNKNOWN_KEY,
                f"unknown key {shown(key)}",
                unknown_key_hint(key, known),
            )


def unknown_key_hint(key: str, known: Any) -> str:
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


_ANY_FORMS = {"image": "image: redis:7", "apps": "apps: [web]"}


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
