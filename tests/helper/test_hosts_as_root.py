"""The helper on real files, as root, in a machine of its own: every state of /etc/hosts, and hostile surroundings."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hosts_box import OTHER_VARIABLES, OWN_LINES, PYTHON_VARIABLES, SOURCE, Box, make_evil, request_of, section

pytestmark = pytest.mark.root

SHOP = section("127.0.0.1 shop.test")
DONE, WRONG_USE, REFUSED, CHANGED_MEANWHILE, UNUSABLE, FAILED = 0, 2, 10, 11, 12, 13


def small_disk(box: Box, content: bytes = OWN_LINES) -> None:
    """Make /etc/hosts a link to a file on a small disk of its own, in folders of root's."""
    box.sh(
        "rm -f /etc/hosts; mkdir -p /mnt/small && mount -t tmpfs -o size=64k,mode=755 tmpfs /mnt/small && ln -s ../mnt/small/hosts /etc/hosts"
    )
    (box.root / "mnt/small/hosts").write_bytes(content)


def test_apply_check_and_remove(box: Box) -> None:
    assert box.call("check", SHOP).stdout == b"changed\n"
    assert box.found() == OWN_LINES
    assert box.call("apply", SHOP).stdout == b"changed\n"
    assert box.found() == OWN_LINES + SHOP
    before = box.hosts.stat()
    assert box.call("apply", SHOP).stdout == b"unchanged\n"
    assert box.hosts.stat().st_ino == before.st_ino
    assert box.call("remove").stdout == b"changed\n"
    assert box.found() == OWN_LINES
    assert box.leftovers() == []


@pytest.mark.parametrize(
    "words, code",
    [
        ([], WRONG_USE),
        (["apply", "apply"], WRONG_USE),
        (["write"], WRONG_USE),
        (["--help", "apply"], WRONG_USE),
        (["/etc/passwd"], WRONG_USE),
        (["--help"], DONE),
    ],
)
def test_words(box: Box, words: list[str], code: int) -> None:
    ended = box.run([SOURCE, *words], request_of(box.found(), SHOP))
    assert ended.returncode == code
    assert b"usage" in ended.stdout + ended.stderr
    assert box.found() == OWN_LINES


def test_refusals_write_nothing(box: Box) -> None:
    assert box.call("apply", SHOP, found=b"something else").returncode == CHANGED_MEANWHILE
    assert box.call("apply", section("8.8.8.8 a.test")).returncode == REFUSED
    assert box.run([SOURCE, "apply"]).returncode == REFUSED
    assert box.run([SOURCE, "apply"], b"\0" * (8 << 20)).returncode == REFUSED
    box.write(b"# BEGIN section for Dusty\n")
    assert box.call("apply", SHOP).returncode == UNUSABLE
    assert box.found() == b"# BEGIN section for Dusty\n"
    assert box.leftovers() == []


def test_others_than_root_are_told_so(box: Box) -> None:
    ended = box.call("apply", SHOP, user="bob")
    assert ended.returncode == FAILED
    assert b"only root" in ended.stderr
    assert box.found() == OWN_LINES


def test_missing_file_is_made(box: Box) -> None:
    box.hosts.unlink()
    assert box.run(["sh", "-c", f"umask 0; exec {SOURCE} apply"], request_of(None, SHOP)).returncode == DONE
    assert box.found() == SHOP
    assert box.hosts.stat().st_mode & 0o7777 == 0o644
    assert (box.root / "etc/.hosts.dusty-lock").stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"10.0.0.1 a\r\n", b"10.0.0.1 a", b"\xff\x00\xfe\n", b"10.0.0.1 name.example\n" * 230_000],
    ids=["empty", "CRLF", "no final newline", "no text", "5 MB"],
)
def test_contents(box: Box, content: bytes) -> None:
    box.write(content)
    assert box.call("apply", SHOP).returncode == DONE
    assert box.found() == content + (b"\n" if content and not content.endswith(b"\n") else b"") + SHOP


