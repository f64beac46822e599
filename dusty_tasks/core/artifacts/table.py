"""The whole compile phase as one pure function: specs and settings in, bytes out.

The doit steps call the same parts one by one, so that only what changed is rendered anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import NamedTuple

from dusty_tasks.core.artifacts.commands import command_files
from dusty_tasks.core.artifacts.compose import compose_entry, entry_lines, first_lines
from dusty_tasks.core.artifacts.compose_entry import Entry
from dusty_tasks.core.artifacts.hosts import render_hosts
from dusty_tasks.core.artifacts.nginx import render_nginx
from dusty_tasks.core.artifacts.origins import member, members_of, origins_json, rests_of, row_at
from dusty_tasks.core.artifacts.parts import AppParts, Parts, parts_of
from dusty_tasks.core.artifacts.templates import Templates
from dusty_tasks.core.artifacts.top_level import top_level_lines
from dusty_tasks.core.artifacts.traced import Artifact, Traced, traced
from dusty_tasks.core.artifacts.wanted import start_order, wanted_container, wanted_json
from dusty_tasks.core.artifacts.yaml_writer import Lines
from dusty_tasks.core.powers.rules import powers_of
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.documents import PlacesByFile
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.stack.json_form import stack_json
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.stack.ports import PortMemory
from dusty_tasks.core.text.memo import Memo, digest

HOSTS, NGINX, COMPOSE = "hosts", "nginx/dustyNginx.conf", "docker-compose.yml"
STACK, ORIGINS, COMMANDS = "stack.json", "origins.json", "commands"


class Memos(NamedTuple):
    """What earlier runs made of a container or command file, for those that are made of the same now."""

    compose: Memo
    wanted: Memo
    origins: Memo


class Rendering:
    """The artifacts of one stack by their path below build/, each rendered when it is asked for, at most once."""

    def __init__(
        self, stack: Stack, settings: Settings, specs_root: str, templates: Templates, memos: Memos | None = None
    ) -> None:
        self.stack, self.settings, self.specs_root, self.templates = stack, settings, specs_root, templates
        self.memos = memos or Memos(Memo(), Memo(), Memo())
        self._entries: dict[str, Entry] = {}

    @cached_property
    def hosts(self) -> dict[str, Artifact]:
        return {HOSTS: render_hosts(self.stack, self.settings.hosts_address)}

    @cached_property
    def nginx(self) -> dict[str, Artifact]:
        return {NGINX: render_nginx(self.stack, self.settings, self.templates)}

    @cached_property
    def commands(self) -> dict[str, Artifact]:
        return {
            f"{COMMANDS}/{files.folder}/{path}": artifact
            for files in command_files(self.stack, self.settings.sync_mode == "bind")
            for path, artifact in files.render(self.templates).items()
        }

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """Container name -> what it is made from, sorted by name."""
        return parts_of(self.stack)

    @cached_property
    def _keys(self) -> dict[str, str]:
        """Container name -> a digest of all that its entry, its rows and its part of wanted.json are made from; in order of the file."""
        context = digest((self.settings.of_containers, self.specs_root))
        # Many containers share a lib, whose repr is long: its digest stands for it.
        libs = {name: digest(lib) for name, lib in self.stack.libs.items()}

        def of(name: str, parts: Parts) -> str:
            if not isinstance(parts, AppParts):
                return digest((name, parts, context))
            return digest((name, parts._replace(libs=()), [libs[lib.name] for lib in parts.libs], context))

        return {name: of(name, parts) for name, parts in self.parts.items()}

    @cached_property
    def compose(self) -> dict[str, Artifact]:
        services = [self.memos.compose.text(key, partial(self._service_text, name)) for name, key in self._keys.items()]
        return {
            COMPOSE: Artifact(
                "\n".join(
                    [
                        *first_lines(bool(services), self.settings.namespace),
                        *services,
                        *top_level_lines(self.stack, self.settings).texts,
                        "",
                    ]
                )
            )
        }

    @cached_property
    def wanted(self) -> bytes:
        """state/wanted.json."""
        containers = [
            self.memos.wanted.text(self._keys[name], partial(self._wanted_text, name))
            for name in start_order(self.parts)
        ]
        return wanted_json(self.stack, containers, powers_of(self.stack, self.settings, self.specs_root)).encode()

    def origins(self, places: PlacesByFile, others: Iterable[Traced] | None = None) -> bytes:
        """build/origins.json; `others` are the spans of all artifacts but the Compose file, if they are known already."""
        if others is None:
            others = [traced({**self.hosts, **self.nginx, **self.commands})]
        members = [
            self.memos.origins.text(self._seen(places, other.key, other.files), partial(_members_text, other, places))
            for other in others
        ]
        return origins_json([*members, member(COMPOSE, self._compose_rows(places))]).encode()

    def _compose_rows(self, places: PlacesByFile) -> list[str]:
        """The rows of the Compose file. Only their line numbers depend on the containers before."""
        rests = [""] * len(first_lines(True))
        for name, key in self._keys.items():
            seen = self._seen(places, key, self.parts[name].files)
            rests += self.memos.origins.text(seen, partial(self._rests_text, name, places)).split("\n")
        rests += rests_of(top_level_lines(self.stack, self.settings), places)
        return [row_at(line, line, rest) for line, rest in enumerate(rests, start=1) if rest]

    @staticmethod
    def _seen(places: PlacesByFile, key: str, files: Iterable[str]) -> str:
        """What rows are made of: what they stand for, and the places in the spec files that they lead to."""
        return digest((key, [places.digest(file) for file in files]))

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            self._entries[name] = compose_entry(self.parts[name], self.settings, self.specs_root)
        return self._entries[name]

    def _lines(self, name: str) -> Lines:
        return entry_lines(name, self._entry(name))

    def _service_text(self, name: str) -> str:
        return "\n".join(self._lines(name).texts)

    def _rests_text(self, name: str, places: PlacesByFile) -> str:
        return "\n".join(rests_of(self._lines(name), places))

    def _wanted_text(self, name: str) -> str:
        wanted = wanted_container(name, self.parts[name], self._entry(name).mapping, self.settings, self.specs_root)
        return json.dumps(wanted._asdict(), ensure_ascii=False)


def _members_text(other: Traced, places: PlacesByFile) -> str:
    return members_of(other.spans(), places)


def compile_all(
    specs: Specs, stack: Stack, ports: PortMemory, settings: Settings, specs_root: str, templates: Templates
) -> dict[str, bytes]:
    """Path below build/ -> bytes: everything that compile writes there."""
    rendering = Rendering(stack, settings, specs_root, templates)
    artifacts = {**rendering.hosts, **rendering.nginx, **rendering.compose, **rendering.commands}
    return {**bytes_of(artifacts), STACK: stack_json(stack, ports).encode(), ORIGINS: rendering.origins(specs.places)}


def bytes_of(artifacts: Mapping[str, Artifact]) -> dict[str, bytes]:
    """The artifacts as files hold them."""
    return {path: artifact.text.encode() for path, artifact in artifacts.items()}
