"""Reading config.yml: its cache is never needed and never wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import is_settled, state_of
from dusty_tasks.effects.home import settings as settings_file
from dusty_tasks.effects.home.settings import read_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config.yml").write_text("routing: network\nbundles: [a]\nhost: {start: [x, y]}\n")
    while not is_settled(state_of((tmp_path / "config.yml").stat())):
        time.sleep(0.005)  # a file counts as settled once it is older than a tick of its clock
    return tmp_path


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time the file is opened."""
    seen: list[str] = []
    original = settings_file._read
    monkeypatch.setattr(settings_file, "_read", lambda path: seen.append(path) or original(path))
    return seen


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    found, problems = read_settings(str(tmp_path))
    assert (found.is_configured, found.home, problems) == (False, str(tmp_path), [])
    assert read_settings(str(tmp_path / "nowhere"))[0].is_configured is False
    assert list(tmp_path.iterdir()) == []


def test_an_unchanged_file_is_read_once(home: Path, readings: list[str]) -> None:
    first = read_settings(str(home))
    second = read_settings(str(home))
    assert first == second
    assert first[0].is_configured
    assert len(readings) == 1


def test_a_changed_file_is_read_again(home: Path, readings: list[str]) -> None:
    read_settings(str(home))
    (home / "config.yml").write_text("routing: published\n")
    assert read_settings(str(home))[0].routing == "published"
    assert len(readings) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"state": 1}', b"\xff"])
def test_a_damaged_cache_is_no_trouble(home: Path, damage: bytes) -> None:
    wanted = read_settings(str(home))
    (home / "state/config.json").write_bytes(damage)
    assert read_settings(str(home)) == wanted


def test_a_cache_of_an_older_form_is_no_trouble(home: Path, readings: list[str]) -> None:
    wanted = read_settings(str(home))
    data = json.loads((home / "state/config.json").read_text())
    data["settings"]["key_of_the_past"] = 1
    (home / "state/config.json").write_text(json.dumps(data))
    assert read_settings(str(home)) == wanted
    assert len(readings) == 2


def test_a_broken_file_is_never_cached(home: Path, readings: list[str]) -> None:
    (home / "config.yml").write_text("routing: x\nbundles: [\n")
    for _ in range(2):
        problems = read_settings(str(home))[1]
        assert [problem.what for problem in problems] == [
            "while parsing a flow node, did not find expected node content"
        ]
    assert len(readings) == 2
    assert not (home / "state/config.json").exists()


def test_another_home_folder_means_another_reading(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.yml").write_text("repo_overrides: {github.com/org/x: ~/x}\n")
    for user_home in ("/one", "/two"):
        monkeypatch.setenv("HOME", user_home)
        assert read_settings(str(home))[0].repo_overrides == {"github.com/org/x": f"{user_home}/x"}


def test_a_folder_in_place_of_the_file_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "config.yml").mkdir()
    with pytest.raises(Failure, match="cannot be read"):
        read_settings(str(tmp_path))


def test_the_cache_is_private(home: Path) -> None:
    read_settings(str(home))
    assert (home / "state/config.json").stat().st_mode & 0o777 == 0o600


def test_a_reading_without_changes_imports_neither_yaml_nor_the_checks(home: Path) -> None:
    read_settings(str(home))
    code = (
        f"import sys; from dusty_tasks.effects.home.settings import read_settings; read_settings({str(home)!r});"
        "print(sorted({'yaml', 'jsonschema', 'dusty_tasks.core.settings.check', 'dusty_tasks.core.specs.rules'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
