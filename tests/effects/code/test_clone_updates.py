"""Managed clones against real git and real remotes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from git_remotes import Remote, run

from dusty_tasks.effects.code.clone_updates import update_clone
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.lock import held

ROOT = Path(__file__).resolve().parents[3]


pytestmark = pytest.mark.usefixtures("plain_git")


def test_a_clone_follows_the_default_branch_of_its_remote_whatever_its_name(remote: Remote, clone_path: Path) -> None:
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.branch) == ("cloned", "trunk")
    assert (clone_path / "a.txt").read_text() == "one\n"
    newest = remote.commit(text="two\n")
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.after, done.was_fetched) == ("forward", newest, True)
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.was_fetched) == ("nothing", False)


def test_a_branch_is_chosen_and_given_up_again(remote: Remote, clone_path: Path) -> None:
    remote.commit("b.txt", branch="feature/x")
    assert update_clone(str(clone_path), remote.url, "feature/x").branch == "feature/x"
    assert (clone_path / "b.txt").exists()
    assert update_clone(str(clone_path), remote.url, "").action == "switch"
    assert not (clone_path / "b.txt").exists()


@pytest.mark.parametrize("is_cloned", [False, True])
def test_a_branch_that_the_remote_lacks_is_an_error_naming_its_branches(
    remote: Remote, clone_path: Path, is_cloned: bool
) -> None:
    remote.commit("b.txt", branch="feature/x")
    if is_cloned:
        update_clone(str(clone_path), remote.url, "")
    with pytest.raises(Failure, match=r'no branch "nope"; it has feature/x, trunk') as raised:
        update_clone(str(clone_path), remote.url, "nope")
    assert raised.value.code == 1


def test_edits_are_left_and_only_a_wanted_reset_saves_and_drops_them(remote: Remote, clone_path: Path) -> None:
    update_clone(str(clone_path), remote.url, "")
    (clone_path / "a.txt").write_text("mine\n")
    (clone_path / "untracked.txt").write_text("mine too\n")
    newest = remote.commit(text="two\n")
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.note) == ("leave", "1 edited file")
    assert (clone_path / "a.txt").read_text() == "mine\n"

    done = update_clone(str(clone_path), remote.url, "", is_reset_wanted=True)
    assert (done.action, done.after) == ("reset", newest)
    assert (clone_path / "a.txt").read_text() == "two\n"
    assert (clone_path / "untracked.txt").read_text() == "mine too\n"
    saved = done.note.split("saved under ")[1]
    assert run("git", "show", f"{saved}:a.txt", cwd=clone_path) == "mine"
    assert run("git", "show", f"{saved}:untracked.txt", cwd=clone_path) == "mine too"


def test_local_commits_are_left_and_saved_by_a_reset(remote: Remote, clone_path: Path) -> None:
    update_clone(str(clone_path), remote.url, "")
    (clone_path / "mine.txt").write_text("mine\n")
    run("git", "add", ".", cwd=clone_path)
    run("git", "commit", "-qm", "mine", cwd=clone_path)
    mine = run("git", "rev-parse", "HEAD", cwd=clone_path)
    assert update_clone(str(clone_path), remote.url, "").note == "1 local commit"
    remote.commit(text="two\n")
    assert update_clone(str(clone_path), remote.url, "").note == "1 local commit"
    assert run("git", "rev-parse", "HEAD", cwd=clone_path) == mine
    done = update_clone(str(clone_path), remote.url, "", is_reset_wanted=True)
    saved = done.note.split("saved under ")[1]
    assert run("git", "rev-parse", f"{saved}^", cwd=clone_path) == mine
    assert not (clone_path / "mine.txt").exists()


def test_an_untracked_file_in_the_way_is_named_and_kept(remote: Remote, clone_path: Path) -> None:
    update_clone(str(clone_path), remote.url, "")
    (clone_path / "new.txt").write_text("mine\n")
    remote.commit("new.txt", "theirs\n")
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.note) == ("leave", "untracked files would be overwritten: new.txt")
    assert (clone_path / "new.txt").read_text() == "mine\n"


def test_a_reset_saves_an_ignored_file_that_it_overwrites(remote: Remote, clone_path: Path) -> None:
    remote.commit(".gitignore", "*.local\n")
    update_clone(str(clone_path), remote.url, "")
    (clone_path / "secret.local").write_text("mine\n")
    (clone_path / "a.txt").write_text("edited\n")
    remote.commit("secret.local", "theirs\n")
    done = update_clone(str(clone_path), remote.url, "", is_reset_wanted=True)
    saved = done.note.split("saved under ")[1]
    assert (clone_path / "secret.local").read_text() == "theirs\n"
    assert run("git", "show", f"{saved}:secret.local", cwd=clone_path) == "mine"


def test_a_merge_in_progress_is_left_and_a_reset_ends_it(remote: Remote, clone_path: Path) -> None:
    remote.commit("a.txt", "side\n", branch="side")
    run("git", "checkout", "-q", "trunk", cwd=remote.work)
    remote.commit("a.txt", "trunk\n")
    update_clone(str(clone_path), remote.url, "")
    subprocess.run(["git", "merge", "-q", "origin/side"], cwd=clone_path, check=False, capture_output=True)
    assert update_clone(str(clone_path), remote.url, "").note == "a merge is in progress"
    assert update_clone(str(clone_path), remote.url, "", is_reset_wanted=True).action == "reset"
    assert (clone_path / "a.txt").read_text() == "trunk\n"
    assert update_clone(str(clone_path), remote.url, "").action == "nothing"


@pytest.mark.parametrize(
    ("start", "note", "end"),
    [
        ("git format-patch -q -1 -o .. && git am ../0001*", "git am is in progress", "am --abort"),
        ("git bisect start HEAD HEAD~2", "a bisect is in progress", "bisect reset"),
        ("git revert HEAD~1", "a revert is in progress", "revert --abort"),
        ("git cherry-pick HEAD~1", "a cherry-pick is in progress", "cherry-pick --abort"),
    ],
)
def test_what_is_in_progress_is_left_with_the_command_that_ends_it(
    remote: Remote, clone_path: Path, start: str, note: str, end: str
) -> None:
    for text in ("one\n", "two\n"):
        remote.commit("b.txt", text)
    update_clone(str(clone_path), remote.url, "")
    before = (clone_path / "b.txt").read_text()
    subprocess.run(start, shell=True, cwd=clone_path, check=False, capture_output=True)
    moved = run("git", "rev-parse", "HEAD", cwd=clone_path)
    newest = remote.commit("b.txt", "three\n")
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.note, run("git", "rev-parse", "HEAD", cwd=clone_path)) == ("leave", note, moved)
    assert f"(git {end} gives it up)" in done.way_out
    assert update_clone(str(clone_path), remote.url, "", is_reset_wanted=True).after == newest
    assert update_clone(str(clone_path), remote.url, "").action == "nothing"
    run("git", "reset", "-q", "--hard", "HEAD~1", cwd=clone_path)
    subprocess.run(start, shell=True, cwd=clone_path, check=False, capture_output=True)
    run("git", *end.split(), cwd=clone_path)
    assert (clone_path / "b.txt").read_text() == before


@pytest.mark.parametrize("lock", ["index.lock", "refs/remotes/origin/trunk.lock"])
def test_a_lock_that_a_killed_git_left_is_named_with_what_takes_it_away(
    remote: Remote, clone_path: Path, lock: str
) -> None:
    update_clone(str(clone_path), remote.url, "")
    newest = remote.commit(text="two\n")
    left = clone_path / ".git" / lock
    left.write_text("")
    with pytest.raises(ToolFailed) as raised:
        update_clone(str(clone_path), remote.url, "")
    assert raised.value.hint == f"another git works there, or was killed; if none runs any more: rm {left}"
    left.unlink()
    assert update_clone(str(clone_path), remote.url, "").after == newest


def test_a_local_branch_with_commits_is_not_thrown_away_by_a_switch(remote: Remote, clone_path: Path) -> None:
    remote.commit("b.txt", branch="side")
    update_clone(str(clone_path), remote.url, "")
    run("git", "checkout", "-q", "side", cwd=clone_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "mine", cwd=clone_path)
    mine = run("git", "rev-parse", "HEAD", cwd=clone_path)
    run("git", "checkout", "-q", "--detach", "origin/side", cwd=clone_path)
    done = update_clone(str(clone_path), remote.url, "side")
    assert (done.action, done.note) == ("leave", "1 local commit on branch side")
    assert run("git", "rev-parse", "side", cwd=clone_path) == mine


def test_a_changed_url_updates_the_remote(remote: Remote, clone_path: Path, tmp_path: Path) -> None:
    update_clone(str(clone_path), remote.url, "")
    moved = tmp_path / "moved.git"
    remote.bare.rename(moved)
    run("git", "remote", "set-url", "origin", moved, cwd=remote.work)
    newest = remote.commit(text="two\n")
    assert update_clone(str(clone_path), f"file://{moved}", "").after == newest
    assert run("git", "remote", "get-url", "origin", cwd=clone_path) == f"file://{moved}"


@pytest.mark.parametrize("damage", ["no .git", "empty HEAD", "no objects"])
def test_a_broken_clone_is_set_aside_and_made_again(remote: Remote, clone_path: Path, damage: str) -> None:
    update_clone(str(clone_path), remote.url, "")
    (clone_path / "mine.txt").write_text("mine\n")
    if damage == "empty HEAD":
        (clone_path / ".git/HEAD").write_text("")
    else:
        run("rm", "-rf", clone_path / (".git" if damage == "no .git" else ".git/objects"))
    done = update_clone(str(clone_path), remote.url, "")
    assert done.action == "cloned"
    kept = Path(done.note.removeprefix("the broken clone was set aside as "))
    assert (kept / "mine.txt").read_text() == "mine\n"
    assert (clone_path / "a.txt").exists()


def test_a_failed_clone_leaves_nothing_behind(tmp_path: Path, clone_path: Path) -> None:
    with pytest.raises(ToolFailed):
        update_clone(str(clone_path), f"file://{tmp_path}/nowhere.git", "")
    assert not clone_path.parent.exists()


def test_an_empty_remote_is_no_failure_and_no_clone_of_anything(tmp_path: Path, clone_path: Path) -> None:
    remote = Remote(tmp_path)
    for _again in range(3):
        done = update_clone(str(clone_path), remote.url, "")
        assert (done.action, done.before, done.after) == ("empty", "", "")
    newest = remote.commit()
    assert update_clone(str(clone_path), remote.url, "").after == newest
    assert [path.name for path in clone_path.parent.iterdir()] == ["x"]


def test_a_remote_that_lost_all_branches_leaves_the_clone_as_it_is(remote: Remote, clone_path: Path) -> None:
    before = update_clone(str(clone_path), remote.url, "").after
    run("git", "update-ref", "-d", "refs/heads/trunk", cwd=remote.bare)
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.before) == ("empty", before)
    assert (clone_path / "a.txt").exists()


def test_head_of_a_branch_that_was_never_pushed(tmp_path: Path, clone_path: Path) -> None:
    """`git init --bare` on a machine whose default is master, and main pushed to it."""
    remote = Remote(tmp_path, "master")
    newest = remote.commit(branch="main")
    done = update_clone(str(clone_path), remote.url, "")
    assert (done.action, done.branch, done.after) == ("cloned", "main", newest)
    assert done.note == "HEAD of the remote names no branch that was pushed, so main is used"
    assert (clone_path / "a.txt").read_text() == "one\n"
    assert update_clone(str(clone_path), remote.url, "").action == "nothing"
    remote.commit("b.txt", branch="other")
    with pytest.raises(Failure, match="HEAD there names none that was pushed; it has main, other") as raised:
        update_clone(str(clone_path), remote.url, "")
    assert raised.value.code == 1 and "--branch" in raised.value.hint
    assert update_clone(str(clone_path), remote.url, "other").branch == "other"
    assert [path.name for path in clone_path.parent.iterdir()] == ["x"]


def test_a_clone_of_such_a_remote_by_hand_is_no_broken_one(tmp_path: Path, clone_path: Path) -> None:
    remote = Remote(tmp_path, "master")
    newest = remote.commit(branch="main")
    clone_path.parent.mkdir(parents=True)
    run("git", "clone", "-q", remote.url, clone_path)
    assert not (clone_path / "a.txt").exists()
    assert update_clone(str(clone_path), remote.url, "").after == newest
    run("git", "checkout", "-q", "--orphan", "fresh", cwd=clone_path)
    assert "edited file" in update_clone(str(clone_path), remote.url, "").note, (
        "files that are staged on a branch without a commit are work"
    )
    assert [path.name for path in clone_path.parent.iterdir()] == ["x"]


def test_a_remote_with_a_detached_head(tmp_path: Path, clone_path: Path) -> None:
    remote = Remote(tmp_path)
    newest = remote.commit()
    run("git", "checkout", "-q", "--detach", cwd=remote.work)
    assert update_clone(str(clone_path), f"file://{remote.work}", "").after == newest
    assert run("git", "branch", "--show-current", cwd=clone_path) == "trunk"


def test_an_update_that_was_killed_amid_the_move_is_ended_and_loses_no_edit(remote: Remote, clone_path: Path) -> None:
    update_clone(str(clone_path), remote.url, "")
    remote.commit("b.txt", "b\n")
    newest = remote.commit("c.txt", "c\n")
    run("git", "fetch", "-q", cwd=clone_path)
    clone = Clone(str(clone_path))
    # As git leaves it when it is killed between two files: one is there, HEAD and index are the old ones, and locked.
    (clone_path / ".git/dusty-moving").write_text(newest)
    (clone_path / ".git/index.lock").write_text("")
    (clone_path / "b.txt").write_text("b\n")
    (clone_path / "a.txt").write_text("an edit made since\n")
    done = update_clone(str(clone_path), remote.url, "")
    assert "an interrupted update was aborted; what may be edits of 1 file is saved under" in done.note
    saved = done.note.split("saved under ")[1]
    assert run("git", "show", f"{saved}:a.txt", cwd=clone_path) == "an edit made since"
    assert run("git", "rev-parse", "HEAD", cwd=clone_path) == newest
    assert clone.state() == "clean"


def test_a_killed_update_converges(remote: Remote, clone_path: Path, tmp_path: Path) -> None:
    """kill -9 at several moments of real updates, each followed by an update that must end at the remote's commit."""
    update_clone(str(clone_path), remote.url, "")
    # As operations/code/repos does: git inherits the repo's lock, so that of a killed update is waited for.
    locked = f"held('repo:x', verb='test', home={str(tmp_path)!r}, wait=60.0)"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from dusty_tasks.effects.code.clone_updates import update_clone\n"
        f"from dusty_tasks.effects.doors.lock import held\n"
        f"with {locked} as lock: update_clone(sys.argv[1], sys.argv[2], '', lock=lock.fileno())"
    )
    for number in range(8):
        for name in range(20):
            (remote.work / f"f{name}").write_text(f"{number}\n" * 50)
        newest = remote.commit("round", f"{number}\n")
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(clone_path), remote.url], start_new_session=True, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(0.08 + 0.012 * number)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with held("repo:x", verb="test", home=str(tmp_path), wait=60.0) as lock:
            update_clone(str(clone_path), remote.url, "", lock=lock.fileno())
        assert run("git", "rev-parse", "HEAD", cwd=clone_path) == newest
        assert Clone(str(clone_path)).state() == "clean"


def test_states(remote: Remote, clone_path: Path, tmp_path: Path) -> None:
    clone = Clone(str(clone_path))
    assert clone.state() == "missing"
    update_clone(str(clone_path), remote.url, "")
    assert clone.state() == "clean"
    run("git", "commit", "-q", "--allow-empty", "-m", "mine", cwd=clone_path)
    assert clone.state() == "ahead"
    (clone_path / "a.txt").write_text("mine\n")
    assert clone.state() == "dirty"
    assert Clone(str(tmp_path)).state() == "no git repo"
