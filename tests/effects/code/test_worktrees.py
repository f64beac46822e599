"""Worktrees of real repos: made, half made by a git that was killed, lost, and removed without work in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dusty_tasks.effects.code.worktrees import (
    add_worktree,
    forget_worktree,
    is_half_made,
    remove_worktree,
    work_in,
    worktrees_below,
)
from dusty_tasks.effects.doors.failures import Failure


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repo(tmp_path: Path, plain_git: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


@pytest.fixture
def tree(tmp_path: Path, repo: Path) -> Path:
    path = tmp_path / "trees/host/app"
    add_worktree(str(repo), str(path), "fix")
    return path


def known(repo: Path) -> int:
    return git(repo, "worktree", "list").count("\n")


def half_made(repo: Path, tree: Path) -> None:
    """As after kill -9 of `git worktree add`: the lock is there, and the files are not."""
    (repo / ".git/worktrees/app/locked").write_text("initializing")
    (tree / "a").unlink()


def test_it_has_the_branch_and_is_found_below_its_folder(repo: Path, tree: Path, tmp_path: Path) -> None:
    assert git(tree, "branch", "--show-current") == "fix\n"
    assert list(worktrees_below(str(tmp_path / "trees"))) == [str(tree)]
    assert work_in(str(tree)) == ""
    remove_worktree(str(tree))
    assert not tree.exists() and known(repo) == 1
    remove_worktree(str(tree))


@pytest.mark.parametrize("name", ["a", "new"])
def test_work_in_it_is_named_and_kept(tree: Path, name: str) -> None:
    (tree / name).write_text("mine\n")
    with pytest.raises(Failure, match="files that are not committed"):
        remove_worktree(str(tree))
    assert (tree / name).read_text() == "mine\n"


def test_commits_that_no_branch_has_are_work(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    assert work_in(str(tree)) == ""
    git(tree, "commit", "-q", "--allow-empty", "-m", "two")
    assert work_in(str(tree)) == "commits that no branch has"


def test_what_a_killed_git_left_is_no_work_and_can_be_removed(repo: Path, tree: Path) -> None:
    half_made(repo, tree)
    assert is_half_made(str(tree)) and work_in(str(tree)) == ""
    remove_worktree(str(tree))
    assert not tree.exists() and known(repo) == 1


@pytest.mark.parametrize("is_folder_gone", [True, False])
def test_it_is_made_again_after_a_kill(repo: Path, tree: Path, is_folder_gone: bool) -> None:
    half_made(repo, tree)
    if is_folder_gone:
        subprocess.run(["rm", "-r", str(tree)], check=True)
    add_worktree(str(repo), str(tree), "fix")
    assert (tree / "a").read_text() == "one\n" and not is_half_made(str(tree))


def test_a_lost_one_is_forgotten_and_other_lost_ones_are_not(repo: Path, tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "on another disk"
    add_worktree(str(repo), str(other), "other")
    subprocess.run(["rm", "-r", str(tree), str(other)], check=True)
    forget_worktree(str(repo), str(tree))
    assert "[other]" in git(repo, "worktree", "list") and known(repo) == 2
    add_worktree(str(repo), str(tree), "fix")
    assert known(repo) == 3


def test_a_whole_one_is_not_forgotten_and_the_lock_of_its_user_is_respected(repo: Path, tree: Path) -> None:
    forget_worktree(str(repo), str(tree))
    git(repo, "worktree", "lock", str(tree))
    with pytest.raises(Failure):
        remove_worktree(str(tree))
    assert known(repo) == 2 and (tree / "a").exists()
