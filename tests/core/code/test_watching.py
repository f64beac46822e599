"""What watching decides: when to look, when to try again, and what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.watching import (
    BLIND,
    COVERED,
    LONGEST_PAUSE,
    Back,
    Blind,
    Gone,
    Owed,
    after_sync,
    limit_text,
    lower_limit,
    mounts_about,
    notice_lines,
    pause_between_looks,
    remote_file_system,
)

MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:40 / /mnt/team rw shared:2 - nfs4 server:/team rw
31 22 0:41 / /mnt/team/local rw shared:2 - ext4 /dev/vdb rw
32 22 0:42 / /home/me/my\\040vm rw - fuse.sshfs me@vm:/ rw
33 22 0:43 / /c rw - 9p C:\\134 rw
34 22 0:44 / /over rw - nfs server:/old rw
35 22 0:45 / /over rw - tmpfs tmpfs rw
36 22 0:46 / /lower rw - fuse.fuse-overlayfs overlay rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/src", ""),
        ("/mnt/team", "nfs4"),
        ("/mnt/team/src", "nfs4"),
        ("/mnt/teams", ""),
        ("/mnt/team/local/src", ""),
        ("/mnt", "nfs4"),
        ("/home/me/my vm/src", "fuse.sshfs"),
        ("/home/me", "fuse.sshfs"),
        ("/c/Users", "9p"),
        ("/over/src", ""),
        ("/lower/src", ""),
    ],
)
def test_a_folder_that_other_machines_change_is_known_by_its_file_system(path: str, kind: str) -> None:
    assert remote_file_system(mounts_about(MOUNTS, path), path) == kind


def test_a_mount_elsewhere_is_of_no_concern() -> None:
    before = mounts_about(MOUNTS, "/home/me/src")
    assert [mount.point for mount in before] == ["/"]
    assert (
        mounts_about(
            f"{MOUNTS}40 22 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n", "/home/me/src"
        )
        == before
    )
    assert mounts_about(f"{MOUNTS}41 22 0:50 / /home/me rw - ext4 /dev/vdc rw\n", "/home/me/src") != before
    assert mounts_about(f"{MOUNTS}41 22 0:50 / /home/me/src/a/b rw - ext4 /dev/vdc rw\n", "/home/me/src") != before


@given(st.text())
def test_no_list_of_mounts_is_too_odd(text: str) -> None:
    assert remote_file_system(mounts_about(text, "/src"), "/src") in text


def test_looking_takes_a_bounded_share_of_the_time() -> None:
    assert pause_between_looks(True, 0.01) == BLIND and pause_between_looks(False, 0.01) == COVERED
    assert pause_between_looks(True, 3.0) == pytest.approx(30.0)
    assert pause_between_looks(False, 3.0) == pytest.approx(300.0)


def test_the_limit_that_is_met_first_is_named() -> None:
    limits = {
        "fs.inotify.max_user_watches": "192536",
        "user.max_inotify_watches": "5",
        "fs.inotify.max_user_instances": "128",
    }
    assert lower_limit("watches", limits) == ("user.max_inotify_watches", "5")
    assert lower_limit("instances", limits) == ("fs.inotify.max_user_instances", "128")
    assert lower_limit("watches", {}) == ("fs.inotify.max_user_watches", "unknown")
    said = limit_text("fs.inotify.max_user_watches", "8192")
    assert (
        said.startswith("no inotify watches are left (fs.inotify.max_user_watches = 8192;")
        and "sudo sysctl fs.inotify.max_user_watches=" in said
    )
    assert "inotify instances" in limit_text("fs.inotify.max_user_instances", "128")


def test_a_notice_is_a_line_and_one_reason_is_said_once() -> None:
    names = {key: key.upper() for key in "abcde"}
    notices = [
        Gone("a", "/src/a", "it is gone"),
        Blind("b", "no watches are left"),
        Back("a", "/src/a"),
        *(Blind(key, "no watches are left") for key in "cde"),
        Blind("a", "it is on nfs"),
    ]
    assert notice_lines(notices, names) == [
        "A: /src/a cannot be watched: it is gone; a sync follows when it is there again",
        "A: /src/a is there again",
        "B, C, D and 1 more: no watches are left; changes are looked for every few seconds instead",
        "A: it is on nfs; changes are looked for every few seconds instead",
    ]


def test_a_failed_sync_is_tried_again_without_another_edit() -> None:
    owed, said = after_sync(Owed(), ["web", "api"], ["web"], "ssh vm ended\n    no route", 100.0)
    assert said == "ssh vm ended\n    no route"
    assert not owed.keys_due(101.9) and owed.keys_due(102.0) == {"web"}
    owed, said = after_sync(owed, ["web"], ["web"], "ssh vm ended\n    no route to host", 102.0)
    assert said == "" and owed.keys_due(106.0) == {"web"}
    owed, said = after_sync(owed, ["web"], ["web"], "disk full", 106.0)
    assert said == "disk full"
    owed, said = after_sync(owed, ["web"], [], "", 120.0)
    assert (owed, said) == (Owed(), "")


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), max_size=40))
def test_what_failed_stays_owed_until_it_succeeds(runs: list[tuple[set[str], set[str]]]) -> None:
    owed, failing, now = Owed(), set(), 0.0
    for asked, broken in runs:
        failed = asked & broken
        failing = (failing - asked) | failed
        owed, _said = after_sync(owed, asked, failed, "no route" if failed else "", now)
        assert owed.keys_due(now + LONGEST_PAUSE) == failing
        assert not owed.keys_due(now)
        now += 1.0
