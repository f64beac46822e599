"""A remote whose history was rewritten: what it dropped is told from what is the user's own, and is never pushed back."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from git_remotes import Remote, git

from dusty_tasks.effects.code.clone_updates import Updated, update_clone

pytestmark = pytest.mark.usefixtures("plain_git")


def update(remote: Remote, clone_path: Path, **options) -> Updated:
    return update_clone(str(clone_path), remote.url, options.pop("branch", ""), **options)


def amend(remote: Remote) -> None:
    (remote.work / "a.txt").write_text("amended\n")
    remote.git("commit", "-q", "-a", "--amend", "-m", "amended")


def rebase(remote: Remote) -> None:
    remote.git("checkout", "-q", "-B", "base", "HEAD~2")
    remote.commit("base.txt")
    remote.git("rebase", "-q", "base", "trunk")


def squash(remote: Remote) -> None:
    remote.git("reset", "-q", "--soft", "HEAD~2")
    remote.git("commit", "-q", "-m", "both")


def reset_back(remote: Remote) -> None:
    remote.git("reset", "-q", "--hard", "HEAD~2")


def start_anew(remote: Remote) -> None:
    remote.git("checkout", "-q", "--orphan", "fresh")
    remote.git("commit", "-q", "-m", "all in one")
    remote.git("branch", "-q", "-M", "trunk")


@pytest.fixture
def pushed(remote: Remote) -> Remote:
    """Three commits on trunk."""
    for number in (2, 3):
        remote.commit(f"{number}.txt")
    return remote


@pytest.mark.parametrize("rewrite", [amend, rebase, squash, reset_back, start_anew])
def test_a_clone_without_work_of_the_users_follows(pushed: Remote, clone_path: Path, rewrite) -> None:
    before = update(pushed, clone_path).after
    (clone_path / "untracked.txt").write_text("mine\n")
    rewrite(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    done = update(pushed, clone_path)
    assert (done.action, done.note) == ("follow", "the remote's branch trunk was rewritten")
    assert done.before == before and done.after == git(clone_path, "rev-parse", "HEAD") == pushed.git(
        "rev-parse", "trunk"
    )
    assert git(clone_path, "status", "--porcelain") == "?? untracked.txt"
    assert git(clone_path, "rev-parse", "--abbrev-ref", "@{upstream}") == "origin/trunk"
    assert update(pushed, clone_path).action == "nothing"


def test_it_follows_too_if_the_rewriting_was_fetched_by_hand(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    squash(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    git(clone_path, "fetch", "-q")
    assert update(pushed, clone_path).action == "follow"


def test_it_follows_through_several_rewritings_between_two_looks(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    for _again in range(3):
        amend(pushed)
        pushed.git("push", "-q", "--force", "origin", "trunk")
        git(clone_path, "fetch", "-q")
    assert update(pushed, clone_path).action == "follow"


def test_a_stash_goes_along_and_stays(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    (clone_path / "a.txt").write_text("mine\n")
    git(clone_path, "stash")
    amend(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    assert update(pushed, clone_path).action == "follow"
    assert "mine" in git(clone_path, "stash", "show", "-p")


def test_own_commits_upon_dropped_ones_are_left_and_the_hint_leaves_the_dropped_ones_behind(
    pushed: Remote, clone_path: Path
) -> None:
    update(pushed, clone_path)
    for name in ("mine", "mine-too"):
        (clone_path / name).write_text("mine\n")
        git(clone_path, "add", ".")
        git(clone_path, "commit", "-qm", name)
    mine = git(clone_path, "rev-parse", "HEAD")
    reset_back(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    for _again in range(2):
        done = update(pushed, clone_path)
        assert (done.action, done.note) == ("leave", "2 local commits, on 2 commits that the remote dropped")
        assert git(clone_path, "rev-parse", "HEAD") == mine
        assert "do not push it as it is" in done.way_out and "push the work" not in done.way_out
    command = done.way_out.split("that would bring them back: ")[1].split(" leaves the dropped")[0]
    subprocess.run(shlex.split(command), check=True, capture_output=True)
    assert git(clone_path, "rev-list", "--count", "origin/trunk..HEAD") == "2"
    assert not (clone_path / "3.txt").exists() and (clone_path / "mine").exists()
    done = update(pushed, clone_path)
    assert (done.note, done.way_out.split(",")[0]) == ("2 local commits", "push the work")


def test_no_rebase_is_proposed_where_a_merge_mixed_them(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    git(clone_path, "checkout", "-q", "-b", "topic", "HEAD~1")
    git(clone_path, "commit", "-q", "--allow-empty", "-m", "mine")
    git(clone_path, "checkout", "-q", "trunk")
    git(clone_path, "merge", "-q", "--no-edit", "topic")
    reset_back(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    done = update(pushed, clone_path)
    assert done.note == "2 local commits, on 2 commits that the remote dropped"
    assert "rebase" not in done.way_out and "--reset-repos saves it" in done.way_out


def test_edits_upon_a_dropped_commit_are_left_and_the_hint_does_not_push(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    (clone_path / "a.txt").write_text("mine\n")
    reset_back(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    done = update(pushed, clone_path)
    assert (done.action, done.note) == ("leave", "1 edited file, on commits that the remote dropped")
    assert "push" not in done.way_out and "stash" in done.way_out
    git(clone_path, "stash")
    assert update(pushed, clone_path).action == "follow"
    git(clone_path, "stash", "pop")
    assert (clone_path / "a.txt").read_text() == "mine\n"


def test_an_amended_commit_of_the_users_is_work(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    git(clone_path, "commit", "-q", "--amend", "-m", "mine")
    done = update(pushed, clone_path)
    assert (done.action, done.note) == ("leave", "1 local commit")
    assert "rebase origin/trunk" in done.way_out


def test_what_the_user_pushed_and_the_remote_dropped_is_no_local_work_any_more(
    pushed: Remote, clone_path: Path
) -> None:
    update(pushed, clone_path)
    git(clone_path, "commit", "-q", "--allow-empty", "-m", "pushed")
    git(clone_path, "push", "-q", "origin", "trunk")
    pushed.git("push", "-q", "--force", "origin", "trunk")
    assert update(pushed, clone_path).action == "follow"


def test_a_branch_that_was_merged_and_deleted_leaves_no_local_work_behind(pushed: Remote, clone_path: Path) -> None:
    """git forgets where a deleted branch stood; we do not."""
    pushed.commit("topic.txt", branch="topic")
    update(pushed, clone_path, branch="topic")
    pushed.git("checkout", "-q", "trunk")
    pushed.git("merge", "-q", "--squash", "topic")
    pushed.git("commit", "-q", "-m", "topic, squashed")
    pushed.git("push", "-q", "origin", "trunk", ":topic")
    git(clone_path, "fetch", "-q", "--prune")
    assert update(pushed, clone_path).action == "switch"
    assert git(clone_path, "rev-parse", "HEAD") == pushed.git("rev-parse", "trunk")


def test_a_clone_of_before_this_memory_follows_as_well(pushed: Remote, clone_path: Path) -> None:
    pushed.commit("topic.txt", branch="topic")
    update(pushed, clone_path, branch="topic")
    (clone_path / ".git/dusty-upstream").unlink()
    pushed.git("checkout", "-q", "trunk")
    pushed.commit("b.txt")
    pushed.git("push", "-q", "origin", ":topic")
    assert update(pushed, clone_path).action == "switch", "what a fetch is about to forget is noted before"


def test_a_renamed_default_branch_is_followed(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    pushed.git("branch", "-q", "-m", "trunk", "main")
    pushed.git("push", "-q", "origin", "main")
    git(pushed.bare, "symbolic-ref", "HEAD", "refs/heads/main")
    pushed.git("push", "-q", "origin", ":trunk")
    amend(pushed)
    pushed.git("push", "-q", "--force", "origin", "main")
    done = update(pushed, clone_path)
    assert (done.action, done.branch) == ("switch", "main")
    assert git(clone_path, "status", "--porcelain", "--branch") == "## main...origin/main"


@pytest.mark.parametrize(("old", "new"), [("feature/x", "feature"), ("feature", "feature/x")])
def test_a_branch_in_the_place_of_a_folder_of_branches(remote: Remote, clone_path: Path, old: str, new: str) -> None:
    remote.commit("old.txt", branch=old)
    update(remote, clone_path, branch=old)
    remote.git("checkout", "-q", "trunk")
    remote.git("branch", "-q", "-D", old)
    remote.git("push", "-q", "origin", f":{old}")
    newest = remote.commit("new.txt", branch=new)
    done = update(remote, clone_path, branch=new)
    assert (done.action, done.branch, done.after) == ("switch", new, newest)
    assert git(clone_path, "branch", "--show-current") == new
    assert update(remote, clone_path, branch=new).action == "nothing"


def test_own_commits_on_a_branch_whose_name_is_in_the_way_are_left_and_saved(remote: Remote, clone_path: Path) -> None:
    remote.commit("old.txt", branch="feature/x")
    update(remote, clone_path, branch="feature/x")
    git(clone_path, "commit", "-q", "--allow-empty", "-m", "mine")
    mine = git(clone_path, "rev-parse", "HEAD")
    git(clone_path, "checkout", "-q", "--detach", "origin/trunk")
    remote.git("checkout", "-q", "trunk")
    remote.git("push", "-q", "origin", ":feature/x")
    remote.git("branch", "-q", "-D", "feature/x")
    newest = remote.commit("new.txt", branch="feature")
    done = update(remote, clone_path, branch="feature")
    assert (done.action, done.note) == (
        "leave",
        "1 local commit on branch feature/x, whose name conflicts with feature",
    )
    assert git(clone_path, "rev-parse", "feature/x") == mine
    done = update(remote, clone_path, branch="feature", is_reset_wanted=True)
    assert done.after == newest
    assert mine in git(clone_path, "rev-list", done.note.split("saved under ")[1])


def test_a_tag_in_the_place_of_a_folder_of_tags_stops_nothing(remote: Remote, clone_path: Path) -> None:
    remote.git("push", "-q", "origin", "HEAD:refs/tags/v1")
    update(remote, clone_path)
    remote.git("push", "-q", "origin", ":v1")
    newest = remote.commit(text="two\n")
    remote.git("push", "-q", "origin", "HEAD:refs/tags/v1/x")
    assert update(remote, clone_path).after == newest


def test_an_unrelated_repo_at_another_url_is_followed(pushed: Remote, clone_path: Path, tmp_path: Path) -> None:
    update(pushed, clone_path)
    other = Remote(tmp_path, name="moved")
    newest = other.commit("other.txt")
    done = update_clone(str(clone_path), other.url, "")
    assert (done.action, done.after) == ("follow", newest)
    assert git(clone_path, "config", "--get-all", "remote.origin.url") == other.url


@pytest.mark.parametrize("is_remote_shallow", [False, True])
def test_shallow_clones_follow(pushed: Remote, clone_path: Path, tmp_path: Path, is_remote_shallow: bool) -> None:
    url = pushed.url
    if is_remote_shallow:
        git(tmp_path, "clone", "-q", "--bare", "--depth=1", pushed.url, "shallow.git")
        url = f"file://{tmp_path}/shallow.git"
        update_clone(str(clone_path), url, "")
    else:
        clone_path.parent.mkdir(parents=True)
        git(clone_path.parent, "clone", "-q", "--depth=1", pushed.url, clone_path)
    for rewrite in (lambda remote: remote.commit("4.txt"), amend, squash):
        rewrite(pushed)
        pushed.git("push", "-q", "--force", "origin", "trunk")
        if is_remote_shallow:
            git(tmp_path / "shallow.git", "fetch", "-q", "--depth=1", pushed.url, "+trunk:trunk")
        assert update_clone(str(clone_path), url, "").after == pushed.git("rev-parse", "HEAD")
    (clone_path / "a.txt").write_text("mine\n")
    git(clone_path, "commit", "-qam", "mine")
    squash(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    assert update_clone(str(clone_path), pushed.url, "").note.startswith("1 local commit")


def test_an_ignored_file_in_the_way_is_named_and_kept(remote: Remote, clone_path: Path) -> None:
    remote.commit(".gitignore", "*.local\n")
    update(remote, clone_path)
    (clone_path / "secret.local").write_text("mine\n")
    remote.commit("secret.local", "theirs\n")
    done = update(remote, clone_path)
    assert (done.action, done.note, done.way_out) == (
        "leave",
        "untracked files would be overwritten: secret.local",
        "move them elsewhere",
    )
    assert (clone_path / "secret.local").read_text() == "mine\n"


def test_a_killed_following_converges_and_loses_no_edit(pushed: Remote, clone_path: Path) -> None:
    update(pushed, clone_path)
    amend(pushed)
    pushed.git("push", "-q", "--force", "origin", "trunk")
    git(clone_path, "fetch", "-q")
    # As a killed checkout leaves it: a file is the new one, HEAD and index are the old ones, and locked.
    (clone_path / ".git/dusty-moving").write_text(pushed.git("rev-parse", "HEAD"))
    (clone_path / ".git/index.lock").write_text("")
    (clone_path / "a.txt").write_text("amended\n")
    (clone_path / "2.txt").write_text("an edit made since\n")
    done = update(pushed, clone_path)
    assert done.after == pushed.git("rev-parse", "HEAD") and git(clone_path, "status", "--porcelain") == ""
    assert "what may be edits of 1 file is saved under" in done.note
    saved = done.note.split("saved under ")[1].split(";")[0]
    assert git(clone_path, "show", f"{saved}:2.txt") == "an edit made since"
