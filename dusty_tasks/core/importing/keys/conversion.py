"""What the rule of each key may know of its service and of the stack, and how it says what becomes of the key. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.binds import Bind, Binds, bind_parts
from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.files_of_variables import Copied
from dusty_tasks.core.importing.reading import Project, evaluated_node
from dusty_tasks.core.importing.report import Outcome, Report
from dusty_tasks.core.importing.short_forms import plain_text
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.surroundings import Surroundings
from dusty_tasks.core.importing.variables import Variables

SAME, OWN, BENT, LOST = Outcome
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_]+")


class Stack(NamedTuple):
    """What the conversion of one service may know of all."""

    project: Project
    variables: Variables
    binds: Binds
    around: Surroundings
    report: Report
    names: Mapping[str, str]
    """Name in the Compose file -> name of the spec."""
    kinds: Mapping[str, str]
    """Name in the Compose file -> app or service."""
    repos: Mapping[str, Any]
    """Name in the Compose file -> the checkout of an app."""
    libs: dict[str, dict[str, Any]]
    assets: dict[str, str]
    """Key of an asset -> what it is in the Compose file."""
    env_copies: dict[str, Copied]
    texts: dict[str, str]
    """Files of the specs that are written from text of the Compose file."""
    links: dict[str, list[str]]
    """Name in the Compose file -> further names by which its links find it."""
    used: set[str]
    """Copies that specs need, by their path below the specs."""
    routed: frozenset[str]
    """Ports of this machine that Dusty's proxy has."""
    hosts: Mapping[str, str]
    """Host name -> the service of the Compose file that Dusty's proxy leads it to."""


class Conversion:
    """One service on its way to a spec."""

    def __init__(self, stack: Stack, name: str, node: Node) -> None:
        self.stack, self.source, self.node = stack, name, node
        self.spec = Spec(stack.kinds[name], stack.names[name], name)
        self.seen = evaluated_node(node, stack.variables.values)
        self.is_app = self.spec.kind == "app"

    def own(self, key: str, rule: str, why: str = "") -> None:
        """The key is written in another way that does the same, by a rule of docs/import.md."""
        self.stack.report.say(self.source, key, OWN, rule, why)

    def bent(self, key: str, rule: str, why: str, hint: str = "") -> None:
        """The key does something else than before."""
        self.stack.report.say(self.source, key, BENT, rule, why, hint)

    def lost(self, key: str, why: str, hint: str = "") -> None:
        """The key, or a part of it, is left out."""
        self.stack.report.say(self.source, key, LOST, "", why, hint)

    def symbolic(self, node: Node) -> Any:
        """The value as a spec has it, with `${{NAME}}` for variables."""
        if isinstance(node.value, dict):
            return {key: self.symbolic(child) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [self.symbolic(child) for child in node.value]
        return self.text(node) if isinstance(node.value, str) else node.value

    def text(self, node: Node) -> str:
        """A text as a spec has it."""
        return self.stack.variables.text(node)

    def part(self, text: str, like: Node) -> str:
        """A piece of a short form as a spec has it."""
        return self.text(Node(text, like.place))

    def plain(self, text: str, like: Node) -> str:
        """What a piece of a short form comes to."""
        return plain_text(Node(text, like.place), self.stack.variables.values)

    def near(self, path: str) -> str:
        """An absolute path as messages show it: from the project's folder on, where it is in there."""
        start = f"{self.stack.project.folder.rstrip('/')}/"
        return path.removeprefix(start) if path.startswith(start) else path

    def renamed(self, name: str) -> str:
        """The name that the spec of another service has."""
        return self.stack.names.get(name, name)

    def is_code(self, bind: Bind) -> bool:
        """True for a bind of the app's own checkout."""
        checkout = self.stack.repos.get(self.source)
        return bool(self.is_app and bind.checkout and checkout and bind.checkout.repo == checkout.repo)

    def binds(self) -> list[tuple[int, Bind, str]]:
        """The binds of the service: the index of the volume, where its source belongs, and its target."""
        found = []
        volumes = self.node.value.get("volumes")
        for index, item in enumerate(volumes.value if volumes is not None and isinstance(volumes.value, list) else ()):
            parts = bind_parts(item, self.stack.variables)
            if parts:
                source, written, target = parts
                found.append((index, self.stack.binds.find(source, written), target))
        return found

    def asset_key(self, kind: str, source: str) -> str:
        """The key of the asset that a file, secret or config becomes, the same for all services."""
        name = posixpath.basename(source) if kind == "file" else source
        key = _NOT_IN_KEYS.sub("_", name).strip("_").upper() or "FILE"
        key = key if not key[0].isdigit() else f"_{key}"
        number, found = 1, key
        while self.stack.assets.setdefault(found, f"{kind}:{source}") != f"{kind}:{source}":
            number += 1
            found = f"{key}_{number}"
        return found

    def asset(self, key: str, target: str) -> None:
        """Mounts an asset in the container."""
        self.spec.top.setdefault("assets", []).append({"name": key, "path": target})


Rule = Callable[[Conversion, Node], None]
"""What becomes of one key: it changes the spec in the making, and says so in the report."""
