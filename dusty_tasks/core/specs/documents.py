"""Documents: spec files as plain values, with the place of every key (docs/specs.md).

A document is what reading hands to the checks. It is also what the cache keeps, so it has a JSON form: the value, and
its marks as one flat list of numbers in the order of a walk over the value, parents first.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import path_text
from dusty_tasks.core.text.memo import sha256
from dusty_tasks.core.text.problems import Place, Problem

if TYPE_CHECKING:
    from dusty_tasks.core.text.key_path import KeyPath

KINDS = ("app", "bundle", "lib", "service", "vars", "vars_overrides")

Spot = tuple[int, int] | tuple[int, int, str]
"""Line and column, and the file where that may not be the one that was asked for."""


def place_of(file: str, spot: Spot) -> Place:
    """The place that a spot of `file` stands for."""
    return Place(spot[2] if len(spot) > 2 else file, *spot[:2])


class Content(NamedTuple):
    """What a YAML text holds: `value` is {} when it could not be read."""

    value: dict[str, Any]
    marks: list[int]
    """Line and column of the value, then of its key, for each value in walk order."""
    problems: list[Problem]
    is_readable: bool = True


class Merge(NamedTuple):
    """Where the values of a merged document come from."""

    other_files: Sequence[str] = ()
    """The files beside its own that they stand in."""
    owners: Sequence[int] = ()
    """For each value in walk order the index of its file, its own being 0."""


ALONE = Merge()


class Document:
    """One spec file. It defines its name even if nothing in it could be read (`is_readable` is False, `value` is {})."""

    def __init__(self, kind: str, name: str, file: str, values: Content, merge: Merge = ALONE) -> None:
        self.kind, self.name, self.file = kind, name, file
        self.value, self.marks, self.problems, self.is_readable = values
        """Strings as written in the file; integers and booleans where the schema has them; keys without value left out."""
        """Line and column of the value, then of its key, for each value in walk order."""
        """What reading and the schema found in this file alone."""
        self.all_files = (file, *merge.other_files)
        """The files that its values stand in; more than its own after a merge."""
        self.owners = list(merge.owners)
        """For each value in walk order the index of its file in `all_files`; empty where all stand in its own."""

    @property
    def is_template(self) -> bool:
        """True for a spec that others extend, and that nothing activates: its file's name begins with `_`."""
        return self.kind != "bundle" and self.name.startswith("_")

    @property
    def is_override(self) -> bool:
        """True for a user's own, which is merged over the spec of its name: it lies elsewhere than in the specs repo."""
        return self.file.startswith("/")

    @property
    def is_merged(self) -> bool:
        """True if values of other files are in it."""
        return bool(self.owners)

    @cached_property
    def _by_path(self) -> dict[KeyPath, tuple[int, int, int, int]]:
        return marks_by_path(self.value, self.marks)

    @cached_property
    def _file_by_path(self) -> dict[KeyPath, str]:
        files = [self.all_files[owner] for owner in self.owners]
        return dict(zip(paths_of(self.value), files, strict=True)) if files else {}

    @cached_property
    def places(self) -> Mapping[KeyPath, Spot]:
        """Key path -> line and column of the value, and its file where that may be another."""
        if not self.owners:
            return Places(self.value, self.marks)
        return {path: (*mark[:2], self._file_by_path[path]) for path, mark in self._by_path.items()}

    def spots(self) -> dict[KeyPath, tuple[str, int, int, int, int]]:
        """Key path -> file, line and column of the value, then line and column of its key."""
        return {path: (self._file_by_path.get(path, self.file), *mark) for path, mark in self._by_path.items()}

    @cached_property
    def text(self) -> str:
        """All of it on one line, as the cache holds it; `from_text` is the inverse."""
        problems = [
            [self.all_files.index(problem.place.file), *problem.place[1:], *problem[1:]] for problem in self.problems
        ]
        parts = [self.kind, self.name, self.file, self.value, self.marks, problems, self.is_readable]
        return json.dumps([*parts, self.all_files[1:], self.owners] if self.owners else parts)

    @cached_property
    def digest(self) -> str:
        """Differs when anything that it says does, or the place of it."""
        return sha256(self.text.encode()).hexdigest()

    def with_problems(self, problems: Iterable[Problem]) -> Document:
        """The same, with more problems."""
        return self.holding(self.value, [*self.problems, *problems])

    def holding(self, value: dict[str, Any], problems: list[Problem]) -> Document:
        """The same with a value in which everything stands where it stood."""
        merge = Merge(self.all_files[1:], self.owners)
        return Document(self.kind, self.name, self.file, Content(value, self.marks, problems, self.is_readable), merge)

    def place(self, path: KeyPath = ()) -> Place:
        """Where the value at `path` stands; that of the nearest parent if there is none; 1:1 for the whole file."""
        while path:
            if path in self._by_path:
                return Place(self._file_by_path.get(path, self.file), *self._by_path[path][:2])
            path = path[:-1]
        return Place(self.file)

    def key_place(self, path: KeyPath) -> Place:
        """Where the key of `path` stands (for a list item: the item); that of the nearest parent if there is none."""
        while path:
            if path in self._by_path:
                return Place(self._file_by_path.get(path, self.file), *self._by_path[path][2:])
            path = path[:-1]
        return Place(self.file)

    def problem(self, path: KeyPath, code: Code, what: str, hint: str = "", *, is_warning: bool = False) -> Problem:
        """A problem of the value at `path`."""
        return Problem(self.place(path), path_text(path), code, what, hint, is_warning)

    @classmethod
    def from_text(cls, text: str) -> Document:
        """The document that `text` was made of. Raises TypeError, ValueError or IndexError on anything else."""
        kind, name, file, value, marks, problems, is_readable, *merge = json.loads(text)
        if kind not in KINDS or not isinstance(value, dict) or not isinstance(marks, list):
            raise ValueError("not a document")
        files = [file, *(merge[0] if merge else ())]
        read = [
            Problem(Place(files[index], line, column), path, Code(code), *rest)
            for index, line, column, path, code, *rest in problems
        ]
        document = cls(kind, name, file, Content(value, marks, read, is_readable), Merge(*merge))
        document.text = text
        return document


