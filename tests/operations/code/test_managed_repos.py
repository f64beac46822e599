"""Which managed repos a run looks at: `repos.pull`, overrides, local paths; and what a failed fetch means."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.repo_ids import Repo, repo_of
from dusty_tasks.effects.code import git as git_door
from dusty_tasks.operations.code import repos as step
from dusty_tasks.operations.code.repos import CLONED, FAILED, KEPT, SAME, UPDATED, Pulling, failure_of, pull_repos


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "T",
        "GIT_AUTHOR_EMAIL": "t@localhost",
        "GIT_COMMITTER_NAME": "T",
        "GIT_COMMITTER_EMAIL": "t@localhost",
    }.items():
        monkeypatch.setenv(name, value)
    git_door.forget_surroundings()
    yield
    git_door.forget_surroundings()


class Pulled:
    """Remotes and clones of one test; `pull()` gives short name -> status."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, Settings(home=str(folder / "home"))
        self.repos: list[Repo] = []
        self.said: list[str] = []
        self.warned: list[str] = []

    def remote(self, name: str) -> Path:
        path = self.folder / "remotes" / name
        path.mkdir(parents=True)
        self.git("init", "-q", "--initial-branch=main", cwd=path)
        self.commit(path)
        self.repos.append(repo_of(f"file://{path}"))
        return path

    def commit(self, path: Path) -> None:
        self.git("commit", "-q", "--allow-empty", "-m", "more", cwd=path)

    @staticmethod
    def git(*words: str, cwd: Path) -> None:
        subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True)

    def pull(self, **options) -> dict[str, str]:
        self.said, self.warned = [], []
        self.outcomes = pull_repos(self.repos, self.settings, Pulling(self.said.append, self.warned.append, **options))
        return {outcome.repo_id.rsplit("/", 1)[-1]: outcome.status for outcome in self.outcomes}


@pytest.fixture
def pulled(tmp_path: Path) -> Pulled:
    return Pulled(tmp_path)


def test_always_looks_each_time(pulled: Pulled) -> None:
    path = pulled.remote("web")
    assert pulled.pull() == {"web": CLONED}
    assert pulled.pull() == {"web": SAME}
    assert not pulled.outcomes[0].was_fetched
    pulled.commit(path)
    assert pulled.pull() == {"web": UPDATED}
    assert pulled.outcomes[0].was_fetched


def test_never_clones_what_is_missing_and_fetches_nothing(pulled: Pulled) -> None:
    path = pulled.remote("web")
    pulled.settings = dataclasses.replace(pulled.settings, repos_pull="never")
    assert pulled.pull() == {"web": CLONED}
    pulled.commit(path)
    assert pulled.pull() == {}
    assert pulled.pull(always=True) == {"web": UPDATED}


def test_daily_looks_once_a_day(pulled: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled.remote("web")
    pulled.settings = dataclasses.replace(pulled.settings, repos_pull="daily")
    assert pulled.pull() == {"web": CLONED}
    assert pulled.pull() == {}
    now = step.time.time()
    monkeypatch.setattr(step.time, "time", lambda: now + 25 * 3600)
    assert pulled.pull() == {"web": SAME}


def test_overridden_and_local_repos_are_left_alone(pulled: Pulled, tmp_path: Path) -> None:
    pulled.remote("web")
    pulled.repos.append(repo_of(str(tmp_path)))
    pulled.settings = dataclasses.replace(pulled.settings, repo_overrides={pulled.repos[0].id: str(tmp_path)})
    assert pulled.pull(always=True) == {}


def test_a_failed_fetch_is_a_warning_where_a_clone_is_and_a_failure_where_none_is(pulled: Pulled) -> None:
    path = pulled.remote("web")
    pulled.remote("lib")
    pulled.pull()
    path.rename(path.with_name("away"))
    pulled.repos.append(repo_of(f"file://{path.with_name('nowhere')}"))
    assert pulled.pull() == {"web": KEPT, "lib": SAME, "nowhere": FAILED}
    assert len(pulled.warned) == 1 and "web could not be fetched; the clone of" in pulled.warned[0]
    failure = failure_of(pulled.outcomes)
    assert failure is not None and failure.code == 2 and "nowhere" in str(failure) and "away" not in str(failure)


def test_what_many_repos_have_alike_is_said_once(pulled: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine answers there, by a real ssh; the repos that have a clone are warned of once, those without are one failure."""
    clones = [pulled.remote(name) for name in ("a1", "b1")]
    pulled.pull()
    pulled.repos = [repo_of(f"ssh://git@127.0.0.1:9/org/{name}") for name in ("web", "api", "lib", "base")]
    assert set(pulled.pull().values()) == {FAILED}
    failure = failure_of(pulled.outcomes)
    assert failure is not None and failure.code == 2
    text = str(failure)
    assert text.startswith("each of 4 (web, api, lib, base): `git ls-remote")
    assert (
        text.count("Connection refused") == text.count("hint: its host does not answer") == 1 and "ssh-add" not in text
    )
    for clone in clones:
        clone.rename(clone.with_name(f"{clone.name}-away"))
    pulled.repos = [repo_of(f"file://{clone}") for clone in clones]
    pulled.warned.clear()
    assert set(pulled.pull(always=True).values()) == {KEPT}
    (warned,) = pulled.warned
    assert " could not be fetched; the clone of " in warned and warned.startswith("each of ") and warned.count("\n") < 8


@pytest.mark.parametrize(
    ("printed", "hint"),
    [
        (
            "ssh: Could not resolve hostname github.com: Temporary failure in name resolution\nfatal: Could not read from remote repository.",
            "name cannot be resolved",
        ),
        (
            "fatal: unable to access 'https://x.test/o/a.git/': Could not resolve host: x.test",
            "name cannot be resolved",
        ),
        (
            "ssh: connect to host github.com port 22: Connection timed out\nfatal: Could not read from remote repository.",
            "does not answer",
        ),
        ("git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.", "ssh-add"),
    ],
)
def test_the_hint_fits_the_cause(printed: str, hint: str) -> None:
    from dusty_tasks.effects.code.git import git_failed
    from dusty_tasks.effects.doors.process import Finished

    assert hint in git_failed(["fetch"], Finished(128, "", printed)).hint


def test_a_branch_that_is_not_there_is_the_users_to_mend(pulled: Pulled) -> None:
    pulled.remote("web")
    pulled.settings = dataclasses.replace(pulled.settings, repo_branches={pulled.repos[0].id: "nope"})
    assert pulled.pull() == {"web": FAILED}
    assert failure_of(pulled.outcomes).code == 1


def test_many_at_once(pulled: Pulled) -> None:
    for number in range(12):
        pulled.remote(f"r{number}")
    pulled.settings = dataclasses.replace(pulled.settings, repos_jobs=8)
    assert set(pulled.pull().values()) == {CLONED}
    assert len(pulled.said) == 0 or len(pulled.said) == 12
