"""Files of Git LFS: their content for the pointers that a checkout left, by the user's git-lfs (its filter is ours, its servers are git's)."""

from __future__ import annotations

import os
from contextlib import suppress

from dusty_tasks.core.code.git_config import LFS_FILTER, last_value
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.code.git import git_failed, has_lfs, outside_config

POINTER = b"version https://git-lfs.github.com/spec/"
LONGEST_POINTER = 1024


def pointers(clone: Clone) -> list[str]:
    """The LFS files of the working tree that are pointers still, sorted."""
    tracked = clone.try_run("ls-files", "-z", "--", ":(top,attr:filter=lfs)").out.split("\0")
    return sorted(name for name in tracked if name and _is_pointer(os.path.join(clone.path, name)))


def _is_pointer(path: str) -> bool:
    with suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return os.fstat(file.fileno()).st_size < LONGEST_POINTER and file.read(len(POINTER)) == POINTER
    return False


def fetch_files(clone: Clone) -> tuple[bool, list[str]]:
    """Fetch the content of LFS files; (whether anything was done, what could not be had, in words)."""
    left = pointers(clone)
    if not left:
        return False, []
    what = f"{counted(len(left), 'file')} of Git LFS ({', '.join(map(printable, left[:3]))}{', …' if len(left) > 3 else ''})"
    if not has_lfs():
        verb = "is a pointer" if len(left) == 1 else "are pointers"
        return False, [
            f"{what} {verb} without content: install git-lfs, then {DUSTY} repos update ({DUSTY} config set repos.lfs false if they are not needed)"
        ]
    with clone.moving_to(clone.commit("HEAD")):
        finished = clone.try_run("lfs", "pull", "origin")
    if finished.code:
        return len(pointers(clone)) < len(left), [
            f"{what} could not be fetched: {git_failed(('lfs', 'pull'), finished)}"
        ]
    if not last_value(outside_config(), LFS_FILTER[0][0]):
        # Without `git lfs install` a git by hand would take the content for edits.
        for key, value in LFS_FILTER:
            clone.run("config", key, value)
    return True, []
