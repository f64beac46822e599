"""The store of assets: snapshots of files such as keys, on this machine alone, for their owner's eyes."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, remove_leftovers, write_atomically

STAGING = "assets-"
"""How the folders in state/ begin from which assets are pushed."""
LARGEST = 256 << 20
"""Bytes of an asset: each is held in memory as a whole."""
LONGEST_WAIT = 10
"""Seconds for another `assets set` or `unset`."""


def asset_path(home: str, key: str) -> str:
    """Where the snapshot of `key` lies, set or not."""
    return os.path.join(Paths(home).assets, key)


def set_keys(home: str) -> set[str]:
    """The keys that have a snapshot."""
    try:
        with os.scandir(Paths(home).assets) as entries:
            return {entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def remove_stagings(home: str) -> None:
    """Remove what killed pushes left in state/: links to assets, and of older versions their bytes. For a caller who is the only pusher."""
    import shutil

    for folder in Path(Paths(home).state).glob(f"{STAGING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def read_asset(home: str, key: str) -> bytes | None:
    """The bytes of `key`, None if it is not set. Raises Failure for one that is larger than an asset may be."""
    path = asset_path(home, key)
    try:
        if os.stat(path).st_size > LARGEST:
            raise Failure(
                f"{path} is larger than {size_text(LARGEST)}", f"{DUSTY} assets set {key} <path>, a smaller file"
            )
    except OSError:
        return None
    return read_bytes(path)


def write_asset(home: str, key: str, source: str) -> int:
    """Snapshot the file `source` as `key`, mode 0600; its size. Raises Failure if it cannot be read or kept."""
    try:
        data = _read_source(source)
    except OSError as error:
        raise Failure(f"{source}: {error.strerror}") from error
    keep_asset(home, key, data)
    return len(data)


def keep_asset(home: str, key: str, data: bytes) -> None:
    """Keep `data` as `key`, mode 0600. Raises Failure if it cannot be kept."""
    from dusty_tasks.effects.doors.lock import held

    Path(Paths(home).assets).mkdir(mode=0o700, parents=True, exist_ok=True)
    with held("assets", verb="assets", home=home, wait=LONGEST_WAIT):
        write_atomically(asset_path(home, key), data, 0o600)


def _read_source(source: str) -> bytes:
    """The bytes of a file, or of what is piped to this process (`/dev/stdin`, `<(command)`). Raises Failure for what may have no end; OSError."""
    mode = os.stat(source).st_mode
    is_piped = source.startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/"))
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode) and not is_piped and source != os.devnull:
        raise Failure(
            f"{source} is not a regular file: it may have no end", f"{DUSTY} assets set takes a file, or /dev/stdin"
        )
    with open(os.open(source, os.O_RDONLY | os.O_CLOEXEC | (0 if is_piped else os.O_NONBLOCK)), "rb") as file:
        data = file.read(LARGEST + 1) or b""
    if len(data) > LARGEST:
        raise Failure(f"{source} is larger than {size_text(LARGEST)}, the most that an asset may be")
    return data


def remove_asset(home: str, key: str) -> bool:
    """Remove the snapshot of `key`, and what killed runs left of it; False if there was none. Raises Busy."""
    from dusty_tasks.effects.doors.lock import held

    with held("assets", verb="assets", home=home, wait=LONGEST_WAIT):
        remove_leftovers(asset_path(home, key))
        try:
            Path(asset_path(home, key)).unlink()
        except FileNotFoundError:
            return False
    return True
