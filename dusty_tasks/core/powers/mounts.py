"""What a mount of a path of the Docker host means beyond itself."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from typing import Any

from dusty_tasks.core.specs.compose_values import is_persistent, volumes
from dusty_tasks.core.specs.model import App, Service
from dusty_tasks.core.stack.model import Stack

OWN_FOLDERS = (".dusty", "repos", "dustyNginx", "dusty_assets", "worlds", ".snapshots")
"""Below /persist, but Dusty's own: records, the code and the assets of every app."""
ENGINE_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "dockerd.sock")


def written_below_persist(stack: Stack) -> set[str]:
    """The folders below /persist into which containers of the stack may write, and so put links there; all of /persist is a power by itself."""
    specs: list[App | Service] = [*stack.apps.values(), *stack.services.values()]
    return {
        posixpath.normpath(volume.source)
        for spec in specs
        for index, volume in volumes(spec.compose)
        if volume.source.startswith("/persist/")
        and posixpath.normpath(volume.source) != "/persist"
        and not _is_read_only(spec.compose["volumes"][index])
    }


def _is_read_only(entry: Any) -> bool:
    return bool(entry.get("read_only")) if isinstance(entry, Mapping) else "ro" in str(entry).split(":")[2:3]


def meaning_of_mount(source: str, shared: Collection[str]) -> str | None:
    """What a mount of this path of the Docker host means beyond itself, None for one that needs no consent.

    `shared` are the folders below /persist that containers may write into.
    """
    path = posixpath.normpath("/" + source.lstrip("/"))
    if path == "/persist":
        return ": the data, code and assets of all apps"
    if path.startswith("/persist/") and is_persistent(source):
        own = path.split("/")[2]
        if own in OWN_FOLDERS or own.startswith(".restore"):
            return f": {own} is Dusty's own"
        above = next((folder for folder in sorted(shared) if path.startswith(f"{folder}/")), "")
        return f": a container that writes in {above} can replace it with a link to any folder there" if above else None
    if posixpath.basename(path) in ENGINE_SOCKETS or path in ("/", "/run", "/var", "/var/run"):
        return ": access to the engine's socket means root there"
    return ""