def test_owner_mode_and_attributes_are_kept(box: Box) -> None:
    box.sh("chown 1234:2345 /etc/hosts; chmod 4640 /etc/hosts")
    label, acl = (
        b"system_u:object_r:net_conf_t:s0\0",
        bytes.fromhex("0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff"),
    )
    for name, value in (("user.note", b"mine"), ("security.selinux", label), ("system.posix_acl_access", acl)):
        os.setxattr(box.hosts, name, value)
    before = box.hosts.stat()
    assert box.call("apply", SHOP).returncode == DONE
    after = box.hosts.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_uid, after.st_gid, after.st_mode) == (1234, 2345, before.st_mode)
    assert {name: os.getxattr(box.hosts, name) for name in os.listxattr(box.hosts)} == {
        "user.note": b"mine",
        "security.selinux": label,
        "system.posix_acl_access": acl,
    }


def test_symlink_in_folders_of_root_is_followed_and_stays(box: Box) -> None:
    small_disk(box)
    assert box.call("apply", SHOP).returncode == DONE
    assert os.readlink(box.root / "etc/hosts") == "../mnt/small/hosts"
    assert (box.root / "mnt/small/hosts").read_bytes() == OWN_LINES + SHOP


@pytest.mark.parametrize(
    "make",
    [
        "install -d -o bob /opt/evil; echo > /opt/evil/hosts; ln -sf /opt/evil/hosts /etc/hosts",
        "install -d -o bob /opt/evil; ln -s /etc/shadow /opt/evil/hosts; ln -sf /opt/evil/hosts /etc/hosts",
        "install -d -m 777 /opt/evil; echo > /opt/evil/hosts; ln -sf /opt/evil/hosts /etc/hosts",
        "install -d -m 1777 /opt/evil; mkdir /opt/evil/deep; echo > /opt/evil/deep/hosts; ln -sf /opt/evil/deep/hosts /etc/hosts",
        "install -d -m 775 -g bob /opt/evil; ln -s ../../etc/shadow /opt/evil/hosts; ln -sf ../opt/evil/hosts /etc/hosts",
        "ln -sf hosts /etc/hosts",
        "ln -sf / /etc/hosts",
        "ln -sf .. /etc/hosts",
        "rm /etc/hosts; mkdir /etc/hosts",
        "rm /etc/hosts; mkfifo /etc/hosts",
        "rm /etc/hosts; mknod /etc/hosts c 1 5",
    ],
)
def test_places_that_are_refused(box: Box, make: str) -> None:
    box.sh(make)
    shadow = (box.root / "etc/shadow").read_bytes()
    for seen in (None, b"", b"\n", shadow):
        assert box.call("apply", SHOP, found=seen).returncode == UNUSABLE
    assert (box.root / "etc/shadow").read_bytes() == shadow


def test_links_swapped_by_their_owner_lead_nowhere(box: Box) -> None:
    box.sh("install -d -o bob /opt/evil; ln -sf /opt/evil/hosts /etc/hosts; echo > /opt/evil/mine")
    shadow = (box.root / "etc/shadow").read_bytes()
    over = threading.Event()
    folder = box.root / "opt/evil"

    def swap() -> None:
        while not over.is_set():
            for target in ("mine", "/etc/shadow", "/etc/passwd"):
                (folder / "next").symlink_to(target)
                (folder / "next").rename(folder / "hosts")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        codes = {box.call("apply", SHOP, found=seen).returncode for seen in (b"\n", shadow) for _ in range(20)}
    finally:
        over.set()
        swapper.join()
    assert codes == {UNUSABLE}
    assert (box.root / "etc/shadow").read_bytes() == shadow


def test_hard_link_keeps_the_old_content_under_its_other_name(box: Box) -> None:
    box.sh("ln /etc/hosts /etc/hosts.other")
    assert box.call("apply", SHOP).returncode == DONE
    assert (box.root / "etc/hosts.other").read_bytes() == OWN_LINES
    box.sh("rm /etc/hosts.other")


@pytest.mark.parametrize("flag", ["i", "a"])
def test_immutable_file_stays_as_it_is(box: Box, flag: str) -> None:
    box.sh(f"chattr +{flag} /etc/hosts")
    ended = box.call("apply", SHOP)
    assert ended.returncode == FAILED
    assert b"not permitted" in ended.stderr
    assert box.found() == OWN_LINES
    assert box.leftovers() == []


