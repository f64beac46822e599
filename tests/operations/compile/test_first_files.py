"""Command files lie where containers mount them before any `up`, and never behind a link that somebody put there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.observe.docker_host import COMMANDS_PUSHED
from dusty_tasks.operations.compile import first_files

FILES = {"web/start.sh": "web", "web/scripts/a.sh": "a", "api/start.sh": "api"}


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """host.root/command_files, of a home in which command files were compiled."""
    home = tmp_path / "home"
    host = SimpleNamespace(root=f"{home}/host", is_elsewhere=False)
    session = SimpleNamespace(
        settings=lambda: SimpleNamespace(host=host), home=lambda: str(home), paths=lambda: Paths(str(home))
    )
    monkeypatch.setattr(first_files, "session", session)
    for name, text in FILES.items():
        (home / "build/commands" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "build/commands" / name).write_text(text)
    return home / "host/command_files"


def found(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_they_are_those_of_build(there: Path) -> None:
    first_files.put_first_files()
    assert found(there) == FILES
    (there / "web/start.sh").write_text("of another day")
    first_files.put_first_files()
    assert found(there) == FILES


@pytest.mark.parametrize("link", ["", "web", "web/scripts"])
def test_nothing_is_written_behind_a_link(there: Path, tmp_path: Path, link: str) -> None:
    (tmp_path / "theirs").mkdir()
    (there / link).parent.mkdir(parents=True, exist_ok=True)
    (there / link).symlink_to(tmp_path / "theirs")
    first_files.put_first_files()
    assert found(tmp_path / "theirs") == {}
    assert link == "" or (there / "api/start.sh").read_text() == "api"


def test_where_up_has_pushed_nothing_is_touched(there: Path) -> None:
    there.mkdir(parents=True)
    (there.parent / COMMANDS_PUSHED).write_text("{}")
    first_files.put_first_files()
    assert found(there).keys() <= {".pushed.json"}
