"""The store of assets: snapshots of files such as keys, on this machine alone, for their owner's eyes."""
from __future__ import annotations

import os
from pathlib import Path

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, remove_leftovers, write_atomically
from dusty_tasks.effects.doors.lock import held

STAGING = "assets-"
"""How the folders in state/ begin from which assets are pushed."""
LONGEST_WAIT = 10
"""Seconds for another `assets set` or `unset`."""


def asset_path(home: str, key: str) -> str:
    """Where the snapshot of `key` lies, set or not."""
    return os.path.join(home, "assets", key)


def set_keys(home: str) -> set[str]:
    """The keys that have a snapshot."""
    try:
        with os.scandir(os.path.join(home, "assets")) as entries:
            return {entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def remove_stagings(home: str) -> None:
    """Remove what killed pushes left in state/: links to assets, and of older versions their bytes. For a caller who is the only pusher."""
    import shutil

    for folder in Path(home, "state").glob(f"{STAGING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def read_asset(home: str, key: str) -> bytes | None:
    """The bytes of `key`, None if it is not set."""
    return read_bytes(asset_path(home, key))


def write_asset(home: str, key: str, source: str) -> int:
    """Snapshot the file `source` as `key`, mode 0600; its size. Raises Failure if it cannot be read or kept."""
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        raise Failure(f"{source}: {error.strerror}") from error
    Path(home, "assets").mkdir(mode=0o700, parents=True, exist_ok=True)
    with held("assets", verb="assets", home=home, wait=LONGEST_WAIT):
        write_atomically(asset_path(home, key), data, 0o600)
    return len(data)


def remove_asset(home: str, key: str) -> bool:
    """Remove the snapshot of `key`, and what killed runs left of it; False if there was none. Raises Busy."""
    with held("assets", verb="assets", home=home, wait=LONGEST_WAIT):
        remove_leftovers(asset_path(home, key))
        try:
            Path(asset_path(home, key)).unlink()
        except FileNotFoundError:
            return False
    return True
