"""An address that others must not see is no argument of the browser, and does not stay on the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dusty_tasks.effects.machine import browser

URL = "http://dusty.localhost:5000/#token"


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """An xdg-open that notes its arguments, and what a file among them holds."""
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "xdg-open", f'echo "$@" >>{tmp_path}/argv; /bin/cat "$1" >{tmp_path}/held')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return lambda: (tmp_path / "argv").read_text().split()


def test_the_browser_gets_a_private_file_that_leads_there(opener: Callable[[], list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "state/ui"
    with browser.opened_privately(URL, str(folder)):
        (path,) = opener()
        assert "token" not in path and Path(path).parent == folder
        assert os.stat(path).st_mode & 0o777 == 0o600 and os.stat(folder).st_mode & 0o777 == 0o700
        assert URL in (tmp_path / "held").read_text()
    assert list(folder.iterdir()) == []


def test_the_file_goes_soon_and_so_does_that_of_a_run_that_was_killed(
    opener: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ui"
    folder.mkdir()
    (folder / "open-left.html").write_text("left")
    os.utime(folder / "open-left.html", (0, 0))
    monkeypatch.setattr(browser, "READ_WITHIN", 0.2)
    with browser.opened_privately(URL, str(folder)):
        end = time.monotonic() + 10
        while list(folder.iterdir()) and time.monotonic() < end:
            time.sleep(0.02)
        assert list(folder.iterdir()) == [] and len(opener()) == 1


def test_where_nothing_can_be_opened_or_written_the_printed_address_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with browser.opened_privately(URL, str(tmp_path / "ui")):
        assert not (tmp_path / "ui").exists()
    program(tmp_path, "xdg-open", f"echo opened >{tmp_path}/opened")
    (tmp_path / "file").write_text("")
    with browser.opened_privately(URL, str(tmp_path / "file/ui")):
        assert not (tmp_path / "opened").exists()


def test_a_browser_that_is_a_snap_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snaps").mkdir()
    (tmp_path / "snaps/firefox_firefox.desktop").write_text("")
    monkeypatch.setattr(browser, "SNAPS", str(tmp_path / "snaps"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not browser.is_confined()
    for chosen, is_snap in (("firefox_firefox.desktop", True), ("firefox.desktop", False), ("", False)):
        program(tmp_path, "xdg-settings", f"echo {chosen}")
        assert browser.is_confined() is is_snap
