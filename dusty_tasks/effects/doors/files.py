"""The door to files: whole or not at all, and only when the bytes differ."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from dusty_tasks.effects.doors.failures import Failure

ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
SMALL = 1 << 20
"""Bytes that a file of variables or labels, or a Dockerfile, has at most."""


def read_bytes(path: str | Path) -> bytes | None:
    """The file's bytes, or None when there is none: a folder counts as none, and so does a pipe or a device, which may never end."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with open(handle, "rb") as file:
        return file.read()


def read_bounded(path: str | Path, limit: int) -> bytes | None:
    """The bytes of a small regular file, None when there is none; for files that somebody else may have put there.

    Raises OSError, its strerror a reason in words, for what cannot be read to an end: a device, a FIFO, more than `limit` bytes.
    """
    try:
        # A FIFO that nobody writes to would hold an ordinary open for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        if stat.S_ISDIR(mode):
            return None
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    with open(handle, "rb") as file:
        data = file.read(limit + 1) or b""  # None from what is still to come, as in /proc/kmsg.
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit >> 10} KiB", str(path))
    return data


def write_atomically(path: str | Path, data: bytes, mode: int = 0o644) -> None:
    """Put `data` at `path`: temporary name beside it, then rename; parents are made. Raises Failure on a full disk etc."""
    from tempfile import mkstemp

    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
            put_in_place(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)  # A signal may come right after it got its name.
            raise
    except OSError as error:
        hint = f"make room on the disk of {path.parent}" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise Failure(f"{path} cannot be written: {error.strerror or error}", hint, code=2) from error


def narrow_umask() -> None:
    """Let nothing that this process makes be written by others, whatever umask it was started with."""
    os.umask(os.umask(0o077) | 0o022)


def make_home(home: str) -> None:
    """Make DUSTY_HOME, for its owner alone; one that is there keeps its mode. Raises OSError."""
    if not os.path.isdir(home):
        os.makedirs(os.path.dirname(home), exist_ok=True)
        try:
            os.mkdir(home, 0o700)
        except FileExistsError:
            pass


def put_in_place(temporary: str, path: str | Path) -> None:
    """Rename a file to `path`, where an empty folder may stand. Raises Failure for one that holds something; OSError."""
    try:
        os.replace(temporary, path)
    except IsADirectoryError:
        remove_stray(path)
        os.replace(temporary, path)


def remove_stray(path: str | Path) -> None:
    """Remove a link, a pipe or an empty folder where a file of Dusty's belongs. Raises Failure for a folder that holds something: that is
    the user's to judge.
    """
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        from shlex import quote

        raise Failure(
            f"{path} is a folder, but Dusty needs a file there",
            f"mv {quote(str(path))} {quote(f'{path}.aside')}",
        ) from None


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed writes to `path` left beside it; for a caller who is sure to be its only writer."""
    from glob import escape

    path = Path(path)
    for leftover in path.parent.glob(f".{escape(path.name)}.{'?' * 8}"):  # mkstemp's; an editor's .swp stays
        leftover.unlink(missing_ok=True)


def write_if_changed(path: str | Path, data: bytes, mode: int = 0o644) -> bool:
    """Like write_atomically, but a file that already holds `data` is not touched. True if it was written."""
    if read_bytes(path) == data:
        return False
    write_atomically(path, data, mode)
    return True


def read_trouble(path: str, limit: int = SMALL) -> str:
    """Why a small file is not to be read, in words: '' for one that is fine, or not there at all. Opens nothing."""
    try:
        found = os.stat(path)
    except OSError as error:
        return "" if error.errno in (errno.ENOENT, errno.ENOTDIR) else (error.strerror or str(error))
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    return f"it is larger than {limit >> 10} KiB" if found.st_size > limit else ""


def real_paths(paths: Iterable[str]) -> dict[str, str]:
    """Path -> where it really is, all links followed; what does not exist keeps the rest of its name."""
    return {path: os.path.realpath(path) for path in paths}


def write_private_folder(folder: str, files: Mapping[str, bytes]) -> None:
    """Make `folder` (mode 0700) hold these files (mode 0600) and no others. Raises Failure."""
    if not files and not os.path.lexists(folder):
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        for name in os.listdir(folder):
            if name not in files:
                os.unlink(os.path.join(folder, name))
    except OSError as error:
        raise Failure(f"{folder} cannot be written: {error.strerror or error}", code=2) from error
    for name, data in files.items():
        write_if_changed(os.path.join(folder, name), data, 0o600)
        os.chmod(os.path.join(folder, name), 0o600)
