"""What a watch makes of config.yml while somebody writes it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.operations.code.watching import config_state, settled_config_state
from tests.operations.sync_room import Room


def test_a_config_that_is_emptied_before_it_is_written_is_read_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path)
    room.home.mkdir()
    monkeypatch.setenv("DUSTY_HOME", str(room.home))
    with session.begun(session.Session(str(room.home))), (room.home / "config.yml").open("w") as file:
        assert config_state()[0][1] == 0
        writing = threading.Timer(0.2, lambda: (file.write("bundles: [shop]\n"), file.flush()))
        writing.start()
        assert settled_config_state()[0][1] == len("bundles: [shop]\n")
        writing.join()


def test_a_config_that_stays_empty_or_is_gone_is_not_waited_for_without_end(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.home.mkdir()
    with session.begun(session.Session(str(room.home))):
        assert settled_config_state()[0] == ()
        (room.home / "config.yml").touch()
        assert settled_config_state()[0][1] == 0
