"""Reading the receipts beside the copies: here by their files, over ssh by one small script."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dusty_tasks.effects.code.receipts import receipts_of
from dusty_tasks.effects.docker_host.files_there import PRINT_RECEIPTS
from dusty_tasks.effects.doors.parallel import beside

SHELLS = [shell for shell in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]


def printed(shell: list[str], folder: Path, *ids: str) -> list[str]:
    done = subprocess.run(
        [*shell, "-c", PRINT_RECEIPTS, "dusty", str(folder), *ids], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """Copies with a receipt each, the names as odd as ids can be; one receipt has no copy, one copy no receipt."""
    for repo_id in ("host/org/web", "a=b", "-n", "Größe"):
        (tmp_path / repo_id).mkdir(parents=True)
    for repo_id in ("host/org/web", "a=b", "-n", "Größe", "gone"):
        path = tmp_path / ".receipts" / f"{repo_id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"id": repo_id, "fingerprint": "x"}))
    (tmp_path / "bare").mkdir()
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_script_prints_a_line_for_each_copy_that_has_a_receipt(copies: Path, shell: list[str]) -> None:
    lines = printed(shell, copies, "host/org/web", "a=b", "bare", "-n", "gone", "Größe", "nosuch")
    assert list(receipts_of(lines)) == ["host/org/web", "a=b", "-n", "Größe"]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_damaged_receipt_costs_no_other(copies: Path, shell: list[str]) -> None:
    (copies / ".receipts/a=b.json").write_bytes(b'{"id": "a=b", \xff\x00half')
    (copies / ".receipts/-n.json").write_text('{\n"id":\n')
    done = subprocess.run(
        [*shell, "-c", PRINT_RECEIPTS, "dusty", str(copies), "host/org/web", "a=b", "-n", "Größe"],
        capture_output=True,
        check=True,
    )
    assert list(receipts_of(done.stdout.decode(errors="replace").splitlines())) == ["host/org/web", "Größe"]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_nothing_there_is_nothing_printed(tmp_path: Path, shell: list[str]) -> None:
    assert (
        printed(shell, tmp_path, "web") == printed(shell, tmp_path / "nosuch", "web") == printed(shell, tmp_path) == []
    )


def test_what_is_done_beside_a_wait_is_done_when_both_are() -> None:
    import threading

    begun = threading.Event()
    assert beside(lambda: begun.wait(10), lambda: begun.set() or "done") == (True, "done")


def test_a_wait_that_fails_is_said() -> None:
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 / 0, lambda: None)
