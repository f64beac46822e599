"""The values of variables that are secrets: a file each, mode 0600, on this machine alone."""

from __future__ import annotations

import os
from pathlib import Path

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.files import read_bytes, remove_leftovers, write_atomically

LONGEST_WAIT = 10
"""Seconds for another `vars set` or `unset`."""


def read_secrets(home: str) -> dict[str, str]:
    """Name -> value of those that were set."""
    folder = Paths(home).secrets
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found = {name: read_bytes(f"{folder}/{name}") for name in names}
    return {name: data.decode("utf-8", "surrogateescape") for name, data in found.items() if data is not None}


def keep_secret(home: str, name: str, value: str) -> None:
    """Keep the value of a variable. Raises Failure if it cannot be kept."""
    from dusty_tasks.effects.doors.lock import held

    folder = Path(Paths(home).secrets)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with held("secrets", verb="vars", home=home, wait=LONGEST_WAIT):
        write_atomically(str(folder / name), value.encode("utf-8", "surrogateescape"), 0o600)


def remove_secret(home: str, name: str) -> None:
    """Forget the value of a variable, and what killed runs left of it. Raises Busy."""
    from dusty_tasks.effects.doors.lock import held

    path = Path(Paths(home).secrets) / name
    with held("secrets", verb="vars", home=home, wait=LONGEST_WAIT):
        remove_leftovers(str(path))
        path.unlink(missing_ok=True)
