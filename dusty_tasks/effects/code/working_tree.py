"""The commit that a working tree stands on, read from .git without git."""

from __future__ import annotations

import os
import stat
import time

from dusty_tasks.effects.doors.files import read_bounded

LONGEST_SWITCH = 10.0
"""Seconds for which git is taken to be at work."""
LARGEST = 64 << 20
"""Bytes of packed-refs: some 500,000 refs."""


def read_commit(folder: str) -> str:
    """The commit id of HEAD in the repo at `folder`, '' if it is no git repo or has no commit yet."""
    git_folder = git_folder_of(folder)
    head = _text(f"{git_folder}/HEAD")
    if not head.startswith("ref: "):
        return head if _is_id(head) else ""
    ref = head.removeprefix("ref: ")
    common = common_folder(git_folder)
    loose = _text(f"{git_folder}/{ref}") or _text(f"{common}/{ref}")
    if _is_id(loose):
        return loose
    for line in _text(f"{common}/packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return ""


def read_branch(folder: str) -> str:
    """The branch that HEAD names, '' when it is detached or there is no git repo."""
    head = _text(f"{git_folder_of(folder)}/HEAD")
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""


def is_git_at_work(folder: str) -> bool:
    """True while git changes the files of the working tree at `folder`: it locks its index. A lock that a killed git left is older than that."""
    try:
        age = time.time() - os.stat(f"{git_folder_of(folder)}/index.lock").st_mtime
    except OSError:
        return False
    return abs(age) < LONGEST_SWITCH


def git_folder_of(folder: str) -> str:
    """`.git`, or what a `.git` file names (worktrees, submodules)."""
    path = os.path.join(folder, ".git")
    link = "" if os.path.isdir(path) else _text(path)
    return os.path.join(folder, link.removeprefix("gitdir: ")) if link.startswith("gitdir: ") else path


def has_git(folder: str) -> bool:
    """True if `folder` is the top of a working tree: it holds a `.git` folder, or a `.git` file, as worktrees and submodules do."""
    try:
        mode = os.lstat(os.path.join(folder, ".git")).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)


def common_folder(git_folder: str) -> str:
    """Where refs and configuration lie: the git folder itself, or for a worktree that of the repo."""
    return os.path.join(git_folder, _text(f"{git_folder}/commondir") or ".")


def _text(path: str) -> str:
    try:
        return (read_bounded(path, LARGEST) or b"").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _is_id(text: str) -> bool:
    return len(text) in (40, 64) and not set(text) - set("0123456789abcdef")
