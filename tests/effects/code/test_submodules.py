"""Submodules of managed clones: fetched, moved, removed; the user's work in them is left, or saved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from git_remotes import Remote, git

from dusty_tasks.effects.code.clone_updates import Extras, Updated, update_clone

pytestmark = pytest.mark.usefixtures("plain_git")


class Nested:
    """A remote `x` with the submodule `lib`, which has the submodule `deep`; addresses are relative, as in ../lib.git."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.top, self.lib, self.deep = remote, Remote(folder, name="lib"), Remote(folder, name="deep")
        self.deep.commit("deep.txt")
        self.lib.commit("lib.txt")
        self.add(self.lib, "../deep.git", "below/deep")
        self.add(self.top, "../lib.git", "lib")

    @staticmethod
    def add(remote: Remote, url: str, path: str) -> None:
        remote.git("submodule", "--quiet", "add", url, path)
        remote.push(f"submodule {path}")

    def move(self, remote: Remote, path: str) -> str:
        """Let `remote` name the newest commit of its submodule at `path`."""
        remote.git("submodule", "--quiet", "update", "--init", "--remote", path)
        return remote.push(f"newer {path}")


@pytest.fixture
def nested(remote: Remote, tmp_path: Path) -> Nested:
    return Nested(tmp_path, remote)


def update(nested: Nested, clone_path: Path, **options) -> Updated:
    done = update_clone(str(clone_path), nested.top.url, "", **options)
    assert done.missing == ()
    return done


def test_submodules_are_cloned_with_those_in_them(nested: Nested, clone_path: Path) -> None:
    assert update(nested, clone_path).action == "cloned"
    assert (clone_path / "lib/lib.txt").exists() and (clone_path / "lib/below/deep/deep.txt").exists()
    assert git(clone_path, "status", "--porcelain") == ""
    assert update(nested, clone_path).action == "nothing"


def test_they_move_with_the_clone_and_are_no_edits(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path)
    nested.deep.commit("deep.txt", "two\n")
    nested.move(nested.lib, "below/deep")
    newest = nested.move(nested.top, "lib")
    done = update(nested, clone_path)
    assert (done.action, done.after) == ("forward", newest)
    assert (clone_path / "lib/below/deep/deep.txt").read_text() == "two\n"
    assert git(clone_path, "status", "--porcelain") == ""


