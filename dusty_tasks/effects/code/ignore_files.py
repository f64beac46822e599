"""The ignore files of a working tree, as git finds them: .gitignore in any folder, and info/exclude in the git data."""

from __future__ import annotations

import os

from dusty_tasks.core.code.gitignore import IGNORE_FILE, Ignores
from dusty_tasks.effects.doors.files import read_bytes

LARGEST = 1 << 20
"""Bytes of an ignore file that are looked at."""


def read_ignores(source: str) -> Ignores:
    """What git ignores in `source`; its files are read as they are needed. A file that cannot be read counts as empty."""
    top = _top_of(source)
    below = os.fsencode(source)[len(os.fsencode(top)) :] if top else b""
    root = os.fsencode(top or source)

    def read(folder: bytes) -> bytes | None:
        return _read(root + folder + os.fsencode(IGNORE_FILE))

    return Ignores(read, _exclude_of(top) if top else b"", below)


def _read(path: bytes) -> bytes | None:
    """A regular file's text; git, too, follows no link here."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        try:
            return file.read(LARGEST)
        except OSError:
            return None


def _top_of(source: str) -> str:
    """The working tree that `source` is, or lies in; '' for none."""
    path = source.rstrip("/") or "/"
    while path != "/":
        if os.path.lexists(f"{path}/.git"):
            return path
        path = os.path.dirname(path)
    return ""


def _exclude_of(top: str) -> bytes:
    git = f"{top}/.git"
    try:
        if os.path.isfile(git):
            # A further working tree, or a submodule: the data lies elsewhere.
            text = os.fsdecode(read_bytes(git) or b"").strip()
            git = os.path.join(top, text.removeprefix("gitdir:").strip())
        common = os.fsdecode(read_bytes(f"{git}/commondir") or b"").strip()
        return (read_bytes(os.path.join(git, common, "info/exclude")) or b"")[:LARGEST]
    except (OSError, ValueError):
        return b""
