"""The record of generated files: when a file need not be read to know that it is as Dusty left it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dusty_tasks.effects.home import artifacts
from dusty_tasks.effects.home.artifacts import Record, write_artifacts

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one written file that was read again an hour later."""
    write_artifacts(Record(str(tmp_path), "all"), {"a": b"text"}, notes={"a": "note"})
    later = time.time_ns() + HOUR_NS
    with monkeypatch.context() as clock:
        clock.setattr(artifacts.time, "time_ns", lambda: later)
        keep(tmp_path)
    return tmp_path


def keep(folder: Path) -> None:
    record = Record(str(folder), "all")
    assert record.note("a") == "note"
    assert write_artifacts(record, {}, kept=["a"]) == ([], [], {})


def test_a_file_in_a_known_state_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(str(folder), "all")
    monkeypatch.setattr(artifacts, "read_bytes", pytest.fail)
    assert record.note("a") == "note"


def test_a_touched_file_is_read_and_found_the_same(folder: Path) -> None:
    os.utime(folder / "a", (1, 1))
    assert Record(str(folder), "all").note("a") == "note"


def test_an_edit_that_hides_its_time_and_size_is_found(folder: Path) -> None:
    before = os.stat(folder / "a")
    probe = folder / "probe"
    while not probe.exists() or probe.stat().st_ctime_ns == before.st_ctime_ns:
        probe.write_bytes(b"")  # until the file system's clock has ticked, as it has in an hour
    (folder / "a").write_bytes(b"TEXT")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Record(str(folder), "all").note("a") is None


def test_a_file_that_is_gone_has_no_note(folder: Path) -> None:
    (folder / "a").unlink()
    assert Record(str(folder), "all").note("a") is None


def test_the_state_of_a_file_that_was_just_written_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifacts(Record(str(tmp_path), "all"), {"a": b"text"}, notes={"a": "note"})
    now = os.stat(tmp_path / "a").st_ctime_ns + 1
    monkeypatch.setattr(artifacts.time, "time_ns", lambda: now)
    keep(tmp_path)
    assert Record(str(tmp_path), "all").files["a"].state == ()


class Killed(BaseException):
    pass


def killed(*_args: object) -> None:
    raise Killed


def test_a_kill_before_the_files_go_makes_none_of_them_look_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifacts(Record(str(tmp_path), "all"), {"all/a": b"text", "all/b": b"text"}, "all")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(artifacts, "_remove", killed)
        write_artifacts(Record(str(tmp_path), "all"), {"all/a": b"text"}, "all")
    assert write_artifacts(Record(str(tmp_path), "all"), {"all/a": b"text"}, "all") == ([], ["all/b"], {})
    assert list(Record(str(tmp_path), "all").files) == ["all/a"]


def test_any_number_of_kills_makes_no_file_look_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifacts(Record(str(tmp_path), "all"), {"a": b"0"})
    write = artifacts.write_atomically
    for number in range(1, 4):
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(
                artifacts,
                "write_atomically",
                lambda path, data: killed() if Path(path).name == "a" else write(path, data),
            )
            write_artifacts(Record(str(tmp_path), "all"), {"a": b"%d" % number})
    assert write_artifacts(Record(str(tmp_path), "all"), {"a": b"4"}) == (["a"], [], {})


def test_what_a_killed_write_left_goes_with_the_next_one(tmp_path: Path) -> None:
    for name in (".a.yml.k1ll3d_x", ".a.yml.swp", ".a.conf.k1ll3d_x"):
        (tmp_path / name).write_bytes(b"te")
    write_artifacts(Record(str(tmp_path), "all"), {"a.yml": b"text"})
    assert {path.name for path in tmp_path.iterdir()} == {"a.yml", ".a.yml.swp", ".a.conf.k1ll3d_x", ".written"}
