"""The folder that a push is made from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from dusty_tasks.operations.code.staging import staged


def test_it_is_gone_afterwards_and_so_is_what_a_killed_push_left(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f"staged-{ended.pid}-abc").mkdir()
    (tmp_path / f"staged-{os.getpid()}-other").mkdir()
    (tmp_path / "staged-by-me").mkdir()
    with staged({"web/KEY": b"secret"}, str(tmp_path)) as folder:
        assert Path(folder, "web/KEY").stat().st_mode & 0o777 == 0o600 and Path(folder).stat().st_mode & 0o777 == 0o700
        assert {path.name for path in tmp_path.iterdir()} == {
            Path(folder).name,
            f"staged-{os.getpid()}-other",
            "staged-by-me",
        }
    assert not Path(folder).exists()
