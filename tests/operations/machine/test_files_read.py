"""Files of this machine that Compose or the builder reads: links out, files without an end, variables that would be sent away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks import session
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine.files_read import powers_of_env_files, refuse_unsafe_reads


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repo of the stack with a context; beside it a private folder."""
    (tmp_path / "repo/ctx").mkdir(parents=True)
    (tmp_path / "repo/ctx/Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/key").write_text("secret\n")
    monkeypatch.setattr(
        session, "settings", lambda: Settings(home=str(tmp_path / "home"), host=HostSettings(kind="ssh", root="/"))
    )
    monkeypatch.setattr(session, "specs_root", lambda: tmp_path / "specs")
    return tmp_path / "repo"


def check(repo: Path, **mapping: Any) -> None:
    refuse_unsafe_reads({"web": mapping}, [("repo", str(repo))])


def test_context_and_files_inside_are_fine_and_so_is_what_has_consent(repo: Path) -> None:
    (repo / "link").symlink_to("ctx")
    check(repo, build={"context": f"{repo}/ctx"}, env_file=[f"{repo}/none.env", {"path": "/etc/hostname"}])
    check(repo, build=f"{repo}/link")
    check(repo, build="https://git.example/x.git")


@pytest.mark.parametrize("leading", ["ctx", "ctx/Dockerfile", "ctx/other"])
def test_link_out_of_a_repo_is_refused_where_it_is_built_from(repo: Path, leading: str) -> None:
    path = repo / leading
    if leading == "ctx":
        (path / "Dockerfile").unlink()
        path.rmdir()
    elif path.exists():
        path.unlink()
    path.symlink_to(repo.parent / "private", target_is_directory=True)
    with pytest.raises(Failure) as raised:
        check(repo, build={"context": f"{repo}/ctx", "additional_contexts": {"other": f"{repo}/ctx/other"}})
    assert (
        f"{path} is a link that points outside the specs and repos of the stack, to {repo.parent}/private"
        in str(raised.value)
        and raised.value.code == 1
    )


@pytest.mark.parametrize("key", ["env_file", "label_file", "build"])
def test_file_without_an_end_is_refused(repo: Path, key: str) -> None:
    (repo / "ctx/Dockerfile").unlink()
    os.mkfifo(repo / "ctx/Dockerfile")
    with pytest.raises(Failure) as raised:
        check(repo, **{key: f"{repo}/ctx" if key == "build" else [f"{repo}/ctx/Dockerfile"]})
    assert f"web: {repo}/ctx/Dockerfile cannot be read: it is not a regular file" in str(raised.value)


def test_variables_that_compose_would_fill_in_and_send_to_another_machine_are_powers(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose takes a name without a value, and a name within a value, from the environment of whoever runs it."""
    for name in ("MINE_BARE", "MINE_EXPORTED", "MINE_PLAIN", "MINE_BRACED", "MINE_OTHER"):
        monkeypatch.setenv(name, "secret")
    (repo / "x.env").write_text(
        "A=1\nMINE_BARE\nexport MINE_EXPORTED # why\nB=a$MINE_PLAIN\nC=${MINE_BRACED:-x}\nMINE_OTHER=2\nD=$UNSET\nTERM\n"
    )
    found = list(powers_of_env_files({"web": {"env_file": [f"{repo}/x.env"]}}))
    assert [power.value for power in found] == ["MINE_BARE", "MINE_BRACED", "MINE_EXPORTED", "MINE_PLAIN"]
    assert all("sends" in power.meaning for power in found)
