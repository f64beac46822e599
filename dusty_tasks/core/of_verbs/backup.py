"""What a backup of /persist holds, and what is wrong with one: manifest and checksums (docs/verbs.md, `disk`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import PERSIST

FORMAT = 1
MANIFEST = "manifest.json"
TOP = PERSIST
MADE_AGAIN = ("repos", "dustyNginx", "dusty_assets", ".dusty")
"""Folders of persist/ that `up` makes by itself: they are in no backup, and none is restored."""

BEING_PUT_BACK, REPLACED = ".restore-ready", ".restore-old"
"""In persist/ while a restore is decided and not finished: what is still to be put in place, and what it replaces."""


PUT_BACK = ".restoring"
"""In persist/.snapshots while `data restore` is decided and not finished."""


class Entry(NamedTuple):
    """One entry of an archive, as the manifest has it."""

    name: str
    """Relative to persist/."""
    kind: str
    """folder, file, link, hardlink, fifo."""
    size: int
    mode: int
    uid: int
    gid: int
    target: str = ""
    """Of a link."""
    sha256: str = ""
    """Of a file's bytes."""


def manifest_of(entries: list[Entry], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a backup; `facts` are for people (time, machine, version)."""
    return {"format": FORMAT, **facts, "entries": [list(entry) for entry in entries]}


def damage(manifest: Any, found: list[Entry]) -> str:
    """What tells that an archive is not as it was written, '' if nothing does. `found` is what was read from it, in order."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("entries"), list):
        return "it has no manifest: it is truncated, or not a Dusty backup"
    if manifest.get("format") != FORMAT:
        return f"its format is {manifest.get('format')}, but this version of Dusty reads {FORMAT}"
    wanted = [tuple(entry) for entry in manifest["entries"]]
    for entry, listed in zip(found, wanted, strict=False):
        if tuple(entry) != listed:
            return f"{entry.name} does not match the manifest"
    if len(found) != len(wanted):
        return f"it holds {len(found)} entries, but its manifest lists {len(wanted)}"
    return _unsafe(found)


def _unsafe(entries: list[Entry]) -> str:
    """An entry that no backup of ours can hold: outside of persist/, below a link, or in what `up` makes."""
    links = {entry.name for entry in entries if entry.kind == "link"}
    for entry in entries:
        parts = entry.name.split("/")
        if "" in parts or ".." in parts or "." in parts or parts[0] in MADE_AGAIN:
            return f"{entry.name} does not belong in a backup"
        if any("/".join(parts[:depth]) in links for depth in range(1, len(parts))):
            return f"{entry.name} is below a link"
        if entry.kind == "hardlink" and ("" in entry.target.split("/") or ".." in entry.target.split("/")):
            return f"{entry.name} is a hard link to {entry.target}"
    return ""


class Folder(NamedTuple):
    """A top folder or file of persist/ in a backup."""

    name: str
    entries: int
    size: int


def folders(entries: list[Entry]) -> list[Folder]:
    """The tops of a backup, by name."""
    found: dict[str, Folder] = {}
    for entry in entries:
        name = entry.name.split("/")[0]
        before = found.get(name, Folder(name, 0, 0))
        found[name] = Folder(name, before.entries + 1, before.size + entry.size)
    return [found[name] for name in sorted(found)]


def unfinished_restore(names: Collection[str]) -> tuple[str, str]:
    """What is wrong and what to do, where these of BEING_PUT_BACK, REPLACED and PUT_BACK lie in persist/; ("", "") for none."""
    if BEING_PUT_BACK in names:
        return (
            "a restore of persist/ was interrupted: only part of the backup is in place",
            f"{DUSTY} disk restore, which finishes it",
        )
    if REPLACED in names:
        return (
            f"persist/{REPLACED} holds what an interrupted restore replaced",
            f"compare it with persist/, move back what is missing, then remove persist/{REPLACED}",
        )
    if PUT_BACK in names:
        return (
            "a restore of a snapshot was interrupted: only part of it is in place",
            f"{DUSTY} data restore, which finishes it",
        )
    return "", ""
