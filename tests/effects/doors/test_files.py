"""Files: whole or not at all, whenever a signal comes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import make_home, narrow_umask, read_bytes, write_atomically, write_private_folder


def interrupted(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_signal_before_a_file_gets_its_name_leaves_the_former_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "a", b"before")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_a_signal_right_after_a_file_got_its_name_is_no_failure_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: interrupted(replace(*paths)))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"after")]


def test_home_is_made_for_its_owner_alone_and_kept_as_it_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_home(str(tmp_path / "below/home"))
        assert (tmp_path / "below/home").stat().st_mode & 0o777 == 0o700
        (tmp_path / "open").mkdir(mode=0o755)
        make_home(str(tmp_path / "open"))
        assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(before)


@pytest.mark.parametrize(("umask", "narrowed"), [(0o000, 0o022), (0o002, 0o022), (0o077, 0o077), (0o027, 0o027)])
def test_umask_is_narrowed_and_never_widened(umask: int, narrowed: int) -> None:
    before = os.umask(umask)
    try:
        narrow_umask()
        assert os.umask(umask) == narrowed
    finally:
        os.umask(before)


def test_private_folder_holds_these_files_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    write_private_folder(str(folder), {})
    assert not folder.exists()
    folder.mkdir(mode=0o777)
    (folder / "old.env").write_text("x")
    (folder / "a.env").write_text("y")
    write_private_folder(str(folder), {"a.env": b"A", "b.env": b"B"})
    assert {path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "a.env": (b"A", 0o600),
        "b.env": (b"B", 0o600),
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    write_private_folder(str(folder), {})
    assert list(folder.iterdir()) == []


def test_what_is_no_file_is_none_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "folder").mkdir()
    assert [
        read_bytes(tmp_path / name) for name in ("pipe", "device", "itself", "folder", "nothing", "folder/below")
    ] == [None] * 6


def test_an_empty_folder_gives_way_to_a_file_and_one_that_holds_something_is_named(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full/theirs").write_text("theirs")
    write_atomically(tmp_path / "empty", b"ours")
    assert (tmp_path / "empty").read_bytes() == b"ours"
    with pytest.raises(Failure, match="full is a folder") as raised:
        write_atomically(tmp_path / "full", b"ours")
    assert raised.value.hint.startswith("mv ") and [path.name for path in tmp_path.rglob("*")].count("theirs") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "full"]
