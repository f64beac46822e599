"""The helper killed at its system calls, one after the other: the file is the old one or the new one, and the next call succeeds."""
from __future__ import annotations

import os

import pytest
from hosts_box import OWN_LINES, SOURCE, Box, request_of, section

pytestmark = pytest.mark.root

SHOP = section("127.0.0.1 shop.test")
OLD = OWN_LINES + section(*[f"127.0.0.1 former-{number}.test" for number in range(40)])
NEW = OWN_LINES + SHOP
EVERY = 1 if os.environ.get("DUSTY_LONG") else 40
"""Of the calls by which Python starts every so many-th is tried; of those after it, all."""


def traced(box: Box, *options: str) -> None:
    box.run(["strace", "-f", "-qq", "-o", "/run/trace", *options, SOURCE, "apply"], request_of(OLD, SHOP))


def moments(box: Box) -> list[int]:
    """The numbers of the calls at which to kill: the helper's own work begins where it opens /."""
    traced(box)
    calls = [line for line in (box.root / "run/trace").read_text().splitlines() if "resumed>" not in line and "+++" not in line]
    start = next(n for n, line in enumerate(calls) if 'openat(AT_FDCWD, "/", ' in line)
    assert any("rename" in line for line in calls[start:])
    # The first call is strace's own execve, and numbers begin with 1.
    return [*range(1, start, EVERY), *range(start, len(calls) + 2)]


def kill_at(box: Box, number: int) -> None:
    traced(box, "-e", "trace=all", "-e", f"inject=all:signal=KILL:when={number}")


@pytest.mark.timeout(1800)
def test_killed_at_every_call(box: Box) -> None:
    box.write(OLD)
    numbers, results = moments(box), set()
    for number in numbers:
        box.write(OLD)
        kill_at(box, number)
        found = box.found()
        assert found in (OLD, NEW), number
        results.add(found)
        assert box.hosts.stat().st_mode & 0o7777 == 0o644
        assert box.call("apply", SHOP).returncode == 0, number
        assert box.found() == NEW
        box.write(OLD)
        assert box.call("apply", SHOP).returncode == 0
        assert box.leftovers() == [], number
    assert results == {OLD, NEW}


@pytest.mark.timeout(1800)
def test_killed_at_every_call_with_a_bind_mounted_file(box: Box) -> None:
    """In place there are moments when the file is torn: then the backup beside it holds the old one whole."""
    box.write(OLD)
    box.sh("mkdir -p /mnt/small && mount -t tmpfs -o mode=755 tmpfs /mnt/small && cp /etc/hosts /mnt/small/h && mount --bind /mnt/small/h /etc/hosts")
    numbers, torn = moments(box), 0
    backup = box.root / "etc/hosts.dusty-backup"
    for number in [number for number in numbers if number >= numbers[-1] - 120]:
        box.hosts.write_bytes(OLD)
        kill_at(box, number)
        if box.found() not in (OLD, NEW):
            torn += 1
            assert backup.read_bytes() == OLD, number
        ended = box.call("apply", SHOP)
        if ended.returncode:
            assert (ended.returncode, backup.read_bytes()) == (12, OLD), number
            backup.unlink()
        else:
            assert box.found() == NEW, number
            assert not backup.exists(), number
    assert torn, "no kill hit between the write and the cut; the test does not reach what it is for"
