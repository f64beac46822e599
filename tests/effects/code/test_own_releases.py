"""What the remote of a checkout has that the checkout lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_remotes import Remote, git

from dusty_tasks.effects.code import own_releases
from dusty_tasks.effects.code.own_releases import Newer, newest_after, read_newer
from dusty_tasks.effects.doors.failures import Failure


def test_a_higher_release_and_newer_commits_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote(tmp_path)
    remote.commit()
    git(tmp_path, "clone", "-q", str(remote.bare), "checkout")
    checkout = tmp_path / "checkout"
    monkeypatch.setattr(own_releases, "PACKAGE", checkout / "dusty_tasks")
    assert read_newer("0.1.0") == Newer()
    remote.git("tag", "v0.1.0")
    remote.git("tag", "not-a-version-9")
    remote.git("push", "-q", "--tags")
    assert read_newer("0.1.0") == Newer()
    remote.commit(text="two\n")
    assert read_newer("0.1.0") == Newer(has_commits=True)
    remote.git("tag", "v0.10.0")
    remote.git("push", "-q", "--tags")
    assert read_newer("0.9.0") == Newer("0.10.0", has_commits=True)
    git(checkout, "pull", "-q")
    git(checkout, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "mine")
    assert read_newer("0.10") == Newer(), "work of one's own on top is not old"
    git(checkout, "checkout", "-q", "--detach")
    with pytest.raises(Failure, match="on no branch of a remote"):
        read_newer("0.10.0")


def test_a_package_of_unknown_origin_says_what_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_releases, "PACKAGE", tmp_path / "site-packages/dusty_tasks")
    with pytest.raises(Failure) as failure:
        read_newer("0.1.0")
    assert "pipx upgrade dusty" in str(failure.value)


@pytest.mark.parametrize(
    ("version", "tags", "newest"),
    [("1.2", "1.2.0", ""), ("1.2", "1.2.1 1.10 1.9", "1.10"), ("2.0", "1.9 2.0rc1", ""), ("0.1.0", "", "")],
)
def test_versions_are_compared_by_their_numbers(version: str, tags: str, newest: str) -> None:
    assert newest_after(version, "".join(f"abc\trefs/tags/v{tag}\n" for tag in tags.split())) == newest
