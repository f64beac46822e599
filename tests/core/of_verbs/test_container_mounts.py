"""Which paths of a container the engine's copy reaches, by what is mounted where."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.container_mounts import mounts_of, unreached, unreached_below

INSPECTED = {
    "Mounts": [
        {"Destination": "/data", "Type": "volume"},
        {"Destination": "/scratch/kept", "Type": "bind"},
        {"Destination": "/ram", "Type": "tmpfs"},
    ],
    "HostConfig": {"Tmpfs": {"/scratch": "size=1m"}},
}
SEEN = """\
700 600 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/x
701 700 0:51 / /proc rw - proc proc rw
702 700 0:52 / /dev rw - tmpfs tmpfs rw
703 700 0:53 / /scratch rw shared:5 - tmpfs tmpfs rw
704 700 8:1 /v /data rw - ext4 /dev/vda rw
705 704 0:54 / /data/in\\040side rw - tmpfs tmpfs rw
706 703 8:1 /k /scratch/kept rw - ext4 /dev/vda rw
707 700 8:1 /h /etc/hosts rw - ext4 /dev/vda rw
708 700 8:1 /o /over rw - ext4 /dev/vda rw
709 708 0:55 / /over rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "running", "stopped"),
    [
        ("/", "", ""),
        ("/srv/x", "", ""),
        ("/scratch", "/scratch", "/scratch"),
        ("/scratch/a/b", "/scratch", "/scratch"),
        ("/scratchy", "", ""),
        ("/scratch/kept/x", "", ""),
        ("/data/x", "", ""),
        ("/data/in side/x", "/data/in side", ""),
        ("/proc/1/status", "/proc", "/proc"),
        ("/dev/shm/x", "/dev", "/dev"),
        ("/etc/hosts", "", ""),
        ("/ram/x", "", "/ram"),
        ("/over/x", "/over", ""),
    ],
)
def test_a_path_that_the_engines_copy_does_not_reach(path: str, running: str, stopped: str) -> None:
    for mountinfo, expected in ((SEEN, running), ("", stopped)):
        found = unreached(path, mounts_of(INSPECTED, mountinfo))
        assert (found.point if found else "") == expected


def test_what_lies_below_a_folder() -> None:
    assert [mount.point for mount in unreached_below("/data", mounts_of(INSPECTED, SEEN))] == ["/data/in side"]
    assert [mount.point for mount in unreached_below("/scratch", mounts_of(INSPECTED))] == []
    assert "/proc" in [mount.point for mount in unreached_below("/", mounts_of(INSPECTED))]
    assert mounts_of({}) and unreached("/x", mounts_of({})) is None
