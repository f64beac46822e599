"""Worktrees of git: whose a folder is, making one, and removing one that holds no work."""

from __future__ import annotations

import os

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.code.git import git_failed
from dusty_tasks.effects.code.working_tree import common_folder, git_folder_of, has_git
from dusty_tasks.effects.doors.failures import Failure


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
    clone.run("worktree", "prune")
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


def work_in(tree: str) -> str:
    """What would be lost with a worktree, in words; '' for nothing. Its commits stay in the repo, on their branch."""
    if not os.path.isdir(tree):
        return ""
    clone = Clone(tree)
    if clone.state() == "dirty":
        return "files that are not committed"
    is_detached = clone.try_run("symbolic-ref", "--quiet", "HEAD").code != 0
    if is_detached and not clone.run("branch", "--all", "--contains", "HEAD", "--format=%(refname)"):
        return "commits that no branch has"
    return ""


def remove_worktree(tree: str) -> None:
    """Remove one that Dusty made; ignored files in it go, too. Raises Failure if there is work in it."""
    if work := work_in(tree):
        raise Failure(f"{tree} has {work}", f"commit them there, then {DUSTY} world remove")
    if os.path.isdir(tree):
        repo = repo_of_tree(tree)
        words = ["worktree", "remove", "--force", tree]
        finished = Clone(os.path.dirname(repo) if os.path.basename(repo) == ".git" else repo).try_run(*words)
        if finished.code:
            raise git_failed(words, finished)
