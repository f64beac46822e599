"""Memos kept from run to run, and the version of the code that wrote them. A cache: of another version, lost or damaged, it is an empty memo."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dusty_tasks import resources
from dusty_tasks.core.text.memo import Memo, blake2b, digest
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import tree_states
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

_BETWEEN = "\0"
"""Between a file's head, keys and texts: artifacts hold no such character."""


def read_memo(path: str | Path, version: str | None = None) -> Memo:
    """What was kept at `path` by the same `version` of what makes the texts, or by any."""
    try:
        head, _, body = (read_bytes(path) or b"").partition(b"\n")
        if head.decode() != _head(head.decode().rpartition(" ")[0] if version is None else version, body):
            return Memo()
        parts = body.decode().split(_BETWEEN) if body else []
    except (OSError, ValueError):
        return Memo()
    return Memo(dict(zip(parts[::2], parts[1::2], strict=True)))


def write_memo(path: str | Path, version: str, memo: Memo, spare: float = 0) -> None:
    """Keep what this run used, unless it is what is kept already, or all but `spare` of it (0 to 1)."""
    if len(memo.used.keys() ^ memo.known.keys()) <= spare * len(memo.used):
        return
    body = _BETWEEN.join([part for pair in memo.used.items() for part in pair]).encode()
    try:
        write_atomically(path, _head(version, body).encode() + b"\n" + body)
    except Failure:
        pass  # A cache that cannot be written costs time, not the run.


def _head(version: str, body: bytes) -> str:
    """Texts become artifacts as they are, so a damaged one must not pass for what it was."""
    return f"{version} {blake2b(body).hexdigest()}"


@cache
def code_version() -> str:
    """Changes with all that decides what specs and settings mean and what is made of them: core, templates and schemas, by file state.

    A cache whose key holds it is never read by other code than wrote it, whatever moves to another module.
    """
    folders = (str(resources.PACKAGE / "core"), str(resources.folder("templates")), str(resources.folder("schemas")))
    return digest([state for folder in folders for state in tree_states(folder) if not state[0].endswith(".pyc")])
