"""`dusty data` on another machine and on small disks of its own: as root and as a plain user over ssh, full, and one that shares blocks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stacks import SmallStack

SNAPSHOTS = "/persist/.snapshots"
EXT4 = "mkfs.ext4 -q -N 256 -m 0"
"""It has few inodes: a copy can fail in its middle, where the check of the room saw nothing."""


def up_over_ssh(rig: Any, folder: Path, login: str, more: str = "") -> None:
    stack = SmallStack(folder, rig.home, config=f"host: {{kind: ssh, ssh: {login}{more}}}\nhosts: {{mode: 'off'}}\n")
    stack.service("db", more="volumes: ['/persist/shop/db:/data', 'store:/store']\n")
    stack.bundle("shop", services="[db]")
    rig.dusty("up")


@contextmanager
def disk(host: Any, image: Path, make: str, size: str) -> Iterator[None]:
    """A small disk of its own at /persist."""
    with image.open("wb") as file:
        file.truncate(int(size) << 20)
    subprocess.run([*make.split(), str(image)], check=True)
    host.run(["sh", "-c", f"mkdir -p /persist && mount -o loop {image} /persist"])
    try:
        yield
    finally:
        host.machine.clear_engine()
        host.run(["umount", "/persist"])


def inside(host: Any, script: str) -> str:
    return host.run(["docker", "exec", "dusty_db_1", "sh", "-c", script]).stdout.strip()


def fill(host: Any, word: str) -> None:
    inside(
        host,
        f"rm -rf /data/* /store/*; echo {word} > /data/a; echo {word} > /store/b; chown 70 /data/a; chmod 600 /data/a",
    )


def kept(host: Any) -> str:
    return inside(host, "cat /data/a /store/b; stat -c %u /data/a")


def word_of(word: str) -> str:
    return f"{word}\n{word}\n70"


def saves_and_restores(rig: Any, host: Any, *options: str) -> str:
    """What `save` said; the data comes back, and nothing else is left."""
    fill(host, "old")
    said = rig.dusty("data", "save", "one", *options).stdout
    fill(host, "new")
    assert "restored db from one" in rig.dusty("data", "restore", "one", "--yes").stdout
    assert kept(host) == word_of("old")
    assert [each["name"] for each in json.loads(rig.dusty("data", "--json").stdout)] == ["one"]
    return said


def test_over_ssh_on_a_disk_that_gets_full_and_on_one_that_shares_blocks(
    rig: Any, ssh_host: Any, tmp_path: Path
) -> None:
    with disk(ssh_host, tmp_path / "ext4.img", EXT4, "40"):
        up_over_ssh(rig, tmp_path, ssh_host.login)
        assert "a full copy" in saves_and_restores(rig, ssh_host)
        before = (kept(ssh_host), ssh_host.run(["docker", "ps", "-q", "--no-trunc"]).stdout)
        inside(ssh_host, "for i in $(seq 300); do true > /data/f$i || break; done 2> /dev/null; rm /data/f[1-6]")
        files = inside(ssh_host, "ls /data | wc -l")
        for words in (["save", "two"], ["restore", "one", "--yes"]):
            done = rig.dusty("data", *words, check=False)
            assert done.returncode == 2 and f"the disk of {ssh_host.login} is full" in done.stderr, done.stderr
            assert len(done.stderr.splitlines()) <= 3, done.stderr
            assert (kept(ssh_host), ssh_host.run(["docker", "ps", "-q", "--no-trunc"]).stdout) == before
            assert inside(ssh_host, "ls /data | wc -l") == files
        assert ssh_host.run(["ls", "-A", SNAPSHOTS]).stdout == "one\n", "nothing half is left"
        assert kept(ssh_host) == word_of("old")
        inside(ssh_host, "head -c 25000000 /dev/urandom > /data/big")
        done = rig.dusty("data", "save", "two", check=False)
        assert done.returncode == 2 and "a copy needs 2" in done.stderr and "are free" in done.stderr

    with disk(ssh_host, tmp_path / "xfs.img", "mkfs.xfs -q", "320"):
        rig.dusty("up")
        inside(ssh_host, "head -c 100000000 /dev/urandom > /data/big")
        free = "df -k --output=avail /persist | tail -n 1"
        before = int(ssh_host.run(["sh", "-c", free]).stdout)
        said = rig.dusty("data", "save", "big", "db").stdout
        assert "in part blocks shared with the original, in part a full copy" in said, "the volume is on another disk"
        assert before - int(ssh_host.run(["sh", "-c", free]).stdout) < 5000
        told = json.loads(rig.dusty("data", "--json").stdout)
        assert {each["kind"]: each["how"] for each in told[0]["saved"]} == {"folder": "reflink", "volume": "copy"}
        fill(ssh_host, "new")
        rig.dusty("data", "restore", "big", "--yes")
        assert inside(ssh_host, "stat -c %s /data/big") == "100000000"


@pytest.mark.long
def test_a_plain_user_over_ssh_saves_and_restores_with_the_engines_help(
    rig: Any, ssh_host: Any, tmp_path: Path
) -> None:
    ssh_host.run(
        [
            "sh",
            "-c",
            "id dev 2>/dev/null || useradd -m dev; usermod -p '*' dev; "
            "getent group docker >/dev/null || groupadd docker; usermod -aG docker dev; chgrp docker /run/docker.sock",
        ]
    )
    up_over_ssh(rig, tmp_path, f"dev@{ssh_host.address}", ", root: /home/dev/dusty")
    try:
        assert "a full copy" in saves_and_restores(rig, ssh_host, "--stop")
        assert "emptied the data of db" in rig.dusty("data", "reset", "db", "--yes").stdout
        rig.dusty("data", "remove", "one", "before-restore", "--yes")
        assert ssh_host.run(["ls", "-A", "/home/dev/dusty/persist/.snapshots"]).stdout == ""
    finally:
        ssh_host.run(["sh", "-c", "docker ps -aq | xargs -r docker rm -fv; rm -rf /home/dev/dusty"])
