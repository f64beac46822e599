"""One spec file alone: its YAML, and its shape against the schema, each error of jsonschema as one of our problems.

Pure. Bytes and schema are handed in; yaml and jsonschema are imported only when there is something to read.

More than 300 lines: each error of jsonschema becomes a sentence of ours, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from dusty_tasks.core.specs.compose_rules import COMPOSE_FORMATS
from dusty_tasks.core.specs.documents import Content, Document, spec_name
from dusty_tasks.core.specs.extends import EXTENDS
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
from dusty_tasks.core.specs.yaml_trouble import without_blank
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
        if _is_compose_file(values.value):
            return self._of_compose_file(name, file, values)
        document = Document(self.kind, spec_name(name), file, values)
        if document.is_readable:
            document.problems += self.problems(document)
        else:
            document.problems = [
                problem._replace(hint=_least(self.kind, problem.what) or problem.hint) for problem in document.problems
            ]
        return document

    def _of_compose_file(self, name: str, file: str, values: Content) -> Document:
        """A document without content: each of a Compose file's keys would be one more problem that says nothing."""
        whole = Document(self.kind, spec_name(name), file, values)
        names = ", ".join(list(whole.value["services"])[:SHOWN_NAMES])
        problem = Problem(
            whole.key_place(("services",)),
            "",
            Code.COMPOSE_FILE,
            f"this is a Compose file, and a spec is one container: {names}",
            f"put what is below each name into a file of its own, for example services/{next(iter(whole.value['services']))}.yml",
        )
        return Document(self.kind, spec_name(name), file, Content({}, [], [problem], is_readable=False))

    def problems(self, document: Document) -> list[Problem]:
        """What is wrong with the shape of a document. Of one that others complete, or that is to be completed, no missing keys."""
        found = self._validator.iter_errors(document.value)
        # What stands in place of a variable is judged once it is known.
        found = (error for error in found if not (isinstance(error.instance, str) and "${{" in error.instance))
        if document.is_template or document.is_override or EXTENDS in document.value:
            found = (error for error in found if not _is_of_the_whole(error))
        return list(_problems(document, found))


SHOWN_NAMES = 8
SHORT = 59
"""Characters of a text that hints show whole."""


def _is_compose_file(value: dict[str, Any]) -> bool:
    """True for a file whose `services` are containers themselves."""
    services = value.get("services")
    return isinstance(services, dict) and any(
        isinstance(part, dict) and ("image" in part or "build" in part) for part in services.values()
    )


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
        f"must be {_wanted(error.schema)}, not {_found(value)}",
        _right_form(path, value, error.schema),
    )
    yield problem._replace(instead=_same_in_the_right_type(value, error.schema))


def _same_in_the_right_type(value: Any, schema: dict[str, Any]) -> str:
    """The value as the type that is wanted, where it can mean nothing else; ''."""
    types = schema["type"]
    if not isinstance(value, str) or "\n" in value or len(value) > SHORT:
        return ""
    if types in ("integer", "boolean"):
        return _without_quotes(types, value).removeprefix("write ").removesuffix(" without quotes")
    return _flow(value) if types == "array" and schema.get("items", {}).get("type") == "string" and value else ""


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
        if "minLength" in schema.get("items", {}):
            items = "string"  # names, which may say more in a mapping
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
        if path and list(value) == ["default"] and isinstance(value["default"], str):
            return f"{path[-1]}: {_plain(value['default'])}"
        return 'put quotes around text that holds ": "'
    if types in ("integer", "boolean") and isinstance(value, str):
        return _without_quotes(types, value)
    if "array" in types and isinstance(value, str) and "\n" in value:
        return f"make it a list of one item: {path[-1]}:, and on the next line - |" if path else ""
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
            if where := _belongs(document.kind, path, key):
                yield Problem(
                    document.key_place((*path, key)),
                    path_text(path),
                    Code.MISPLACED_KEY,
                    f"{key} is a key of Compose, not one of {_NOUN.get(document.kind, 'a spec')}",
                    where,
                    instead=key if where == UNDER_COMPOSE else "",
                )
                continue
            yield Problem(
                document.key_place((*path, key)),
                path_text(path),
                Code.UNKNOWN_KEY,
                f"unknown key {shown(key)}",
                unknown_key_hint(key, known),
                instead=_certain(key, known, error.instance),
            )


UNDER_COMPOSE = "write it under compose:"
_NOUN = {"app": "an app", "lib": "a lib", "bundle": "a bundle"}


def _belongs(kind: str, path: KeyPath, key: str) -> str:
    """Where a key of Compose belongs that stands among the keys of Dusty, or ''."""
    from dusty_tasks.core.specs.compose_keys.known import IGNORED_IN_APPS, KNOWN_KEYS

    if key not in KNOWN_KEYS:
        return ""
    if kind == "app" and not path:
        return IGNORED_IN_APPS.get(key) or UNDER_COMPOSE
    if len(path) == 3 and path[:2] == ("test", "suites"):
        return "write it under compose: of the suite"
    return "write it under compose: of an app; a lib has no container of its own" if kind == "lib" and not path else ""


def _certain(key: str, known: Iterable[str], given: Container[str]) -> str:
    """The known key that `key` can only have been meant to be: one edit away, no other one near, and not given beside it."""
    guess = nearest(key, known)
    near = [name for name in known if edit_distance(key, name) <= 2]
    is_one_edit = edit_distance(key, guess) == 1 or key.lower().replace("-", "_") == guess
    return guess if guess and is_one_edit and len(guess) > 3 and near in ([guess], []) and guess not in given else ""


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
