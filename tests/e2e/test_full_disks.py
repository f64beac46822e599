"""Disks that are full, or may only be read, under each place that `up` writes to: said, nothing half, and mended by one more `up`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kills import Killed
from stacks import SmallStack

ROOMS = (0, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""KiB that are left."""
LONG = bool(os.environ.get("DUSTY_LONG"))
PLACES = ("home", "host.root", "/etc", "/tmp")


@pytest.fixture
def world(rig, tmp_path: Path) -> Iterator[tuple[Killed, dict[str, str]]]:
    """A stack, and the place of each disk; each is a small one of its own."""
    places = {"home": str(rig.home), "host.root": f"{rig.home}/host", "/etc": "/etc", "/tmp": f"{tmp_path}/tmp"}
    rig.run(["sh", "-c", "cp -a /etc /run/etc.kept"])
    for place in places.values():
        rig.run(["sh", "-c", 'mkdir -p "$1" && mount -t tmpfs -o size=40m,mode=755 tmpfs "$1"', "sh", place])
    rig.run(["sh", "-c", "cp -a /run/etc.kept/. /etc/"])
    try:
        yield Killed(rig, rig, SmallStackInside(tmp_path, rig)), places
    finally:
        rig.machine.clear_engine()
        for place in reversed(places.values()):
            rig.run(["umount", "-l", place])
        rig.run(["rm", "-rf", "/run/etc.kept"])


class SmallStackInside(SmallStack):
    """A stack whose DUSTY_HOME is on a disk that only the machine sees."""

    def __init__(self, folder: Path, rig) -> None:
        self.rig = rig
        super().__init__(folder, folder / "not-the-home")
        self.home = rig.home
        self.activate("shop")

    def activate(self, *names: str) -> None:
        self.rig.run(
            ["sh", "-c", f"cat > {self.rig.home}/config.yml"],
            input=self.config.replace("bundles: [shop]", f"bundles: [{', '.join(names)}]"),
        )


@contextmanager
def left(rig, place: str, room: int) -> Iterator[None]:
    """`room` KiB are left there; -1: nothing may be written at all."""
    if room < 0:
        rig.run(["mount", "-o", "remount,ro", place])
    else:
        rig.run(
            [
                "sh",
                "-c",
                r'free=$(df -kP "$1" | tail -n 1 | awk "{print \$4}"); dd if=/dev/zero of="$1/filler" bs=1k count=$((free - $2)) 2>/dev/null',
                "sh",
                place,
                str(room),
            ]
        )
    try:
        yield
    finally:
        rig.run(["sh", "-c", 'mount -o remount,rw "$1"; rm -f "$1/filler"', "sh", place])


def up_without_room(killed: Killed, place: str, room: int, env: dict[str, str]) -> list[str]:
    """What does not hold of an `up` with much to do, and of the next one, which has room."""
    rig, what = killed.rig, f"{place} with {room} KiB"
    killed.change_spec()
    killed.edit_repo()
    killed.damage_hosts()
    kept = "sha256sum < $DUSTY_HOME/config.yml; grep -v test /etc/hosts"
    before = rig.run(["sh", "-c", kept], env=env).stdout
    with left(rig, place, room):
        ended = rig.dusty("up", check=False, env=env)
        after = rig.run(["sh", "-c", kept], env=env).stdout
    found = []
    if ended.returncode not in (0, 1, 2) or "Traceback" in ended.stderr:
        found.append(f"{what}: ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    if ended.returncode and not ended.stderr.strip():
        found.append(f"{what}: says nothing")
    if before != after:
        found.append(f"{what}: config.yml or /etc/hosts is not whole: {before} {after}")
    half = rig.run(["sh", "-c", f"find {rig.home} /etc -name '.?*.????????'"]).stdout
    if half:
        found.append(f"{what}: left {half}")
    return found + killed.faults(what)


def test_full_and_read_only_disks(world) -> None:
    killed, places = world
    env = {"DUSTY_HOME": str(killed.rig.home), "TMPDIR": places["/tmp"]}
    cases = [(place, room) for place in PLACES for room in (*ROOMS, -1)]
    if not LONG:
        cases = [
            ("home", 0),
            ("home", 64),
            ("home", -1),
            ("host.root", 4),
            ("host.root", -1),
            ("/etc", -1),
            ("/tmp", 0),
        ]
    wrong = [fault for place, room in cases for fault in up_without_room(killed, places[place], room, env)]
    assert not wrong, "\n\n".join(wrong)
