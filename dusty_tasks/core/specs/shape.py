"""One spec file alone: its YAML, and its shape against the schema.

Pure. Bytes and schema are handed in; yaml and jsonschema are imported only when there is something to read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dusty_tasks.core.specs.compose_rules import COMPOSE_FORMATS
from dusty_tasks.core.specs.documents import Content, Document, spec_name
from dusty_tasks.core.specs.extends import EXTENDS
from dusty_tasks.core.specs.rules import FORMATS, Wrong
from dusty_tasks.core.specs.shape_errors import problems_of
from dusty_tasks.core.specs.yaml_nodes import EMPTY, NO_MAPPING, NOT_UTF_8, SEVERAL, TOO_LARGE
from dusty_tasks.core.specs.yaml_reader import values_of_yaml
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Problem

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
        names = ", ".join(list(whole.value["services"])[:_SHOWN_NAMES])
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
        return list(problems_of(document, found))


_SHOWN_NAMES = 8


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
