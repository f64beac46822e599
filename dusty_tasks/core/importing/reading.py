"""A Compose project as its files have it: overlays, `extends` and `include` resolved, variables still as written. Pure.

Whoever asks hands in what reads a file, so nothing here touches the disk, and nothing is taken from the caller's environment.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.importing.compose_yaml import Node, Refused, documents, mapped, plain, text_of
from dusty_tasks.core.importing.dotenv import BadLine, variables_of
from dusty_tasks.core.importing.merging import merged, with_each_once, without_resets
from dusty_tasks.core.importing.relative_paths import with_paths_from
from dusty_tasks.core.importing.short_forms import in_one_form, plain_text, template_of
from dusty_tasks.core.text.problems import Place

Read = Callable[[str], bytes | None]
"""The bytes of a file by its absolute path, None if there is none."""
MOST_FILES = 64
PROJECT_NAME = "COMPOSE_PROJECT_NAME"
NAMED = ("services", "volumes", "networks", "secrets", "configs", "models")
"""Top-level keys that hold things by name."""


class Project(NamedTuple):
    """What the files say."""

    name: str
    folder: str
    """The absolute folder that relative paths start at."""
    services: dict[str, Node]
    named: dict[str, dict[str, Node]]
    """volumes, networks, secrets, configs and models by name."""
    notes: dict[str, Node]
    """What else stands at the top."""
    values: dict[str, str]
    """What variables stand for: of `.env` or the files given instead."""
    env_files: tuple[str, ...]
    extended: dict[str, Node]
    """Service -> its `extends`, which is resolved."""


def read_project(files: Sequence[str], folder: str, read: Read, env_files: Sequence[str] | None = None) -> Project:
    """The project of these files, absolute paths, the later over the earlier. Raises Refused for what Compose would refuse."""
    given = env_files is not None
    env_paths = list(env_files) if env_files is not None else [posixpath.join(folder, ".env")]
    values: dict[str, str] = {}
    found_files = []
    for path in env_paths:
        data = read(path)
        if data is None:
            if given:
                raise Refused(Place(path), "there is no such file")
            continue
        found_files.append(path)
        values.update(_variables(data, path, values))
    reader = _Reader(read, values)
    model = reader.files(files, folder)
    services = reader.services(model)
    if not services:
        raise Refused(Place(files[0]), "there are no services")
    _check_names(services, reader.values)
    named = {
        key: dict(model.value[key].value or {})
        for key in NAMED[1:]
        if key in model.value and isinstance(model.value[key].value, dict)
    }
    notes = {key: node for key, node in model.value.items() if key not in NAMED}
    name = project_name(plain_text(notes["name"], reader.values) if "name" in notes else "", reader.values, folder)
    whole = {**reader.values, PROJECT_NAME: name}
    return Project(name, folder, services, named, notes, whole, tuple(found_files), reader.extended_by)


def _check_names(services: Mapping[str, Node], values: Mapping[str, str]) -> None:
    """Refuse a service that needs one that is not there."""
    for service in services.values():
        depends = service.value.get("depends_on")
        for name, entry in depends.value.items() if depends is not None and isinstance(depends.value, dict) else ():
            required = entry.value.get("required") if isinstance(entry.value, dict) else None
            if name not in services and (required is None or plain_text(required, values).lower() != "false"):
                raise Refused(entry.place, f'there is no service "{name}"')
        links = service.value.get("links")
        for item in links.value if links is not None and isinstance(links.value, list) else ():
            name = plain_text(item, values).partition(":")[0]
            if name not in services:
                raise Refused(item.place, f'there is no service "{name}"')


def project_name(written: str, values: Mapping[str, str], folder: str) -> str:
    """What Compose calls the project: COMPOSE_PROJECT_NAME of `.env`, else `name`, else the folder's name."""
    text = values.get(PROJECT_NAME) or written or posixpath.basename(folder)
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-") or "stack"


