"""Worktrees of git: whose a folder is, making one, and removing one that holds no work."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.code.git import git_failed
from dusty_tasks.effects.code.working_tree import common_folder, git_folder_of, has_git
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bounded


def top_of(folder: str) -> str:
    """The working tree that a folder lies in; '' for none."""
    while not has_git(folder):
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above
    return folder


def repo_of_tree(tree: str) -> str:
    """Where the commits of a working tree lie: all worktrees of a repo have the same."""
    return os.path.realpath(common_folder(git_folder_of(tree)))


def add_worktree(repo: str, path: str, branch: str) -> None:
    """Check out `branch` of the repo at `repo` in a new folder; a branch that is nowhere is made from what is checked out there. Raises ToolFailed."""
    clone = Clone(repo)
    forget_worktree(repo, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    known = clone.try_run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").code == 0
    remote = clone.try_run("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{branch}").code == 0
    words = (
        ["worktree", "add", path, branch]
        if known
        else ["worktree", "add", "-b", branch, path, *([f"origin/{branch}"] if remote else [])]
    )
    finished = clone.try_run(*words)
    if finished.code:
        raise git_failed(words, finished)


def worktrees_below(folder: str) -> Iterator[str]:
    """The working trees in a folder; none of those that lie in one of them."""
    for path, folders, _ in os.walk(folder):
        if has_git(path):
            folders.clear()
            yield path


def is_half_made(tree: str) -> bool:
    """True for what a killed `git worktree add` left: git locks a worktree until its files are there."""
    try:
        return (read_bounded(f"{git_folder_of(tree)}/locked", 100) or b"").strip() == b"initializing"
    except OSError:
        return False


def forget_worktree(repo: str, path: str) -> None:
    """Let a repo forget a worktree whose folder is gone, or was half made; one that it does not know is fine. Other lost ones stay: their
    disks may come back.
    """
    if not os.path.lexists(path) or is_half_made(path):
        Clone(repo).try_run("worktree", "remove", "--force", "--force", path)


def work_in(tree: str) -> str:
    """What would be lost with a worktree, in words; '' for nothing. Its commits stay in the repo, on their branch."""
    if not os.path.isdir(tree) or not has_git(tree) or is_half_made(tree):
        return ""
    clone = Clone(tree)
    if clone.state() == "dirty":
        return "files that are not committed"
    is_detached = clone.try_run("symbolic-ref", "--quiet", "HEAD").code != 0
    if is_detached and not clone.run(
        "for-each-ref", "--count=1", "--contains", "HEAD", "refs/heads", "refs/remotes", "refs/tags"
    ):
        return "commits that no branch has"
    return ""


def remove_worktree(tree: str) -> None:
    """Remove one that Dusty made; ignored files in it go, too. Raises Failure if there is work in it."""
    if work := work_in(tree):
        raise Failure(f"{tree} has {work}", f"commit them there, then {DUSTY} world remove")
    if os.path.isdir(tree) and has_git(tree):
        repo = repo_of_tree(tree)
        # A lock that its user put on it is kept; that of a killed git is not.
        words = ["worktree", "remove", *["--force"] * (1 + is_half_made(tree)), tree]
        finished = Clone(os.path.dirname(repo) if os.path.basename(repo) == ".git" else repo).try_run(*words)
        if finished.code:
            raise git_failed(words, finished)