class Places(Mapping["KeyPath", tuple[int, int]]):
    """Key path -> line and column of the value, from the marks of a walk over `value`.

    The first few are found by walking; whoever asks for more gets a table of all.
    """

    WALKS = 4

    def __init__(self, value: Any, marks: list[int]) -> None:
        self._value, self._marks, self._walks = value, marks, 0

    @cached_property
    def _table(self) -> dict[KeyPath, tuple[int, int]]:
        return dict(zip(paths_of(self._value), zip(self._marks[::4], self._marks[1::4], strict=False), strict=False))

    def __getitem__(self, path: KeyPath) -> tuple[int, int]:
        if self._walks >= self.WALKS:
            return self._table[path]
        self._walks += 1
        index = 4 * steps_to(self._value, path)
        return self._marks[index], self._marks[index + 1]

    def get(self, path: KeyPath, default: Any = None) -> Any:
        """As of any mapping; without the detour through an exception, since it is asked ten thousand times."""
        if self._walks >= self.WALKS:
            return self._table.get(path, default)
        try:
            return self[path]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[KeyPath]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


class PlacesByFile(Mapping[str, Mapping["KeyPath", Spot]]):
    """file of a spec -> key path -> line and column; a document's places are worked out when they are asked for."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self._documents = {document.file: document for document in documents}

    def __getitem__(self, file: str) -> Mapping[KeyPath, Spot]:
        return self._documents[file].places

    def digest(self, file: str) -> str:
        """Differs when any place in the file does."""
        return self._documents[file].digest if file in self._documents else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


def steps_to(value: Any, path: KeyPath) -> int:
    """How many values a walk over `value`, parents first, meets before the one at `path`. Raises KeyError if there is none."""
    steps = 0
    for key in path:
        if isinstance(value, dict) and key in value:
            steps += 1 + sum(map(size_of, islice(value.values(), list(value).index(key))))
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            steps += 1 + sum(map(size_of, value[:key]))
        else:
            raise KeyError(path)
        value = value[key]
    return steps


def size_of(value: Any) -> int:
    """How many values a walk over `value` meets, itself included."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(size_of, children))


def marks_by_path(value: Any, marks: list[int]) -> dict[KeyPath, tuple[int, int, int, int]]:
    """Key path -> line and column of the value, then of its key."""
    paths = paths_of(value)
    return dict(zip(paths, zip(marks[::4], marks[1::4], marks[2::4], marks[3::4], strict=False), strict=False))


def paths_of(value: Any) -> list[KeyPath]:
    """The key path of `value` and of every value below it, parents first."""
    found: list[KeyPath] = []
    _add_paths(value, (), found)
    return found


def _add_paths(value: Any, path: KeyPath, found: list[KeyPath]) -> None:
    """Into a list: nested generators take twice as long, and 500 apps have 17,000 paths."""
    found.append(path)
    if isinstance(value, dict):
        for key, child in value.items():
            _add_paths(child, (*path, key), found)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _add_paths(child, (*path, index), found)


def spec_name(file_name: str) -> str:
    """The name of a spec, from its file's name without `.yml`: names are compared in NFC (docs/specs.md)."""
    return unicodedata.normalize("NFC", file_name)
