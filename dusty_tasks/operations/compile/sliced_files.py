"""Files that are each made of a slice: those that still are what was made of the same slice are read, the others rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.core.text.memo import digest
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.doors.memos import code_version
from dusty_tasks.effects.home.artifacts import Record

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.rendering import Rendering
    from dusty_tasks.core.artifacts.table import Made, Row
    from dusty_tasks.core.artifacts.traced import Artifact, Span, Traced


class SlicedFiles:
    """The files of one row of the table, by path below build/."""

    def __init__(self, row: Row, rendering: Rendering) -> None:
        self._templates = rendering.templates
        self._made = {path: made for made in row.files(rendering.whole) for path in made.paths}
        keys = {id(made): digest((made.key, code_version())) for made in self._made.values()}
        self._rendered: dict[int, Mapping[str, Artifact]] = {}
        self.keys = {path: keys[id(made)] for path, made in self._made.items()}
        """A digest of all that each is made of."""
        self.folder = row.path.rstrip("/") if row.path.endswith("/") else ""
        """Where they all lie, '' for a row of a single file."""
        self.record = Record(session.paths().artifact("").rstrip("/"), row.name)
        if self.folder:
            self.record.look_below(self.folder)

    @cached_property
    def kept(self) -> set[str]:
        """Those that lie there as they would be written now."""
        return {path for path, key in self.keys.items() if (self.record.note(path) or {}).get("key") == key}

    @cached_property
    def rendered(self) -> dict[str, Artifact]:
        """All others."""
        return {path: self._render(path) for path in self.keys if path not in self.kept}

    def notes(self) -> dict[str, Any]:
        """What is remembered of those that were rendered."""
        from dusty_tasks.core.artifacts.traced import files_of

        return {
            path: {"key": self.keys[path], "files": files_of(artifact.spans), "spans": artifact.spans}
            for path, artifact in self.rendered.items()
        }

    def contents(self) -> dict[str, bytes]:
        """All of them, as files hold them."""
        return {path: self._content(path) for path in self.keys}

    def traced(self) -> Iterator[Traced]:
        """Their spans."""
        notes = self.notes()
        return traced({path: notes.get(path) or self.record.files[path].note for path in self.keys})

    def _content(self, path: str) -> bytes:
        data = read_bytes(f"{self.record.folder}/{path}") if path in self.kept else None
        return self._render(path).text.encode() if data is None else data

    def _render(self, path: str) -> Artifact:
        made: Made = self._made[path]
        if id(made) not in self._rendered:
            self._rendered[id(made)] = made.render(made.slice, self._templates)
        return self._rendered[id(made)][path]


def traced(notes: Mapping[str, Any]) -> Iterator[Traced]:
    """The spans that notes hold: those of files that are made of the same belong together."""
    from dusty_tasks.core.artifacts.traced import Traced, spans_from_json

    def spans_of(notes: Mapping[str, Any]) -> dict[str, tuple[Span, ...]]:
        return {path: spans_from_json(note["spans"]) for path, note in notes.items()}

    notes_by_key: dict[str, dict[str, Any]] = {}
    for path, note in sorted(notes.items()):
        notes_by_key.setdefault(note["key"], {})[path] = note
    for key, found in notes_by_key.items():
        files = sorted({file for note in found.values() for file in note["files"]})
        yield Traced(f"{key} {' '.join(found)}", files, partial(spans_of, found))