def _variables(data: bytes, path: str, known: Mapping[str, str]) -> dict[str, str]:
    try:
        found = variables_of(data.decode("utf-8", "replace"), known)
    except BadLine as error:
        raise Refused(Place(path, error.line), "this line is not NAME=value") from None
    return {name: value for name, value in found.items() if value is not None}


class _Reader:
    """The files of one project; what was included is part of it."""

    def __init__(self, read: Read, values: dict[str, str]) -> None:
        self.read, self.values = read, values
        self.open: list[str] = []
        """Files that are being read, to find circles."""
        self.extended_by: dict[str, Node] = {}

    def files(self, paths: Sequence[str], folder: str) -> Node:
        """Several files on top of one another."""
        whole: Node | None = None
        for path in paths:
            for document in self.parsed(path):
                model = self.one(document, path, folder)
                whole = model if whole is None else self.over(whole, model)
        assert whole is not None
        return without_resets(whole)

    def parsed(self, path: str) -> list[Node]:
        if path in self.open or len(self.open) > MOST_FILES:
            raise Refused(Place(path), "the files include one another in a circle")
        data = self.read(path)
        if data is None:
            raise Refused(Place(path), "there is no such file")
        try:
            return documents(data, path)
        except RecursionError:
            raise Refused(Place(path), "nested too deeply") from None

    def one(self, document: Node, path: str, folder: str) -> Node:
        """One document with its `extends` and `include` resolved."""
        for key in NAMED:
            node = document.value.get(key)
            if node is not None and not isinstance(node.value, (dict, type(None))):
                raise Refused(node.place, f"{key} must be a mapping")
            for name, thing in (node.value or {}).items() if node is not None else ():
                if not isinstance(thing.value, (dict, type(None))):
                    raise Refused(thing.place, f"{key}.{name} must be a mapping")
                options = (thing.value or {}).get("driver_opts")
                if options is not None and not isinstance(options.value, (dict, type(None))):
                    raise Refused(options.place, "driver_opts must be a mapping")
                driver = (thing.value or {}).get("driver")
                if driver is not None and isinstance(driver.value, (dict, list)):
                    raise Refused(driver.place, "driver must be a name")
        self.open.append(path)
        try:
            mapped(document, lambda value, place: template_of(Node(value, place)))
            own = document.value.get("services") or Node({}, document.place)
            services = {name: in_one_form(node, self.values) for name, node in (own.value or {}).items()}
            extended = {name: self.extended(name, services, path, folder, ()) for name in services}
            model = document._replace(value={**document.value, "services": own._replace(value=extended)})
            for entry in _listed(document.value.get("include")):
                model = self.included(model, entry, folder)
        finally:
            self.open.pop()
        return model

    def over(self, base: Node, model: Node) -> Node:
        found = dict(base.value)
        for key, node in model.value.items():
            if key not in NAMED or key not in found or found[key].value is None:
                found[key] = merged(found[key], node, ("",)) if key in found else node
                continue
            things = dict(found[key].value)
            for name, thing in (node.value or {}).items():
                if thing.tag == "!reset":
                    things.pop(name, None)
                elif name in things:
                    things[name] = merged(things[name], thing, () if key == "services" else ("",))
                else:
                    things[name] = thing
            found[key] = node._replace(value=things)
        return base._replace(value=found)

    def services(self, model: Node) -> dict[str, Node]:
        found = model.value["services"].value
        return {name: with_each_once(node, self.values) for name, node in found.items()}

    def extended(
        self, name: str, services: Mapping[str, Node], path: str, folder: str, chain: tuple[tuple[str, str], ...]
    ) -> Node:
        """A service on top of what it extends."""
        service = services[name]
        node = service.value.get("extends")
        if node is None or node.value is None:
            return service
        if not chain:
            self.extended_by[name] = node
        if (path, name) in chain:
            raise Refused(node.place, f'the service "{name}" extends itself')
        words = {
            key: plain_text(child, self.values)
            for key, child in node.value.items()
            if not isinstance(child.value, (dict, list))
        }
        wanted, file = words.get("service", ""), words.get("file")
        own = service._replace(value={key: child for key, child in service.value.items() if key != "extends"})
        there, there_folder, others = path, folder, services
        if file:
            there = posixpath.normpath(posixpath.join(folder, file))
            there_folder = posixpath.dirname(there)
            others = self.services_of(there, node)
        if wanted not in others:
            raise Refused(node.place, f'there is no service "{wanted}" to extend' + (f" in {there}" if file else ""))
        base = self.extended(wanted, others, there, there_folder, (*chain, (path, name)))
        if there_folder != folder:
            base = with_paths_from(base, posixpath.relpath(there_folder, folder), self.values)
        return merged(base, own)

    def services_of(self, path: str, node: Node) -> dict[str, Node]:
        data = self.read(path)
        if data is None:
            raise Refused(node.place, f"there is no file {path}")
        found: dict[str, Node] = {}
        for document in documents(data, path):
            mapped(document, lambda value, place: template_of(Node(value, place)))
            services = document.value.get("services")
            if services is not None and isinstance(services.value, dict):
                found.update({name: in_one_form(service, self.values) for name, service in services.value.items()})
        return found

    def included(self, model: Node, entry: Node, folder: str) -> Node:
        """The model with what one entry of `include` brings; what both have must be the same."""
        words = entry.value if isinstance(entry.value, dict) else {"path": entry}
        paths = [
            posixpath.normpath(posixpath.join(folder, plain_text(item, self.values)))
            for item in _listed(words.get("path"))
        ]
        if not paths:
            raise Refused(entry.place, "include needs a path")
        there = words.get("project_directory")
        root = (
            posixpath.normpath(posixpath.join(folder, plain_text(there, self.values)))
            if there
            else posixpath.dirname(paths[0])
        )
        env_files = [
            posixpath.normpath(posixpath.join(folder, plain_text(item, self.values)))
            for item in _listed(words.get("env_file"))
        ] or [posixpath.join(root, ".env")]
        for path in env_files:
            data = self.read(path)
            if data is not None:
                self.values = {**_variables(data, path, self.values), **self.values}
            elif "env_file" in words:
                raise Refused(entry.place, f"there is no file {path}")
        part = self.files(paths, root)
        found = dict(model.value)
        for key in NAMED:
            if key not in part.value or not part.value[key].value:
                continue
            things = dict((found[key].value if key in found else None) or {})
            for name, thing in part.value[key].value.items():
                if key == "services" and root != folder:
                    thing = with_paths_from(thing, posixpath.relpath(root, folder), self.values)
                if name in things and plain(things[name]) != plain(thing):
                    raise Refused(
                        entry.place, f'{key} "{name}" is also in the including file', "override it in a file of its own"
                    )
                things[name] = thing
            found[key] = part.value[key]._replace(value=things)
        return model._replace(value=found)


def _listed(node: Node | None) -> list[Node]:
    if node is None or node.value is None:
        return []
    return list(node.value) if isinstance(node.value, list) else [node]


def evaluated_node(node: Node, values: Mapping[str, str]) -> Any:
    """The plain value, with variables as they come to."""
    return plain(
        mapped(node, lambda value, place: plain_text(Node(value, place), values) if isinstance(value, str) else value)
    )


def resolved(service: Node, values: Mapping[str, str]) -> dict[str, Any]:
    """A service with all variables as they come to, also those that `environment` and `build.args` only name."""
    found: dict[str, Any] = evaluated_node(service, values)
    build = found.get("build")
    for holder, key in ((found, "environment"), (build if isinstance(build, dict) else {}, "args")):
        if isinstance(holder.get(key), dict):
            holder[key] = {name: values.get(name) if value is None else value for name, value in holder[key].items()}
    return found


__all__ = ["NAMED", "Project", "Read", "evaluated_node", "project_name", "read_project", "resolved", "text_of"]
