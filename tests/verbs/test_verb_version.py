"""`dusty version`: a line for each, and a reason where a version cannot be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks import __version__
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.engine import http


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, with a docker of our own in it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    write(
        folder,
        "docker",
        '[ "$1" = compose ] && echo "Docker Compose version v2.40.1-desktop.1" || echo "Docker version 28.2.2, build e6534b4"',
    )
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(http.Engine, "get", lambda self, path, timeout: {"Version": "28.1.0"})
    return folder


def write(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def lines(dusty: Chosen) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in dusty("version").out.splitlines())


def test_each_program_says_its_version(dusty: Chosen, programs: Path) -> None:
    write(programs, "git", 'echo "git version 2.39.5 (Apple Git-154)"')
    write(programs, "rsync", 'echo "rsync  version 3.2.7  protocol version 31"')
    found = lines(dusty)
    assert list(found) == ["dusty", "python", "doit", "docker", "engine", "compose", "git", "rsync"]
    assert (found["dusty"], found["docker"], found["engine"], found["compose"]) == (
        __version__,
        "28.2.2",
        "28.1.0",
        "2.40.1-desktop.1",
    )
    assert (found["git"], found["rsync"]) == ("2.39.5", "3.2.7")


def test_what_is_missing_or_fails_says_so_and_is_no_error(
    dusty: Chosen, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(self: object, path: str, timeout: float) -> dict[str, str]:
        raise EngineDown("the Docker engine does not answer")

    monkeypatch.setattr(http.Engine, "get", down)
    write(programs, "docker", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1")
    write(programs, "git", "true")
    assert dusty("version").code == 0
    found = lines(dusty)
    assert found["engine"] == "- (the Docker engine does not answer)" and found["rsync"] == "- (not installed)"
    assert found["compose"] == "- (docker: 'compose' is not a docker command.)" and found["git"].startswith(
        "- (no answer"
    )


def test_json_has_null_for_what_cannot_be_told(dusty: Chosen, programs: Path) -> None:
    found = json.loads(dusty("version", "--json").out)
    assert found["docker"] == "28.2.2" and found["rsync"] is None


def test_a_broken_config_is_no_hindrance(dusty: Chosen, programs: Path) -> None:
    dusty.config.write_text("nosuch: 1\n")
    ended = dusty("version")
    assert ended.code == 0 and 'unknown key "nosuch"' in ended.out


def test_words_are_refused(dusty: Chosen) -> None:
    assert dusty("version", "x").code == 1


def test_a_newer_one_is_told_only_when_asked(dusty: Chosen, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dusty_tasks.effects.code import own_releases

    asked: list[str] = []
    monkeypatch.setattr(
        own_releases, "read_newer", lambda version: asked.append(version) or own_releases.Newer("9.0", True)
    )
    dusty("version")
    assert not asked
    assert f"Dusty 9.0 is out, and this is {__version__}" in dusty("version", "--check").out
    assert json.loads(dusty("version", "--check", "--json").out) == {
        "dusty": __version__,
        "newer": "9.0",
        "commits": True,
    }
    assert asked == [__version__, __version__]
