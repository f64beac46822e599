"""The helper killed at its system calls, one after the other: the file is the old one or the new one, and the next call succeeds."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest
from hosts_box import OWN_LINES, SOURCE, Box, request_of, section

pytestmark = pytest.mark.root

SHOP = section("127.0.0.1 shop.test")
OLD = OWN_LINES + section(*[f"127.0.0.1 former-{number}.test" for number in range(40)])
NEW = OWN_LINES + SHOP
EVERY = 1 if os.environ.get("DUSTY_LONG") else 40
"""Of the calls by which Python starts every so many-th is tried; of the helper's own, all."""
VARYING = {"brk", "mmap", "munmap", "mremap", "madvise", "futex"}
"""How often these happen is the allocator's affair, so a chosen one may not come."""


def traced(box: Box, *options: str) -> list[str]:
    """Run `apply` under strace; the calls it made, in order."""
    box.run(["strace", "-qq", "-o", "/run/trace", *options, SOURCE, "apply"], request_of(OLD, SHOP))
    return (box.root / "run/trace").read_text().splitlines()


def moments(box: Box) -> list[tuple[str, int]]:
    """The calls at which to kill, as name and how manieth of that name. The helper's own work begins where it opens /."""
    calls = traced(box)
    start = next(n for n, call in enumerate(calls) if call.startswith('openat(AT_FDCWD, "/", '))
    seen: Counter[str] = Counter()
    chosen = []
    for number, call in enumerate(calls):
        found = re.match(r"(\w+)\(", call)
        if found:
            seen[found[1]] += 1
            # strace does not meddle with the execve that starts the program.
            if number and (number >= start or number % EVERY == 0):
                chosen.append((found[1], seen[found[1]]))
    assert {"flock", "fsync"} <= set(seen)
    return chosen


def killed_at(box: Box, name: str, number: int) -> None:
    """Run `apply` and kill it when it makes this call, before the call does anything."""
    calls = traced(box, "-e", f"inject={name}:signal=KILL:when={number}")
    assert "killed by SIGKILL" in calls[-1] or name in VARYING, (name, number, calls[-1])


@pytest.mark.timeout(1800)
def test_killed_at_every_call(box: Box) -> None:
    box.write(OLD)
    results = set()
    for name, number in moments(box):
        box.write(OLD)
        killed_at(box, name, number)
        found = box.found()
        assert found in (OLD, NEW), (name, number)
        results.add(found)
        assert box.hosts.stat().st_mode & 0o7777 == 0o644
        box.write(OLD)
        assert box.call("apply", SHOP).returncode == 0, (name, number)
        assert box.found() == NEW
        assert box.leftovers() == [], (name, number)
    assert results == {OLD, NEW}


@pytest.mark.timeout(1800)
def test_killed_at_every_call_with_a_bind_mounted_file(box: Box) -> None:
    """In place there are moments when the file is torn: then the backup beside it holds the old one whole."""
    box.write(OLD)
    box.sh(
        "mkdir -p /mnt/small && mount -t tmpfs -o mode=755 tmpfs /mnt/small && cp /etc/hosts /mnt/small/h && mount --bind /mnt/small/h /etc/hosts"
    )
    backup, torn = box.root / "etc/hosts.dusty-backup", 0
    for name, number in moments(box):
        box.hosts.write_bytes(OLD)
        killed_at(box, name, number)
        is_torn = box.found() not in (OLD, NEW)
        torn += is_torn
        assert not is_torn or backup.read_bytes() == OLD, (name, number)
        ended = box.call("apply", SHOP)
        if is_torn:
            assert (ended.returncode, backup.read_bytes()) == (12, OLD), (name, number)
            backup.unlink()
        else:
            assert (ended.returncode, box.found()) == (0, NEW), (name, number)
            assert not backup.exists(), (name, number)
    assert torn, "no kill hit between the write and the cut; the test does not reach what it is for"
