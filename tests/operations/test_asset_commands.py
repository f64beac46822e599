"""Assets that a command makes: run when due, kept as others, told when they fail, written nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.assets import asset_path, read_asset, write_asset
from dusty_tasks.effects.home.settings import settings_from
from dusty_tasks.operations.launch import asset_commands


@pytest.fixture
def home(dusty_home: Path) -> Iterator[Path]:
    dusty_home.mkdir()
    session.forget()
    yield dusty_home
    session.forget()


def choose(home: Path, line: str, *words: str) -> None:
    """Let KEY be made by a shell line, which notes each of its runs."""
    command = ["sh", "-c", f"echo >>{home}/runs; {line}", *words]
    (home / "config.yml").write_text(f"assets: {{KEY: {{from: {json.dumps(command)}}}}}\n")
    session.forget()


def runs(home: Path) -> int:
    return (home / "runs").read_text().count("\n") if (home / "runs").exists() else 0


def test_a_command_is_run_when_it_is_due(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(home, "printf 'first\\n\\377'")
    asset_commands.read_due_assets({"OTHER"})
    assert runs(home) == 0, "nothing in the stack wants it"
    asset_commands.read_due_assets({"KEY"})
    assert read_asset(str(home), "KEY") == b"first\n\xff"
    assert os.stat(asset_path(str(home), "KEY")).st_mode & 0o777 == 0o600
    asset_commands.read_due_assets({"KEY"})
    assert runs(home) == 1, "it was read just now"
    choose(home, "printf second")
    asset_commands.read_due_assets({"KEY"})
    assert (read_asset(str(home), "KEY"), runs(home)) == (b"second", 2)
    later = asset_commands.time.time() + asset_commands.EVERY + 1
    monkeypatch.setattr(asset_commands.time, "time", lambda: later)
    asset_commands.read_due_assets({"KEY"})
    assert runs(home) == 3, "a day has gone by"
    os.unlink(asset_path(str(home), "KEY"))
    asset_commands.read_due_assets({"KEY"})
    assert runs(home) == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("echo locked >&2; exit 3", "asset KEY: sh exited with status 3: locked"),
        ("exit 3", "asset KEY: sh exited with status 3: it printed nothing"),
        (":", "asset KEY: sh printed nothing"),
    ],
)
def test_a_failure_is_told_with_what_the_command_said(home: Path, line: str, said: str) -> None:
    (home / "key").write_text("former")
    write_asset(str(home), "KEY", str(home / "key"))
    choose(home, line)
    with pytest.raises(Failure, match=said) as failed:
        asset_commands.read_due_assets({"KEY"})
    assert failed.value.code == 2
    assert read_asset(str(home), "KEY") == b"former"


def test_a_program_that_is_missing_is_named(home: Path) -> None:
    (home / "config.yml").write_text("assets: {KEY: {from: [no-such-program]}}\n")
    with pytest.raises(Failure, match=r"asset KEY: .*no-such-program"):
        asset_commands.read_due_assets({"KEY"})


def test_what_was_printed_is_nowhere_but_in_the_store(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choose(home, "printf '%s%s' hun ter2")
    asset_commands.read_due_assets({"KEY"})
    holding = [path for path in home.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert holding == [home / "assets/KEY"]
    printed = capsys.readouterr()
    assert "hunter2" not in printed.out + printed.err


@pytest.mark.parametrize("written", ["[op]", "{}", "{from: op}", "{from: []}", "{from: [op], every: day}"])
def test_what_is_no_command_is_refused(written: str) -> None:
    settings, problems = settings_from(f"assets: {{KEY: {written}}}\n".encode(), "/home/me/.dusty")
    assert [problem.path for problem in problems] == ["assets.KEY"]
    assert settings.asset_commands == {}