def test_read_only_disk(box: Box) -> None:
    small_disk(box)
    box.sh("mount -o remount,ro /mnt/small")
    ended = box.call("apply", SHOP)
    assert ended.returncode == FAILED
    assert b"Read-only" in ended.stderr
    assert box.call("check", SHOP).returncode == DONE
    assert (box.root / "mnt/small/hosts").read_bytes() == OWN_LINES


def test_full_disk(box: Box) -> None:
    small_disk(box)
    box.sh("touch /mnt/small/.hosts.dusty-lock; dd if=/dev/zero of=/mnt/small/filler bs=1k 2>/dev/null || true")
    ended = box.call("apply", SHOP)
    assert ended.returncode == FAILED
    assert b"No space" in ended.stderr
    assert sorted(os.listdir(box.root / "mnt/small")) == [".hosts.dusty-lock", "filler", "hosts"]
    assert (box.root / "mnt/small/hosts").read_bytes() == OWN_LINES


def bind(box: Box) -> Path:
    """Mount a file of a small disk onto /etc/hosts, as container engines do; the file beneath."""
    box.sh(
        "mkdir -p /mnt/small && mount -t tmpfs -o size=64k,mode=755 tmpfs /mnt/small && cp /etc/hosts /mnt/small/h && mount --bind /mnt/small/h /etc/hosts"
    )
    return box.root / "mnt/small/h"


def test_bind_mounted_file_is_written_in_place(box: Box) -> None:
    beneath = bind(box)
    before = beneath.stat()
    assert box.call("apply", section("127.0.0.1 a.test", "127.0.0.1 b.test")).returncode == DONE
    assert box.call("apply", SHOP).returncode == DONE
    assert beneath.read_bytes() == box.found() == OWN_LINES + SHOP
    assert beneath.stat().st_ino == before.st_ino
    assert box.call("remove").returncode == DONE
    assert beneath.read_bytes() == OWN_LINES
    assert box.leftovers() == []


def test_bind_mounted_file_on_a_full_disk_is_put_back(box: Box) -> None:
    beneath = bind(box)
    box.sh("dd if=/dev/zero of=/mnt/small/filler bs=1k 2>/dev/null || true")
    many = section(*[f"127.0.0.1 shop-{number}.test" for number in range(1000)])
    assert box.call("apply", many).returncode == FAILED
    assert beneath.read_bytes() == OWN_LINES
    assert box.leftovers() == []


def test_read_only_bind_mount_stays_as_it_is(box: Box) -> None:
    bind(box)
    box.sh("mount -o remount,bind,ro /etc/hosts")
    assert box.call("apply", SHOP).returncode == FAILED
    assert box.found() == OWN_LINES
    assert box.leftovers() == []


def test_backup_of_an_interrupted_write_is_kept_while_it_is_needed(box: Box) -> None:
    bind(box)
    backup = box.root / "etc/hosts.dusty-backup"
    backup.write_bytes(OWN_LINES + b"10.0.0.1 lost.test\n")
    ended = box.call("apply", SHOP)
    assert ended.returncode == UNUSABLE
    assert b"hosts.dusty-backup" in ended.stderr
    assert backup.read_bytes() == OWN_LINES + b"10.0.0.1 lost.test\n"
    assert box.found() == OWN_LINES
    backup.write_bytes(OWN_LINES + section("127.0.0.1 former.test"))
    assert box.call("apply", SHOP).returncode == DONE
    assert box.leftovers() == []


