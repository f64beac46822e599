"""Where files of this machine that Compose binds come from in a stack of Dusty: a repo, the specs, or /persist. Pure.

A bind is what the container sees of this machine. Dusty copies code and files to the Docker host, and keeps what containers
write below /persist.
"""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import NamedTuple

from dusty_tasks.core.importing.compose_yaml import Node, text_of
from dusty_tasks.core.importing.relative_paths import is_relative
from dusty_tasks.core.importing.short_forms import plain_text, split_colons
from dusty_tasks.core.importing.surroundings import Checkout, Surroundings
from dusty_tasks.core.importing.variables import Variables

COPIES = "files"
"""The folder of the specs that files are copied to."""
_RESERVED = ("repos", "dusty_assets", "dustyNginx", ".dusty")
"""Folders of /persist that are Dusty's own."""


class Kind(Enum):
    """Where a bind comes from."""

    CODE = "a folder or file of a git checkout"
    SPECS = "a file or folder of the specs"
    COPY = "a file or folder that is copied into the specs repo"
    PERSIST = "kept on the Docker host"
    HOST = "a path of the Docker host, as written"


class Bind(NamedTuple):
    """One source of a bind."""

    kind: Kind
    path: str
    """CODE: below the checkout; SPECS, COPY: below the specs; PERSIST: below /persist; HOST: as it comes to."""
    origin: str
    """The absolute path that Compose would bind."""
    checkout: Checkout | None = None
    is_absent: bool = False


def whole_path(text: str, folder: str) -> str:
    """The absolute path of a source, `~` left as it is."""
    return text if text.startswith("~") else posixpath.normpath(posixpath.join(folder, text))


class Binds:
    """Finds out where sources come from, and keeps what has to be copied."""

    def __init__(self, folder: str, around: Surroundings) -> None:
        self.folder, self.around = folder, around
        self.copies: dict[str, str] = {}
        """Path below the specs -> the absolute path that it is copied from."""
        self.kept: dict[str, str] = {}
        """Path below /persist -> the absolute path that it stands for."""

    def find(self, source: str, written: str) -> Bind:
        """Where `source`, as it comes to, belongs; `written` is as the file has it."""
        whole = whole_path(source, self.folder)
        if source.startswith("~"):
            return Bind(Kind.HOST, source, source)
        checkout = self.around.checkout_of(whole) or self._named(whole)
        if checkout and not self.around.is_ignored(whole):
            relative = self._below(whole, checkout)
            return Bind(Kind.CODE, relative, whole, checkout)
        is_of_project = "$" in written and f"{whole}/".startswith(f"{self.folder}/")
        if source.startswith("/") and not is_of_project:
            return Bind(Kind.HOST, source, whole)
        return self._of_project(whole)

    def as_found(self, whole: str) -> str:
        """A path of the Compose file, where --own-from says that its checkout is."""
        checkout = None if self.around.checkout_of(whole) else self._named(whole)
        if checkout is None:
            return whole
        return posixpath.normpath(posixpath.join(checkout.folder, self._below(whole, checkout)))

    def _named(self, whole: str) -> Checkout | None:
        """The checkout of --own-from whose name the path has among its folders."""
        parts = whole.strip("/").split("/")
        found = [part for part in parts if part in self.around.own_from]
        return self.around.own_from[found[-1]] if found else None

    def _below(self, whole: str, checkout: Checkout) -> str:
        if whole == checkout.folder or whole.startswith(checkout.folder.rstrip("/") + "/"):
            return posixpath.relpath(whole, checkout.folder)
        name = posixpath.basename(checkout.folder)
        parts = whole.strip("/").split("/")
        at = len(parts) - parts[::-1].index(name)
        return "/".join(parts[at:]) or "."

    def _of_project(self, whole: str) -> Bind:
        around, specs = self.around, self.around.specs
        kind = around.kind_of(whole)
        if kind and (whole == specs or whole.startswith(specs.rstrip("/") + "/")):
            return Bind(Kind.SPECS, posixpath.relpath(whole, specs), whole)
        if kind == "folder" and not around.is_ignored(whole) and around.files_in(whole) is None:
            return Bind(Kind.CODE, ".", whole, Checkout(whole, whole))  # More than a specs repo should hold.
        relative = "/".join(
            part for part in posixpath.relpath(whole, self.folder).split("/") if part not in ("..", ".")
        )
        if kind == "file" or (kind == "folder" and not around.is_ignored(whole) and around.files_in(whole)):
            path = self._free(self.copies, f"{COPIES}/{relative or 'project'}", whole)
            return Bind(Kind.COPY, path, whole)
        top = relative.split("/")[0]
        name = f"data-{relative}" if top in _RESERVED or not relative or top.startswith(".") else relative
        return Bind(Kind.PERSIST, self._free(self.kept, name, whole), whole, is_absent=not kind)

    @staticmethod
    def _free(taken: dict[str, str], name: str, whole: str) -> str:
        number, found = 1, name
        while taken.setdefault(found, whole) != whole:
            number += 1
            found = f"{name}-{number}"
        return found


def bind_parts(item: Node, variables: Variables) -> tuple[str, str, str] | None:
    """Source as it comes to, source as written, and target of a volume that binds; None for another volume."""
    if isinstance(item.value, dict):
        words = {key: child for key, child in item.value.items() if not isinstance(child.value, (dict, list))}
        kind = plain_text(words["type"], variables.values) if "type" in words else "volume"
        if kind != "bind" or "source" not in words or "target" not in words:
            return None
        return (
            plain_text(words["source"], variables.values),
            text_of(words["source"].value),
            plain_text(words["target"], variables.values),
        )
    if not isinstance(item.value, str):
        return None
    parts = split_colons(item.value)
    if len(parts) < 2:
        return None
    source, target = (plain_text(Node(part, item.place), variables.values) for part in parts[:2])
    if not (source.startswith(("/", "~")) or is_relative(source)):
        return None
    return source, parts[0], target
