"""Compile without doit: many times in one process, for several homes, and each time only what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.once import Session
from dusty_tasks.effects.doors.parallel import beside, each_in_parallel
from dusty_tasks.operations.compile import in_process, steps
from dusty_tasks.operations.compile.in_process import compile_now
from tests.pipelines.test_compile import API, WEB, Room


def made(room: Room) -> tuple[str, ...]:
    """What one compile wrote, in a session of its own."""
    with session.begun(Session(str(room.home))):
        return compile_now()


@pytest.fixture
def rooms(dusty_home: Path, tmp_path: Path) -> tuple[Room, Room]:
    return Room(tmp_path / "one", tmp_path / "specs"), Room(tmp_path / "two", tmp_path / "specs-too")


def test_each_compile_writes_what_changed_since(rooms: tuple[Room, Room], monkeypatch: pytest.MonkeyPatch) -> None:
    room, _ = rooms
    assert "docker-compose.yml" in made(room)
    monkeypatch.setattr(steps, "_put", lambda *_: pytest.fail("nothing changed"))
    assert made(room) == ()
    monkeypatch.undo()
    room.write("apps/web.yml", WEB.replace("run-web", "serve"))
    assert made(room) == ("stack.json", "commands/web/start.sh")
    room.config("bundles: [main]\nhosts: {mode: localhost}\n")
    # The names end in .localhost then, in containers too, and lead to ::1 as well.
    assert made(room) == ("hosts", "nginx/dustyNginx.conf", "docker-compose.yml", "origins.json")
    (room.build / "hosts").write_text("by hand\n")
    assert made(room) == ("hosts",)


def test_it_makes_what_doit_makes(rooms: tuple[Room, Room], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = rooms

    (theirs.home / "config.yml").write_text(f"specs_repo: {ours.specs}\nbundles: [main]\n")
    made(ours)
    monkeypatch.setenv("DUSTY_HOME", str(theirs.home))
    assert theirs.compile()[0] == 0
    assert theirs.files() == {
        path: data.replace(str(ours.home).encode(), str(theirs.home).encode()) for path, data in ours.files().items()
    }


def test_two_homes_in_one_process(rooms: tuple[Room, Room]) -> None:
    one, two = rooms
    two.write("apps/api.yml", API.replace("run-api", "run-other"))
    made(one)
    made(two)
    assert made(one) == made(two) == ()
    assert b"run-api" in one.files()["commands/api/start.sh"]
    assert b"run-other" in two.files()["commands/api/start.sh"]


def test_broken_specs_stop_it_and_the_next_one_goes_on(rooms: tuple[Room, Room]) -> None:
    room, _ = rooms
    made(room)
    room.write("apps/web.yml", WEB.replace("image:", "imige:"))
    for _ in range(2):
        with pytest.raises(Failure, match="imige"):
            made(room)
    room.write("apps/web.yml", WEB.replace("run-web", "serve"))
    assert "commands/web/start.sh" in made(room)


def test_a_lost_or_damaged_memory_costs_one_compile(rooms: tuple[Room, Room]) -> None:
    room, _ = rooms
    made(room)
    memory = room.home / "state" / in_process.KEPT
    for text in ("", "[]", '{"hosts": 3}', "{"):
        memory.write_text(text)
        assert made(room) == ()
        assert "stack" in memory.read_text()


def test_threads_belong_to_the_session_that_started_them(tmp_path: Path) -> None:
    home = str(tmp_path)

    def read(_number: int = 0) -> str:
        return session.home()

    with session.begun(Session(home)):
        assert each_in_parallel(read, range(3), 2, lambda _home: None) == [home] * 3
        assert beside(read, read) == (home, home)
    assert session.home() != home
