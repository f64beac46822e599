"""With `sync.mode: bind` nothing is made in a working tree unasked: neither by us, nor by the engine for what containers mount there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dusty_tasks import session
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code import bound_mounts
from tests.operations.sync_room import tree, write

Mounts = tuple[dict[str, Any], set[str]]


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mounts:
    """An app that mounts a folder, a file, a lib and a tmpfs below its working tree, of which one is there."""
    web, lib = tmp_path / "web", tmp_path / "li$b"
    for folder in (web / "there", lib):
        folder.mkdir(parents=True)
    write(tmp_path / "conf", "c")
    entries = tuple(RepoEntry(str(path)[1:], local_path=str(path)) for path in (web, lib))
    monkeypatch.setattr(session, "settings", lambda: Settings(home=str(tmp_path / "home"), sync_mode="bind"))
    monkeypatch.setattr(session, "wanted", lambda: Wanted(containers=(), repos=entries))
    volumes = [
        f"{web}:/code",
        f"{lib}:/code/lib/common".replace("$", "$$"),
        "/p:/code/node_modules",
        f"{tmp_path}/conf:/code/etc/x.conf:ro",
        "named:/code/there",
        "/p:/elsewhere",
    ]
    return {"dusty_web_1": {"volumes": volumes, "tmpfs": ["/code/tmp:size=1m"]}}, bound_mounts.trees_of_stack()


def test_what_is_missing_is_named_with_the_commands_and_nothing_is_made(
    mounts: Mounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(bound_mounts, "confirm", lambda question, *, yes: asked.append(question) or yes)
    with pytest.raises(Failure) as raised:
        bound_mounts.ensure_mount_points(*mounts, yes=False)
    assert (
        raised.value.code == 1
        and f"mkdir -p {tmp_path}/web/node_modules" in raised.value.hint
        and f"touch {tmp_path}/web/etc/x.conf" in raised.value.hint
    )
    assert sorted(path.name for path in (tmp_path / "web").iterdir()) == ["there"] and "node_modules" in asked[0]


def test_with_a_yes_they_are_made_empty_and_not_asked_for_again(
    mounts: Mounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound_mounts.ensure_mount_points(*mounts, yes=True)
    assert tree(tmp_path / "web") == {"etc/x.conf": ""}
    assert all((tmp_path / "web" / path).is_dir() for path in ("node_modules", "tmp", "lib/common"))
    monkeypatch.setattr(bound_mounts, "confirm", lambda *_words, **_named: pytest.fail("nothing is missing"))
    bound_mounts.ensure_mount_points(*mounts, yes=False)
