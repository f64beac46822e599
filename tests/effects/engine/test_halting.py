"""Containers that are held still for a copy go on, whoever has gone meanwhile (effects/engine/snapshots)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dusty_tasks.effects.engine import snapshots


@pytest.mark.parametrize(("by", "again"), [("pause", "unpause"), ("stop", "start")])
def test_they_go_on_if_nobody_is_left_to_read_that_they_were_halted(tmp_path: Path, by: str, again: str) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@" >> "$0.log"\n')
    docker.chmod(0o755)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        subprocess.run(
            ["sh", "-c", snapshots._HALT, "dusty", by, again, "c1", "c2"],
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=writer,
            check=False,
            timeout=20,
        )
    finally:
        os.close(writer)
    assert (tmp_path / "docker.log").read_text().splitlines() == [f"{by} c1 c2", f"{again} c1 c2"]
