"""Files and folders of the specs repo that containers mount: what they hold, and a copy of them. Links are taken as links."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator

from dusty_tasks.effects.doors.failures import Failure

GIT = ".git"
"""Left out of a folder: nobody's configuration, and it changes with every commit."""


def content_digest(path: str) -> str:
    """Differs when the names, the bytes or the executable bits at `path` do; one digest for what is not there."""
    digest = hashlib.sha256()
    for relative, found in _files(path):
        whole = os.path.join(path, relative) if relative else path
        digest.update(f"{relative}\0{found.st_mode & 0o111 != 0}\0".encode("utf-8", "surrogateescape"))
        try:
            if stat.S_ISLNK(found.st_mode):
                digest.update(os.fsencode(os.readlink(whole)))
            elif stat.S_ISREG(found.st_mode):
                with open(whole, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()


def copy_into(folder: str, root: str, paths: Iterable[str]) -> None:
    """Put copies of `paths` of the specs repo at `root` into `folder`, each at its own place. Raises Failure for what cannot be read."""
    for path in paths:
        source, target = os.path.join(root, path), os.path.normpath(os.path.join(folder, path))
        try:
            if os.path.isdir(source) and not os.path.islink(source):
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(GIT))
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        except (OSError, shutil.Error) as error:
            raise Failure(f"{path} of the specs repo cannot be copied: {error}", code=1) from error


def _files(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """(path below `path`, '' for itself; what is there), sorted."""
    try:
        found = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode):
        yield "", found
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != GIT)
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            whole = os.path.join(folder, name)
            yield os.path.relpath(whole, path), os.lstat(whole)
