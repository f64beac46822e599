"""Fixtures for tests of managed clones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_remotes import Remote

from dusty_tasks.effects.code import git as git_door


@pytest.fixture
def plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """git with a configuration of the test's own; its path."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_"))]:
        monkeypatch.delenv(name)
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\n\tname = Tester\n\temail = tester@localhost\n[init]\n\tdefaultBranch = trunk\n"
        '[protocol "file"]\n\tallow = user\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git_door.forget_surroundings()
    yield config
    git_door.forget_surroundings()


@pytest.fixture
def remote(tmp_path: Path, plain_git: Path) -> Remote:
    found = Remote(tmp_path)
    found.commit()
    return found


@pytest.fixture
def clone_path(tmp_path: Path) -> Path:
    return tmp_path / "home/repos/host/org/x"
