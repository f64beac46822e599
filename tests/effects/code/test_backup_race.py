"""rsync's two processes may make the folder for replaced files at once; the run is then repeated, and any other failure is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.doors.failures import ToolFailed
from tests.operations.sync_room import Room

GENERATOR = "rsync: [generator] delete_file: make_backup(d/e/f) failed: File exists (17)\\ncould not make way for new directory: d/e/f"
RECEIVER = "rsync error: error in file IO (code 11) at rsync.c(900) [receiver=3.5.0]"


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int) -> tuple[rsync.Copied | None, int]:
    """What a copy gives whose first rsync ends like that, and how often rsync was run."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/rsync"
    script.write_text(
        f"#!/bin/sh\necho run >> {tmp_path}/runs\n"
        f"if [ $(wc -l < {tmp_path}/runs) = 1 ]; then echo '<f.st...... a'; printf '%b\\n' '{said}' >&2; exit {code}; fi\n"
        "echo '<f+++++++++ b'\n"
    )
    script.chmod(0o755)
    room = Room(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    host = room.host
    try:
        found = rsync.send_folder(host, str(tmp_path), "persist/repos/web", [], "persist/.dusty/kept/web")
    except ToolFailed:
        found = None
    return found, len((tmp_path / "runs").read_text().splitlines())


@pytest.mark.parametrize(("said", "code"), [(GENERATOR, 23), (RECEIVER, 11)], ids=["generator", "receiver"])
def test_a_lost_race_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int) -> None:
    found, runs = copied(tmp_path, monkeypatch, said, code)
    assert found and (found.changed, found.has_replaced, runs) == (("a", "b"), True, 2)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("rsync: [receiver] write failed on x: No space left on device (28)\\n" + RECEIVER, 11),
        ("rsync: [sender] send_files failed to open x: Permission denied (13)", 23),
    ],
    ids=["full", "forbidden"],
)
def test_another_failure_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int) -> None:
    assert copied(tmp_path, monkeypatch, said, code) == (None, 1)
