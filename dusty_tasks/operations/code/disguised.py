"""Files of a source that were replaced by others of equal size and time: content decides, where an inode or a ctime says that something happened.

A walk compares sizes and times alone, as rsync does. What it also sees of inodes and ctimes only says when to look at content: a
moved tree, a chmod there and back and a hard link change them, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.effects.code.fingerprint import Source, manifest_path
from dusty_tasks.effects.code.receipts import Receipt
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

TICK = 20_000_000
"""Nanoseconds that the ctime of a file may lag behind the clock."""
PARTED = "+"
"""In the fingerprint of a receipt, before what tells content of equal sizes and times apart."""
UNKNOWN = "?"
"""In the fingerprint of a receipt, where the source was edited while it was sent."""
SEEN = ".seen"
"""Suffix of the folder that holds what was compared last."""


def is_of(receipt: Mapping[str, Any], fingerprint: str) -> bool:
    """True if a copy was made of a source with this fingerprint, whatever was in files of equal size and time."""
    return str(receipt.get("fingerprint")).partition(PARTED)[0] == fingerprint


def marked(source: Source) -> Source:
    """The source with a fingerprint that differs from all before: what it holds is not what those held."""
    return source._replace(fingerprint=f"{source.fingerprint}{PARTED}{os.urandom(4).hex()}")


def unlike_any(source: Source) -> Source:
    """The source with a fingerprint that no look gives: nobody can tell what was in it when it was sent."""
    return source._replace(fingerprint=f"{source.fingerprint}{UNKNOWN}{os.urandom(4).hex()}")


def looked_at(source: Source) -> list[int]:
    """For a receipt, or a note of ours: up to when the files of a source are known, and which they are."""
    return [source.looked_ns, source.inodes]


def disguised(
    host: DockerHost, settings: Settings, repo_id: str, path: str, source: Source, receipt: Receipt
) -> tuple[str, ...]:
    """The files of `source` that have the size and time of those in the copy, and not their content. Where the Docker host cannot be asked, none."""
    if not _may_differ(source, receipt.get("looked")):
        return ()
    looked, note, of = (
        receipt["looked"],
        manifest_path(settings.home, repo_id, SEEN),
        [host.name, host.root, receipt.get("time")],
    )
    noted = _read_note(note)
    if noted.get("of") == of and _is_look(noted.get("looked")):
        looked = noted["looked"]
        if not _may_differ(source, looked):
            return ()
    from dusty_tasks.effects.code import rsync

    try:
        found = rsync.disguised(host, path, host.path(COPIES, repo_id), suspects(path, source, looked))
        if not found:
            write_atomically(note, json.dumps({"of": of, "looked": looked_at(source)}).encode())
    except Failure:
        return ()
    return found


def _may_differ(source: Source, looked: Any) -> bool:
    """True if a file was replaced, or touched in any way, since that look; a receipt of an older Dusty tells nothing."""
    return _is_look(looked) and (source.inodes != looked[1] or source.newest_ns > looked[0] - TICK)


def _is_look(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(number, int) for number in value)


def _read_note(path: str) -> dict[str, Any]:
    """A cache: what cannot be read is not there."""
    try:
        found = json.loads(read_bytes(path) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def suspects(path: str, source: Source, looked: list[int]) -> list[bytes]:
    """The files to compare: those touched since, or all where others took their places, which may have come with a folder, untouched."""
    files = [
        (folder + entry[0])[1:] for folder, entries in source.folders.items() for entry in entries if len(entry) == 4
    ]
    if source.inodes != looked[1]:
        return files
    return [file for file in files if _ctime(os.path.join(os.fsencode(path), file)) > looked[0] - TICK]


def _ctime(path: bytes) -> int:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return 0