def test_reader_sees_the_old_or_the_new_file_whole(box: Box) -> None:
    other = section(*[f"127.0.0.1 shop-{number}.test" for number in range(500)])
    own = OWN_LINES * 2000
    box.write(own)
    allowed = {own, own + SHOP, own + other}
    over, seen = threading.Event(), set()

    def read() -> None:
        while not over.is_set():
            seen.add(box.hosts.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for text in (SHOP, other) * 10:
            assert box.call("apply", text).returncode == DONE
    finally:
        over.set()
        reader.join()
    assert len(seen) > 1
    assert seen <= allowed


def test_concurrent_calls_take_turns(box: Box) -> None:
    texts = [section(f"127.0.0.1 shop-{number}.test") for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(lambda text: box.call("apply", text, found=OWN_LINES).returncode, texts))
    assert sorted(codes) == [DONE] + [CHANGED_MEANWHILE] * 11
    assert box.found() == OWN_LINES + texts[codes.index(DONE)]
    assert box.leftovers() == []


def test_lock_is_waited_for(box: Box) -> None:
    """Another call holds it: this one stands in the kernel's queue, has not written, and goes on once it is free."""
    lock = box.root / "etc/.hosts.dusty-lock"
    lock.touch(0o600)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with started(box, []) as helper:
            inode = f":{lock.stat().st_ino} "
            wait_until(
                lambda: any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())
            )
            assert box.found() == OWN_LINES
            fcntl.flock(file, fcntl.LOCK_UN)
            assert helper.wait(30) == DONE
    assert box.found() == OWN_LINES + SHOP


@pytest.mark.parametrize(
    "edit",
    [
        "echo 10.0.0.1 edited >> /etc/hosts",
        "echo 10.0.0.1 edited > /etc/hosts.new; mv /etc/hosts.new /etc/hosts",
        "rm /etc/hosts",
    ],
)
def test_edit_in_the_last_moment_is_noticed_and_kept(box: Box, edit: str) -> None:
    """An editor knows nothing of the lock: it writes while the helper's copy waits to be renamed."""
    with started(box, PAUSE) as helper:
        wait_until(box.leftovers)
        box.sh(edit)
        wanted = box.found()
        assert helper.wait(30) == CHANGED_MEANWHILE
    assert box.found() == wanted != OWN_LINES
    assert box.leftovers() == []


def test_signals_of_the_callers_terminal_do_not_stop_a_write(box: Box) -> None:
    with started(box, PAUSE) as helper:
        wait_until(box.leftovers)
        pid = box.sh("pgrep -f '^/usr/bin/python3 -IS .*dusty-hosts apply'").stdout.strip()
        box.sh(f"for name in TERM INT HUP QUIT TSTP TTIN USR1 ALRM PIPE; do kill -$name {pid}; done")
        assert helper.wait(30) == DONE
    assert box.found() == OWN_LINES + SHOP


PAUSE = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=fsync:delay_enter=1500000:when=1"]
"""Runs a program that stands still for a while before its first fsync."""


@contextmanager
def started(box: Box, before: list[str]) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        box.machine.argv([*before, SOURCE, "apply"]),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as helper:
        helper.stdin.write(request_of(box.found(), SHOP))
        helper.stdin.close()
        yield helper


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_temporary_files_of_killed_calls_are_swept_and_nobody_elses(box: Box) -> None:
    box.sh(f"touch /etc/.hosts.dusty-{'0' * 32} /etc/.hosts.dusty-mine")
    assert box.call("apply", SHOP).returncode == DONE
    assert box.leftovers() == [".hosts.dusty-mine"]


@pytest.mark.parametrize("closing", ["0<&-", "1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&- 2>&-"])
def test_closed_descriptors_are_not_written_into(box: Box, closing: str) -> None:
    ended = box.run(["sh", "-c", f"exec {closing}; exec {SOURCE} apply"], request_of(box.found(), SHOP))
    assert ended.returncode == (REFUSED if "0<&-" in closing else DONE)
    assert box.found() == (OWN_LINES if "0<&-" in closing else OWN_LINES + SHOP)


def test_extra_descriptors_do_no_harm(box: Box) -> None:
    box.sh("mkdir /opt/evil; echo precious > /opt/evil/mine")
    opened = " ".join(f"{number}<>/opt/evil/mine" for number in range(3, 10))
    assert (
        box.run(["sh", "-c", f"exec {opened}; exec {SOURCE} apply"], request_of(box.found(), SHOP)).returncode == DONE
    )
    assert box.found() == OWN_LINES + SHOP
    assert (box.root / "opt/evil/mine").read_text() == "precious\n"


