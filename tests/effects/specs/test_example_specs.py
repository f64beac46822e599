"""The examples, written out: real git repos with real paths, and a person's edits left alone."""

import os
import subprocess
import sys

import pytest

from dusty_tasks.effects.specs.examples import BUNDLE, PLACEHOLDER, write_examples
from dusty_tasks.resources import folder


def git(repo, *words: str) -> str:
    return subprocess.run(["git", "-C", str(repo), *words], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def example(dusty_home, said):
    write_examples(dusty_home, said.append)
    return dusty_home / "example"


def test_specs_name_the_real_paths(example, said):
    text = "".join(path.read_text() for path in (example / "specs").glob("*/*.yml"))
    assert f"repo: {example}/repos/board\n" in text
    assert f"repo: file://{example}/remotes/quotes.git\n" in text
    assert PLACEHOLDER not in text.replace(str(example), "")
    assert said == [f"wrote the example specs and their repos to {example}"]


def test_the_first_runs_bundle_is_among_them(example):
    assert (example / f"specs/bundles/{BUNDLE}.yml").is_file()


def test_every_part_is_a_clean_git_repo(example):
    for path in ("specs", "repos/board", "repos/paper"):
        assert git(example / path, "status", "--porcelain") == ""
        assert git(example / path, "branch", "--show-current") == "main"


def test_the_managed_repo_can_be_cloned(example, tmp_path):
    git(tmp_path, "clone", "-q", f"file://{example}/remotes/quotes.git", "clone")
    assert (tmp_path / "clone/quotes.py").read_text() == (folder("examples") / "repos/quotes/quotes.py").read_text()


def test_a_second_call_changes_nothing_and_keeps_edits(example, dusty_home, said):
    (example / "repos/board/board.py").write_text("mine")
    (example / "specs/bundles/example.yml").unlink()
    commit = git(example / "repos/board", "rev-parse", "HEAD")
    said.clear()
    write_examples(dusty_home, said.append)
    assert (example / "repos/board/board.py").read_text() == "mine"
    assert not (example / "specs/bundles/example.yml").exists()
    assert git(example / "repos/board", "rev-parse", "HEAD") == commit
    assert said == []


def test_a_removed_part_is_made_again(example, dusty_home, said):
    os.rename(example / "repos/paper", example / "elsewhere")
    write_examples(dusty_home, said.append)
    assert (example / "repos/paper/paper.py").is_file()
    assert sorted(os.listdir(example / "repos")) == ["board", "paper"], "nothing temporary is left"


def test_without_git_the_specs_are_written_and_the_repos_once_it_is_there(dusty_home, tmp_path, monkeypatch, said):
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", str(tmp_path))
        write_examples(dusty_home, said.append)
    assert sorted(path.name for path in (dusty_home / "example").iterdir()) == ["specs"]
    write_examples(dusty_home, said.append)
    assert (dusty_home / "example/remotes/quotes.git/HEAD").is_file()


def test_a_git_config_that_signs_commits_is_no_obstacle(dusty_home, tmp_path, monkeypatch, said):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text(
        "[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = /bin/false\n[user]\n\tuseConfigOnly = true\n"
    )
    write_examples(dusty_home, said.append)
    assert git(dusty_home / "example/repos/board", "log", "-1", "--format=%an") == "Dusty"


@pytest.mark.parametrize(("repo", "suite"), [("paper", "test_paper"), ("board", "test_page")])
def test_the_examples_own_tests_pass(repo, suite):
    repos = folder("examples") / "repos"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(repos / "paper"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "unittest", suite],
        cwd=repos / repo,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
