"""What the rule of each Compose key may know of its document and the other specs, and what it fills. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import Reference
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem


class Names(NamedTuple):
    """The names that all documents define, whether or not they could be read."""

    by_kind: dict[str, frozenset[str]]
    containers: frozenset[str]
    """Apps and services: what has a container."""

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Names:
        by_kind = {
            kind: frozenset(document.name for document in documents if document.kind == kind)
            for kind in ("app", "lib", "service", "bundle")
        }
        return cls(by_kind, by_kind["app"] | by_kind["service"])


class Translated(NamedTuple):
    """The Compose mapping of one container as today's keys."""

    compose: dict[str, Any]
    references: list[Reference]
    problems: list[Problem]
    volume_driver: str = ""
    """Driver of the named volumes that it mounts, or ''."""
    network: str = ""
    """What replaces the project network: `service:<name>`, `container:<name>`, `host`, `none` …, or ''."""


class Translation:
    """One Compose mapping on its way: what has come of it so far, and what the rule of a key may note and say."""

    def __init__(self, document: Document, value: dict[str, Any], base: KeyPath, role: str, names: Names) -> None:
        self.document, self.value, self.base, self.role, self.names = document, value, base, role, names
        self.compose: dict[str, Any] = {}
        self.references: list[Reference] = []
        self.problems: list[Problem] = []
        self.volume_driver = self.network = ""
        self.needs: dict[str, dict[str, Any]] = {}
        """Names for `depends_on`, with what their long form says."""

    @property
    def has_commands(self) -> bool:
        return "commands" in self.document.value

    def items(self, key: str, value: Any) -> Iterator[tuple[KeyPath, str]]:
        """The strings of a key that takes one or a list."""
        if isinstance(value, str):
            yield (key,), value
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, str):
                yield (key, index), item

    def pairs(self, key: str, value: Any) -> Iterator[tuple[KeyPath, str, str | None]]:
        """Name and value of a key that takes a map or a list of `A=1`, `B`."""
        if isinstance(value, dict):
            for name, text in value.items():
                yield (key, name), name, text if text is None or isinstance(text, str) else str(text)
        for path, item in self.items(key, value) if isinstance(value, list) else ():
            name, has_value, text = item.partition("=")
            yield path, name, text if has_value else None

    def refer(self, path: KeyPath, key: str, name: str) -> bool:
        """Note that `name` is needed; False if no spec defines it."""
        self.references.append(Reference((*self.base, *path), key, name))
        if name in self.names.containers:
            self.needs.setdefault(name, {})
            return True
        return False

    def say(self, path: KeyPath, code: Code, what: str, hint: str = "") -> None:
        self.problems.append(self.document.problem((*self.base, *path), code, what, hint))

    def warn(self, key: str, code: Code, what: str, hint: str) -> None:
        self.say_at_key(key, code, what, hint, is_warning=True)

    def say_at_key(self, key: str, code: Code, what: str, hint: str, *, is_warning: bool = False) -> None:
        path = (*self.base, key)
        problem = self.document.problem(path, code, what, hint, is_warning=is_warning)
        self.problems.append(problem._replace(place=self.document.key_place(path)))


Rule = Callable[[Translation, Any], None]
"""What becomes of the value of one key."""