@pytest.mark.parametrize(
    "limit",
    [
        *(f"--nofile={n}:{n}" for n in range(3, 14)),
        *(f"--fsize={n}:{n}" for n in (0, 1, 50, len(OWN_LINES), 100)),
        *(f"--as={n}" for n in (1 << 20, 20 << 20, 26 << 20)),
        "--data=1000000",
        "--nproc=1:1",
        "--cpu=0:0",
        "--core=0",
        "--stack=65536",
        "--memlock=0",
        "--msgqueue=0",
    ],
)
def test_limits_leave_the_old_file_or_the_new_one(box: Box, limit: str) -> None:
    box.run(["prlimit", limit, SOURCE, "apply"], request_of(box.found(), SHOP))
    assert box.found() in (OWN_LINES, OWN_LINES + SHOP)
    assert box.call("apply", SHOP).returncode == DONE
    assert box.leftovers() == []


@pytest.mark.parametrize("name", [*PYTHON_VARIABLES, *OTHER_VARIABLES])
def test_no_environment_variable_reaches_the_helper(box: Box, name: str) -> None:
    make_evil(box)
    value = "/opt/evil/openssl.cnf" if name == "OPENSSL_CONF" else "/opt/evil"
    ended = box.run(
        ["strace", "-f", "-qq", "-e", "trace=%file", "-o", "/run/trace", "env", f"{name}={value}", SOURCE, "apply"],
        request_of(box.found(), SHOP),
    )
    assert (ended.returncode, ended.stdout) == (DONE, b"changed\n")
    assert box.found() == OWN_LINES + SHOP
    assert (box.root / "opt/evil/ran").read_text() == ""
    # The words of env and the shebang's execve name the folder; no other call may.
    calls = [
        line
        for line in (box.root / "run/trace").read_text().splitlines()
        if "execve" not in line and "/opt/evil" in line
    ]
    assert calls == []


def test_all_hostile_variables_at_once(box: Box) -> None:
    make_evil(box)
    environment = {
        name: "/opt/evil/openssl.cnf" if name == "OPENSSL_CONF" else "/opt/evil"
        for name in [*PYTHON_VARIABLES, *OTHER_VARIABLES]
        if name != "PATH"
    }
    assert box.call("apply", SHOP, env=environment).returncode == DONE
    assert (box.root / "opt/evil/ran").read_text() == ""


def test_modules_beside_the_helper_or_in_the_working_folder_are_not_imported(box: Box) -> None:
    make_evil(box)
    box.sh(
        f"cp {SOURCE} /opt/evil/dusty-hosts; ln -s {SOURCE} /opt/evil/linked; ln /opt/evil/dusty-hosts /opt/evil/hard"
    )
    for name in ("dusty-hosts", "linked", "hard"):
        box.write(OWN_LINES)
        assert (
            box.run(["sh", "-c", f"cd /opt/evil; exec ./{name} apply"], request_of(box.found(), SHOP)).returncode
            == DONE
        )
    assert (box.root / "opt/evil/ran").read_text() == ""


def test_audit_line_goes_to_syslog_and_to_stderr_without_one(box: Box) -> None:
    assert re.fullmatch(rb"dusty-hosts: apply: changed\n", box.call("apply", SHOP).stderr)
    listener = "import socket,os; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.settimeout(30); s.bind('/run/log'); print('ready',flush=True); [print(s.recv(9999)) for _ in range(3)]"
    box.sh("rm -f /run/log; ln -sf /run/log /dev/log")
    try:
        with subprocess.Popen(
            box.machine.argv(["/usr/bin/python3", "-c", listener]), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            quiet = box.call("remove")
            box.call("apply", b"rubbish\nroot: injected")
            box.call("apply", SHOP, found=b"x")
            lines = process.stdout.read().splitlines()
    finally:
        box.sh("rm -f /dev/log /run/log")
    assert quiet.stderr == b""
    assert len(lines) == 3
    assert "dusty-hosts: remove: changed" in lines[0]
    assert "injected" not in "".join(lines)