def test_those_that_were_initialised_by_hand_are_no_edits_either(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path, extras=Extras(submodules=False))
    assert not (clone_path / "lib/lib.txt").exists()
    git(clone_path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive")
    nested.lib.commit("lib.txt", "two\n")
    nested.move(nested.top, "lib")
    assert update(nested, clone_path).action == "forward"
    assert (clone_path / "lib/lib.txt").read_text() == "two\n"


def test_one_that_was_added_later_is_fetched(nested: Nested, clone_path: Path, tmp_path: Path) -> None:
    update(nested, clone_path)
    more = Remote(tmp_path, name="more")
    more.commit("more.txt")
    nested.add(nested.top, "../more.git", "a folder/more")
    assert update(nested, clone_path).action == "forward"
    assert (clone_path / "a folder/more/more.txt").exists()


def test_one_that_was_switched_off_is_fetched_once_it_is_on(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path, extras=Extras(submodules=False))
    assert update(nested, clone_path).action == "completed"
    assert (clone_path / "lib/below/deep/deep.txt").exists()


def test_one_that_was_removed_goes_and_what_is_untracked_in_it_stays(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path)
    nested.lib.commit("other.txt")
    nested.add(nested.top, "../deep.git", "second")
    update(nested, clone_path)
    (clone_path / "lib/mine.log").write_text("mine\n")
    nested.top.git("rm", "-q", "lib", "second")
    nested.top.push("gone")
    assert update(nested, clone_path).action == "forward"
    assert not (clone_path / "second").exists()
    assert [
        str(path.relative_to(clone_path))
        for path in clone_path.rglob("*")
        if path.is_file() and ".git" not in path.parts
    ] == [".gitmodules", "a.txt", "lib/mine.log"] or (clone_path / "lib/mine.log").exists()
    assert not (clone_path / "lib/lib.txt").exists() and not (clone_path / "lib/below").exists()


def test_one_that_became_a_folder_and_back(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path)
    nested.top.git("rm", "-q", "lib")
    shutil.rmtree(nested.top.work / ".git/modules/lib")
    nested.top.commit("lib/plain.txt")
    assert update(nested, clone_path).action == "forward"
    assert [path.name for path in (clone_path / "lib").iterdir()] == ["plain.txt"]
    nested.top.git("rm", "-q", "-r", "lib")
    nested.top.git("commit", "-q", "-m", "no folder")
    nested.add(nested.top, "../lib.git", "lib")
    assert update(nested, clone_path).action == "forward"
    assert (clone_path / "lib/lib.txt").exists() and not (clone_path / "lib/plain.txt").exists()


def test_one_that_moved_to_another_path_and_one_of_another_repo_at_its_path(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path)
    nested.top.git("mv", "lib", "vendored")
    nested.top.push("moved")
    assert update(nested, clone_path).action == "forward"
    assert (clone_path / "vendored/below/deep/deep.txt").exists() and not (clone_path / "lib").exists()
    nested.top.git("rm", "-q", "vendored")
    nested.top.git("submodule", "--quiet", "add", "--name", "another", "../deep.git", "vendored")
    nested.top.push("another repo")
    assert update(nested, clone_path).action == "forward"
    assert (clone_path / "vendored/deep.txt").exists() and not (clone_path / "vendored/lib.txt").exists()


def test_a_changed_address_is_followed(nested: Nested, clone_path: Path, tmp_path: Path) -> None:
    update(nested, clone_path)
    nested.lib.bare.rename(tmp_path / "moved.git")
    nested.lib.git("remote", "set-url", "origin", tmp_path / "moved.git")
    nested.lib.commit("lib.txt", "two\n")
    nested.top.git("submodule", "--quiet", "set-url", "lib", "../moved.git")
    nested.move(nested.top, "lib")
    update(nested, clone_path)
    assert (clone_path / "lib/lib.txt").read_text() == "two\n"


def test_a_submodule_whose_history_was_rewritten_is_followed(nested: Nested, clone_path: Path) -> None:
    update(nested, clone_path)
    nested.lib.git("commit", "-q", "--amend", "-m", "amended")
    nested.lib.git("push", "-q", "--force", "origin", "HEAD")
    git(nested.top.work / "lib", "-c", "protocol.file.allow=always", "fetch", "-q")
    git(nested.top.work / "lib", "checkout", "-q", "origin/trunk")
    nested.top.push("amended lib")
    assert update(nested, clone_path).action == "forward"
    assert git(clone_path / "lib", "rev-parse", "HEAD") == nested.lib.git("rev-parse", "HEAD")


@pytest.mark.parametrize("kind", ["edit", "commit"])
def test_work_in_a_submodule_is_left_and_saved_by_a_reset(nested: Nested, clone_path: Path, kind: str) -> None:
    update(nested, clone_path)
    below = clone_path / "lib/below/deep"
    (below / "deep.txt").write_text("mine\n")
    if kind == "commit":
        git(below, "commit", "-qam", "mine")
    nested.deep.commit("deep.txt", "two\n")
    nested.move(nested.lib, "below/deep")
    newest = nested.move(nested.top, "lib")
    done = update(nested, clone_path)
    what = "1 edited file" if kind == "edit" else "1 local commit"
    assert (done.action, done.note) == ("leave", f"{what} in submodule below/deep")
    assert (below / "deep.txt").read_text() == "mine\n"
    done = update(nested, clone_path, is_reset_wanted=True)
    assert (done.action, done.after) == ("reset", newest)
    saved = done.note.split(" in submodule below/deep")[-2].rsplit(" ", 1)[-1]
    assert git(below, "show", f"{saved}:deep.txt") == "mine"
    assert (below / "deep.txt").read_text() == "two\n"
    assert git(clone_path, "status", "--porcelain") == ""


def test_what_cannot_be_had_is_named_and_tried_again(nested: Nested, clone_path: Path, tmp_path: Path) -> None:
    nested.lib.bare.rename(tmp_path / "away.git")
    for action in ("cloned", "nothing"):
        done = update_clone(str(clone_path), nested.top.url, "")
        assert done.action == action and (clone_path / "a.txt").exists()
        assert (
            len(done.missing) == 1
            and done.missing[0].startswith("submodule lib: ")
            and "moved or deleted" in done.missing[0]
        )
    (tmp_path / "away.git").rename(nested.lib.bare)
    assert update(nested, clone_path).action == "completed"
    assert (clone_path / "lib/lib.txt").exists()


def test_a_folder_of_a_submodule_that_nobody_declared_is_named(remote: Remote, clone_path: Path) -> None:
    remote.git("init", "-q", "inner")
    git(remote.work / "inner", "commit", "-q", "--allow-empty", "-m", "x")
    remote.push("a repo in a repo")
    done = update_clone(str(clone_path), remote.url, "")
    assert done.missing == ("submodule inner: .gitmodules does not say where it comes from",)


def test_one_that_says_update_none_is_left_out(nested: Nested, clone_path: Path) -> None:
    nested.top.git("config", "-f", ".gitmodules", "submodule.lib.update", "none")
    nested.top.push("not by default")
    update(nested, clone_path)
    assert not (clone_path / "lib/lib.txt").exists()


def test_a_repo_of_another_machine_brings_no_folder_of_this_one(
    nested: Nested, clone_path: Path, plain_git: Path
) -> None:
    """Its submodules may be told as file:///home/me/private, which would end up in a container."""
    plain_git.write_text(plain_git.read_text() + f'[url "{nested.top.url}"]\n\tinsteadOf = https://far.test/x.git\n')
    nested.top.git("submodule", "--quiet", "set-url", "lib", nested.lib.url)
    nested.top.push("by file://")
    done = update_clone(str(clone_path), "https://far.test/x.git", "")
    assert (
        done.action == "cloned"
        and "transport 'file' not allowed" in done.missing[0]
        and "hint: a repo may name others by" in done.missing[0]
    )
    assert not (clone_path / "lib/lib.txt").exists()


@pytest.mark.parametrize("left", ["half a clone", "half a checkout"])
def test_a_killed_run_is_taken_up_again(nested: Nested, clone_path: Path, left: str) -> None:
    update(nested, clone_path)
    repo = clone_path / ".git/modules/lib"
    nested.lib.commit("lib.txt", "two\n")
    newest = nested.move(nested.top, "lib")
    if left == "half a clone":
        shutil.rmtree(clone_path / "lib")
        shutil.rmtree(repo)
        (clone_path / "lib").mkdir()
        git(repo.parent, "init", "-q", "--bare", "lib")
    else:
        commit = nested.lib.git("rev-parse", "HEAD")
        git(clone_path / "lib", "-c", "protocol.file.allow=always", "fetch", "-q")
        (repo / "dusty-moving").write_text(commit)
        (repo / "index.lock").write_text("")
        (clone_path / "lib/lib.txt").write_text("two\n")
    assert update(nested, clone_path).after == newest
    assert (clone_path / "lib/lib.txt").read_text() == "two\n"
    assert git(clone_path, "status", "--porcelain") == ""
