"""Limits of the shell on memory, files and sizes, and very many files: said in a sentence, and the next run is whole."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import dusty_tasks
from tests.operations.sync_room import Room

FOLDERS = 100
MIB = 1 << 20


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.home.mkdir()
    (room.home / "config.yml").write_text("bundles: []\n")
    return room


def limited(room: Room, limits: dict[int, int], *words: str) -> subprocess.CompletedProcess[str]:
    room.compiled()

    def limit() -> None:
        for kind, most in limits.items():
            resource.setrlimit(kind, (most, most))

    return subprocess.run(
        room.argv(*words),
        env=room.env(),
        cwd=room.sources,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )


def _start() -> int:
    """Bytes of address space in which Python can start and load what tells of a limit: they depend on how Python was built."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import dusty_tasks.cli.main, dusty_tasks.cli.endings, dusty_tasks.effects.doors.failures\n"
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmPeak')))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout) * 1024


@pytest.mark.parametrize(
    ("kind", "most", "said"),
    [
        (resource.RLIMIT_AS, 2 * MIB, "memory"),
        (resource.RLIMIT_AS, 9 * MIB, "memory"),
        (resource.RLIMIT_AS, 15 * MIB, "memory"),
        (resource.RLIMIT_AS, 25 * MIB, "memory"),
        (resource.RLIMIT_NOFILE, 6, "may not open more files"),
        (resource.RLIMIT_NOFILE, 10, "may not open more files"),
        (resource.RLIMIT_FSIZE, 0, "File too large"),
    ],
)
def test_a_limit_that_is_reached_is_said_and_the_next_run_is_whole(room: Room, kind: int, most: int, said: str) -> None:
    room.repo("web", {f"f{number}": "x" for number in range(30)})
    # What is not compiled yet takes more memory, and this is about Dusty's.
    subprocess.run([sys.executable, "-m", "compileall", "-q", os.path.dirname(dusty_tasks.__file__)], check=False)
    ended = limited(room, {kind: most + (_start() if kind == resource.RLIMIT_AS else 0)}, "sync")
    assert (
        ended.returncode == 2 and said in ended.stderr and "bug" not in ended.stderr and "Traceback" not in ended.stderr
    ), ended.stderr
    assert limited(room, {}, "sync").returncode == 0
    assert len(list(room.copy("web").iterdir())) == 30


@pytest.mark.parametrize("each", [20, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
def test_very_many_files_take_little_memory_and_few_descriptors(room: Room, each: int) -> None:
    """2,000 files, or 100,000 (which take 75 MB and some 25 s)."""
    source = room.repo("web", {})
    for folder in range(FOLDERS):
        (source / f"d{folder}").mkdir()
        for number in range(each):
            (source / f"d{folder}/f{number}").touch()
    limits = {resource.RLIMIT_AS: 300 * MIB, resource.RLIMIT_NOFILE: 32}
    ended = limited(room, limits, "sync")
    assert ended.returncode == 0 and f"{FOLDERS * each} changed" in ended.stdout.replace(",", ""), (
        ended.stdout + ended.stderr
    )
    assert sum(len(files) for _, _, files in os.walk(room.copy("web"))) == FOLDERS * each
    assert limited(room, limits, "sync").stdout == "1 repo is up to date\n"
