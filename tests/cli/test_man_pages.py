"""Manual pages: of each command, with all that its help says, in roff that groff has no complaint about; `dusty help` opens them."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks.cli import man_pages
from dusty_tasks.verbs.table import VERBS

ROOT = Path(__file__).resolve().parents[2]


def test_each_command_has_a_page_with_its_options(tmp_path: Path) -> None:
    man_pages.main(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"dusty.1", *(f"dusty-{verb.name}.1" for verb in VERBS)}
    for verb in VERBS:
        text = (tmp_path / f"dusty-{verb.name}.1").read_text().replace("\\-", "-")
        assert all(f"--{option.long}\\fR" in text for option in verb.options), verb.name
        assert f"dusty\\-{verb.name} (1)".replace("\\-", "-") in (tmp_path / "dusty.1").read_text().replace("\\-", "-")


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_no_complaint_and_shows_what_was_written(tmp_path: Path) -> None:
    man_pages.main(str(tmp_path))
    words = ["groff", "-man", "-K", "utf8", "-T", "utf8", "-P-c", "-ww", *sorted(map(str, tmp_path.iterdir()))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dusty sync web --why build/out.js" in done.stdout and "\\fB" not in done.stdout
    assert ".dustyignore, the setting sync.exclude" in " ".join(done.stdout.split())


@pytest.mark.parametrize(("status", "shown"), [(0, "the page: .TH DUSTY-UP"), (16, "usage: ")])
def test_help_opens_the_page_on_a_terminal_where_man_can(tmp_path: Path, status: int, shown: str) -> None:
    man = tmp_path / "man"
    man.write_text(f'#!/bin/sh\necho "the page: $(head -c 12 "$1")"\nexit {status}\n')
    man.chmod(0o755)
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", "help", "up"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DUSTY_HOME": str(tmp_path)},
        cwd=ROOT,
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(follower)
    printed = os.read(leader, 65536).decode()
    os.close(leader)
    assert done.returncode == 0 and shown in printed
    assert ("usage: " in printed) == bool(status)
