"""A DUSTY_HOME on a read-only disk: what only looks works, what changes something ends with 2 and one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chosen import Chosen

ROOT = Path(__file__).resolve().parents[2]
ON_A_READ_ONLY_DISK = 'mount --bind "$DUSTY_HOME" "$DUSTY_HOME" && mount -o remount,ro,bind "$DUSTY_HOME" && exec "$@"'


def read_only(dusty: Chosen, *words: str) -> subprocess.CompletedProcess[str]:
    argv = ["unshare", "-m", "sh", "-c", ON_A_READ_ONLY_DISK, "sh", sys.executable, "-m", "dusty_tasks", *words]
    return subprocess.run(
        argv, cwd=ROOT, env={**os.environ, "DUSTY_HOME": str(dusty.home)}, capture_output=True, text=True, check=False
    )


@pytest.mark.root
@pytest.mark.parametrize(
    "words",
    [
        ["config", "list"],
        ["config", "get", "routing"],
        ["config", "log"],
        ["bundles"],
        ["env"],
        ["assets"],
        ["assets", "list", "web"],
        ["assets", "read", "WEB_KEY"],
        ["version"],
        ["completion", "complete", "bundles", ""],
        ["help"],
    ],
    ids=" ".join,
)
def test_looking_works(dusty: Chosen, words: list[str]) -> None:
    dusty("assets", "set", "WEB_KEY", "/etc/hostname")
    ended = read_only(dusty, *words)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.root
@pytest.mark.parametrize(
    "words",
    [
        ["config", "set", "routing", "network"],
        ["config", "undo"],
        ["bundles", "activate", "shop"],
        ["env", "set", "web", "A=1"],
        ["assets", "set", "WEB_KEY", "/etc/hosts"],
        ["assets", "unset", "WEB_KEY"],
        ["setup", "--specs-repo", "/"],
    ],
    ids=" ".join,
)
def test_changing_ends_with_one_line(dusty: Chosen, words: list[str]) -> None:
    dusty("assets", "set", "WEB_KEY", "/etc/hostname")
    before = {path: path.read_bytes() for path in dusty.home.rglob("*") if path.is_file()}
    ended = read_only(dusty, *words)
    assert ended.returncode == 2 and "Read-only file system" in ended.stderr and len(ended.stderr.splitlines()) == 1, (
        ended.stderr
    )
    assert {path: path.read_bytes() for path in dusty.home.rglob("*") if path.is_file()} == before
