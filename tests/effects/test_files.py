"""Files: whole or not at all, whenever a signal comes."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from dusty_tasks.effects.files import write_atomically


def interrupted(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_signal_before_a_file_gets_its_name_leaves_the_former_one_and_nothing_else(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "a", b"before")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_a_signal_right_after_a_file_got_its_name_is_no_failure_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: interrupted(replace(*paths)))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"after")]
