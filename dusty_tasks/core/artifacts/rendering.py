"""The whole compile phase as one pure function: specs and settings in, bytes out.

The steps call the same parts one by one, so that only what changed is rendered anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import NamedTuple

from dusty_tasks.core.artifacts.compose import compose_entry, entry_lines, first_lines
from dusty_tasks.core.artifacts.compose_entry import Entry
from dusty_tasks.core.artifacts.origins import member, members_of, origins_json, rests_of, row_at
from dusty_tasks.core.artifacts.parts import AppParts, ContainerSlice, Parts, parts_of
from dusty_tasks.core.artifacts.table import Form, Made, Whole, rows
from dusty_tasks.core.artifacts.templates import Templates
from dusty_tasks.core.artifacts.top_level import top_level_lines
from dusty_tasks.core.artifacts.traced import Artifact, Traced, traced
from dusty_tasks.core.artifacts.wanted import start_order, wanted_container, wanted_json
from dusty_tasks.core.artifacts.yaml_writer import Lines
from dusty_tasks.core.powers.rules import powers_of
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.documents import PlacesByFile
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.stack.json_form import stack_json
from dusty_tasks.core.stack.ports import PortMemory
from dusty_tasks.core.text.memo import Memo, digest
from dusty_tasks.core.text.paths import COMPOSE_FILE, ORIGINS_FILE, STACK_FILE
from dusty_tasks.core.text.value import cut


class Memos(NamedTuple):
    """What earlier runs made of a container or command file, for those that are made of the same now."""

    compose: Memo
    wanted: Memo
    origins: Memo


Files = dict[tuple[tuple[str, ...], str], Mapping[str, Artifact]]
"""What was made of slices, by the paths and the slice's key."""


class Rendering:
    """The artifacts of one stack by their path below build/, each rendered when it is asked for, at most once."""

    def __init__(
        self, whole: Whole, templates: Templates, memos: Memos | None = None, known: Files | None = None
    ) -> None:
        """`memos` and `known` hold what was made before; what is made now is added."""
        self.whole, self.stack, self.templates = whole, whole.stack, templates
        self.memos = memos or Memos(Memo(), Memo(), Memo())
        self._settings = cut(ContainerSettings, whole.settings)
        self._entries: dict[str, Entry] = {}
        self._known = known

    @cached_property
    def files(self) -> dict[str, Artifact]:
        """All that is made of slices, by path below build/."""
        return {
            path: artifact
            for row in rows(Form.FILES)
            for made in row.files(self.whole)
            for path, artifact in self._files_of(made).items()
        }

    def _files_of(self, made: Made) -> Mapping[str, Artifact]:
        if self._known is None:
            return made.render(made.slice, self.templates)
        key = (made.paths, made.key)
        if key not in self._known:
            self._known[key] = made.render(made.slice, self.templates)
        return self._known[key]

    def contents(self) -> dict[str, bytes]:
        """The artifacts that are pushed or read by Compose, as files hold them."""
        return {**bytes_of(self.files), COMPOSE_FILE: self.compose}

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """Container name -> what it is made from, sorted by name."""
        return parts_of(self.stack)

    @cached_property
    def _slices(self) -> dict[str, ContainerSlice]:
        """By container, in order of the Compose file."""
        return {
            name: ContainerSlice(name, parts, self._settings, self.whole.specs_root)
            for name, parts in self.parts.items()
        }

    @cached_property
    def _keys(self) -> dict[str, str]:
        """Container name -> a digest of its slice. What many slices share has a long repr: its digest stands for it."""
        shared: dict[int, str] = {}

        def short(value: object) -> str:
            if id(value) not in shared:
                shared[id(value)] = digest(value)
            return shared[id(value)]

        def of(slice: ContainerSlice) -> str:
            libs: list[str] = []
            if isinstance(slice.parts, AppParts):
                libs = [short(lib) for lib in slice.parts.libs]
                slice = slice._replace(parts=slice.parts._replace(libs=()))
            fields = {**slice._asdict(), "settings": short(slice.settings)}
            return digest((fields, libs))

        return {name: of(slice) for name, slice in self._slices.items()}

    @cached_property
    def compose(self) -> bytes:
        """The Compose file."""
        services = [self.memos.compose.text(key, partial(self._service_text, name)) for name, key in self._keys.items()]
        first = first_lines(bool(services), self._settings.namespace)
        return "\n".join([*first, *services, *top_level_lines(self.stack, self._settings).texts, ""]).encode()

    @cached_property
    def wanted(self) -> bytes:
        """state/wanted.json."""
        containers = [
            self.memos.wanted.text(self._keys[name], partial(self._wanted_text, name))
            for name in start_order(self.parts)
        ]
        return wanted_json(
            self.stack, containers, self._settings, powers_of(self.stack, self._settings, self.whole.specs_root)
        ).encode()

    def origins(self, places: PlacesByFile, others: Iterable[Traced] | None = None) -> bytes:
        """build/origins.json; `others` are the spans of all artifacts but the Compose file, if they are known already."""
        if others is None:
            others = [traced(self.files)]
        members = [
            self.memos.origins.text(self._seen(places, other.key, other.files), partial(_members_text, other, places))
            for other in others
        ]
        return origins_json([*members, member(COMPOSE_FILE, self._compose_rows(places))]).encode()

    def _compose_rows(self, places: PlacesByFile) -> list[str]:
        """The rows of the Compose file. Only their line numbers depend on the containers before."""
        rests = [""] * len(first_lines(True, self._settings.namespace))
        for name, key in self._keys.items():
            seen = self._seen(places, key, self.parts[name].files)
            rests += self.memos.origins.text(seen, partial(self._rests_text, name, places)).split("\n")
        rests += rests_of(top_level_lines(self.stack, self._settings), places)
        return [row_at(line, line, rest) for line, rest in enumerate(rests, start=1) if rest]

    @staticmethod
    def _seen(places: PlacesByFile, key: str, files: Iterable[str]) -> str:
        """What rows are made of: what they stand for, and the places in the spec files that they lead to."""
        return digest((key, [places.digest(file) for file in files]))

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            self._entries[name] = compose_entry(self._slices[name])
        return self._entries[name]

    def _lines(self, name: str) -> Lines:
        return entry_lines(name, self._entry(name))

    def _service_text(self, name: str) -> str:
        return "\n".join(self._lines(name).texts)

    def _rests_text(self, name: str, places: PlacesByFile) -> str:
        return "\n".join(rests_of(self._lines(name), places))

    def _wanted_text(self, name: str) -> str:
        wanted = wanted_container(self._slices[name], self._entry(name).mapping)
        return json.dumps(wanted._asdict(), ensure_ascii=False)


def _members_text(other: Traced, places: PlacesByFile) -> str:
    return members_of(other.spans(), places)


def compile_all(specs: Specs, ports: PortMemory, whole: Whole, templates: Templates) -> dict[str, bytes]:
    """Path below build/ -> bytes: everything that compile writes there."""
    rendering = Rendering(whole, templates)
    return {
        **rendering.contents(),
        STACK_FILE: stack_json(whole.stack, ports).encode(),
        ORIGINS_FILE: rendering.origins(specs.places),
    }


def bytes_of(artifacts: Mapping[str, Artifact]) -> dict[str, bytes]:
    """The artifacts as files hold them."""
    return {path: artifact.text.encode() for path, artifact in artifacts.items()}
