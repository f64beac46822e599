"""Files of Git LFS in managed clones, with the real git-lfs and a remote on this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from git_remotes import Remote, git

from dusty_tasks.effects.code import git as git_door
from dusty_tasks.effects.code.clone_updates import Extras, update_clone

pytestmark = [
    pytest.mark.usefixtures("plain_git"),
    pytest.mark.skipif(not shutil.which("git-lfs"), reason="git-lfs is not installed"),
]


@pytest.fixture
def big(remote: Remote) -> Remote:
    """A remote with `big.bin` in LFS; this machine's own configuration knows no LFS filter."""
    remote.git("lfs", "install", "--local")
    remote.git("lfs", "track", "*.bin")
    remote.commit("big.bin", "content one\n")
    return remote


def test_they_come_with_the_clone_and_move_with_it(big: Remote, clone_path: Path) -> None:
    assert update_clone(str(clone_path), big.url, "").missing == ()
    assert (clone_path / "big.bin").read_text() == "content one\n"
    assert git(clone_path, "status", "--porcelain") == ""
    big.commit("big.bin", "content two\n")
    assert update_clone(str(clone_path), big.url, "").action == "forward"
    assert (clone_path / "big.bin").read_text() == "content two\n"
    assert update_clone(str(clone_path), big.url, "").action == "nothing"


def test_an_edit_is_seen(big: Remote, clone_path: Path) -> None:
    update_clone(str(clone_path), big.url, "")
    (clone_path / "big.bin").write_text("mine\n")
    big.commit("big.bin", "content two\n")
    assert update_clone(str(clone_path), big.url, "").note == "1 edited file"
    update_clone(str(clone_path), big.url, "", is_reset_wanted=True)
    assert (clone_path / "big.bin").read_text() == "content two\n"


def test_they_come_in_submodules_too(big: Remote, clone_path: Path, tmp_path: Path) -> None:
    top = Remote(tmp_path, name="top")
    top.git("submodule", "--quiet", "add", "../x.git", "lib")
    top.push("lib")
    assert update_clone(str(clone_path), top.url, "").missing == ()
    assert (clone_path / "lib/big.bin").read_text() == "content one\n"


def test_they_can_be_switched_off_and_on(big: Remote, clone_path: Path) -> None:
    done = update_clone(str(clone_path), big.url, "", extras=Extras(lfs=False))
    assert done.missing == () and (clone_path / "big.bin").read_text().startswith("version https://git-lfs")
    assert update_clone(str(clone_path), big.url, "").action == "completed"
    assert (clone_path / "big.bin").read_text() == "content one\n"


def test_without_git_lfs_they_are_named(
    big: Remote, clone_path: Path, monkeypatch: pytest.MonkeyPatch, plain_git: Path, tmp_path: Path
) -> None:
    path = tmp_path / "programs"
    path.mkdir()
    for program in ("git", "sh"):
        (path / program).symlink_to(shutil.which(program))
    monkeypatch.setenv("PATH", str(path))
    git_door.forget_surroundings()
    plain_git.write_text(plain_git.read_text() + '[filter "lfs"]\n\tprocess = no-such-program\n\trequired = true\n')
    done = update_clone(str(clone_path), big.url, "")
    assert done.action == "cloned" and len(done.missing) == 1
    assert "1 file of Git LFS (big.bin) is a pointer without content: install git-lfs" in done.missing[0]


def test_what_the_server_does_not_have_is_named_and_the_rest_is_there(big: Remote, clone_path: Path) -> None:
    shutil.rmtree(big.bare / "lfs")
    for action in ("cloned", "nothing"):
        done = update_clone(str(clone_path), big.url, "")
        assert done.action == action and (clone_path / "a.txt").exists()
        assert "1 file of Git LFS (big.bin) could not be fetched" in done.missing[0]
        assert git(clone_path, "status", "--porcelain") == ""
    subprocess.run(["git", "lfs", "push", "--all", "origin"], cwd=big.work, check=True, capture_output=True)
    assert update_clone(str(clone_path), big.url, "").missing == ()
    assert (clone_path / "big.bin").read_text() == "content one\n"
