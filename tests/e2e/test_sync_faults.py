"""Sync when things go wrong: a cut line, a full disk, a wiped Docker host, root's files, very many files."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time

import pytest
from stacks import SmallStack
from sync_stack import SyncStack, listing


@pytest.fixture
def ssh_stack(rig, ssh_host, tmp_path):
    """A stack whose Docker host is the second machine."""
    return SyncStack(rig, tmp_path, {"host": {"kind": "ssh", "ssh": ssh_host.login, "address": ssh_host.address}})


def has_receipt(machine, stack: SyncStack, name: str, root: str = "") -> bool:
    path = stack.copy(name, root).replace("/persist/repos/", "/persist/repos/.receipts/", 1) + ".json"
    return machine.run(["test", "-f", path], check=False).returncode == 0


def test_a_sync_over_ssh(ssh_stack, ssh_host):
    source = ssh_stack.repo("web", {"a.py": "a", "with blank/it's ü.py": "u", "run.sh": "r"})
    (source / "run.sh").chmod(0o750)
    (source / "link").symlink_to("a.py")
    assert f"synced web: 4 changed, 0 deleted, from {source} (local)" in ssh_stack.sync().stdout
    copied = listing(ssh_host, ssh_stack.copy("web", "/"))
    assert copied == {"a.py": "root 644", "with blank/it's ü.py": "root 644", "run.sh": "root 750", "link": "root 777"}
    assert ssh_stack.sync().stdout == "1 repo is up to date\n"
    (source / "a.py").unlink()
    ssh_stack.sync()
    assert set(listing(ssh_host, ssh_stack.copy("web", "/"))) == {"with blank/it's ü.py", "run.sh", "link"}
    assert ssh_stack.sync("--verify").stdout.endswith("source and copy are equal\n")


def test_everything_goes_through_one_connection(ssh_stack, ssh_host):
    for name in ("one", "two", "three"):
        ssh_stack.repo(name)
    before = connections(ssh_host)
    ssh_stack.sync()
    ssh_stack.sync()
    assert len(connections(ssh_host) - before) == 1


def connections(ssh_host) -> set[str]:
    """The ssh connections to the second machine; those of earlier tests end by themselves after a while."""
    shown = ssh_host.run(["ss", "-Htn", "state", "established", "( sport = :22 )"]).stdout
    return {line.split()[-1] for line in shown.splitlines()}


def test_an_unknown_host_key_is_refused_and_the_way_out_is_named(ssh_stack, ssh_host, rig):
    ssh_stack.repo("web")
    rig.run(["mv", "/root/.ssh/known_hosts", "/root/.ssh/known_hosts.aside"])
    try:
        done = ssh_stack.sync(check=False)
    finally:
        rig.run(["mv", "/root/.ssh/known_hosts.aside", "/root/.ssh/known_hosts"])
    assert done.returncode == 2
    assert "host key is not known" in done.stderr
    assert ssh_host.run(["ls", "/"]).stdout.find("persist") < 0


def test_a_login_that_is_not_root_goes_through_sudo(ssh_stack, ssh_host, rig):
    with_login(ssh_host)
    ssh_host.run(["sh", "-c", "echo 'dev ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/dev; chmod 440 /etc/sudoers.d/dev"])
    ssh_stack.repo("web")
    ssh_stack.home.joinpath("config.yml").write_text(
        json.dumps({"host": {"kind": "ssh", "ssh": f"dev@{ssh_host.address}:22"}})
    )
    try:
        ssh_stack.sync()
        assert listing(ssh_host, ssh_stack.copy("web", "/")) == {"a.py": "root 644", "b.py": "root 644"}
    finally:
        ssh_host.run(["rm", "/etc/sudoers.d/dev"])


def test_a_login_without_sudo_uses_a_host_root_of_its_own(ssh_stack, ssh_host):
    with_login(ssh_host)
    ssh_stack.repo("web")
    config = {"kind": "ssh", "ssh": f"dev@{ssh_host.address}"}
    ssh_stack.home.joinpath("config.yml").write_text(json.dumps({"host": config}))
    done = ssh_stack.sync(check=False)
    assert done.returncode == 2 and "dusty config set host.root" in done.stderr
    ssh_stack.home.joinpath("config.yml").write_text(json.dumps({"host": {**config, "root": "/home/dev/dusty"}}))
    ssh_stack.sync()
    assert listing(ssh_host, ssh_stack.copy("web", "/home/dev/dusty")) == {"a.py": "dev 644", "b.py": "dev 644"}


def test_files_that_a_container_left_as_root_go_without_sudo_too(ssh_stack, ssh_host):
    with_login(ssh_host)
    ssh_host.run(["sh", "-c", "usermod -aG docker dev; chgrp docker /run/docker.sock"])
    ssh_stack.repo("web")
    ssh_stack.home.joinpath("config.yml").write_text(
        json.dumps({"host": {"kind": "ssh", "ssh": f"dev@{ssh_host.address}", "root": "/home/dev/dusty"}})
    )
    ssh_stack.sync()
    copy = ssh_stack.copy("web", "/home/dev/dusty")
    ssh_host.run(
        ["docker", "run", "--rm", "-v", f"{copy}:/w", "busybox:1", "sh", "-c", "mkdir /w/made; echo x >/w/made/file"]
    )
    ssh_stack.sync("--checksum")
    assert listing(ssh_host, copy) == {"a.py": "dev 644", "b.py": "dev 644"}


def test_a_copy_of_another_owner_is_left_alone(ssh_stack, ssh_host):
    source = ssh_stack.repo("web")
    ssh_stack.sync()
    ssh_host.run(
        [
            "sh",
            "-c",
            """mkdir /persist/.dusty; echo '{"user": "ann", "machine": "laptop", "home": "/h"}' >/persist/.dusty/owner.json""",
        ]
    )
    (source / "a.py").write_text("changed")
    done = ssh_stack.sync(check=False)
    assert done.returncode == 1 and "belong to ann on laptop (DUSTY_HOME /h)" in done.stderr
    assert ssh_host.run(["cat", f"{ssh_stack.copy('web', '/')}/a.py"]).stdout == "a\n"


def with_login(ssh_host) -> None:
    """A user `dev` on the second machine whom the same key lets in."""
    if ssh_host.run(["id", "dev"], check=False).returncode:
        ssh_host.run(["useradd", "-m", "-s", "/bin/sh", "dev"])
    ssh_host.run(["usermod", "-p", "*", "dev"])
    ssh_host.run(["rm", "-rf", "/home/dev/dusty"])


def test_a_line_that_is_cut_in_the_middle(ssh_stack, ssh_host, rig):
    source = ssh_stack.repo("web", {"a.py": "a"})
    ssh_stack.sync()
    (source / "big").write_bytes(os.urandom(1 << 20) * 400)
    process = ssh_stack.start()
    copy = ssh_stack.copy("web", "/")
    wait_until(lambda: ssh_host.run(["find", copy, "-name", ".big.*", "-size", "+1000k"], check=False).stdout, process)
    ssh_host.set_link("down")
    try:
        _out, err = process.communicate(timeout=60)
    finally:
        ssh_host.set_link("up")
    assert process.returncode == 2
    assert "the connection to root@" in err and "was lost" in err
    assert not has_receipt(ssh_host, ssh_stack, "web", "/")
    # The kernel remembers for a moment that nobody answered at that address.
    end = time.monotonic() + 30
    while rig.run(["ssh", ssh_host.login, "true"], check=False).returncode and time.monotonic() < end:
        time.sleep(0.1)
    assert "synced web" in ssh_stack.sync().stdout
    assert set(listing(ssh_host, copy)) == {"a.py", "big"}
    assert has_receipt(ssh_host, ssh_stack, "web", "/")


def test_an_edit_made_while_the_line_is_down_arrives_when_it_is_back(ssh_stack, ssh_host, rig):
    """`sync --watch` says that the line is lost, once, and needs no further edit. ^C ends it at once while it waits for the line."""
    source = ssh_stack.repo("web", {"a.py": "a"})
    process = ssh_stack.start("--watch")
    lines = Lines(process)
    lines.until("watching 1 repo")
    ssh_host.set_link("down")
    try:
        (source / "a.py").write_text("made while the line was down")
        lines.until("exited with status", seconds=90)
    finally:
        ssh_host.set_link("up")
    lines.until("synced web: 1 changed", seconds=60)
    assert ssh_host.run(["cat", f"{ssh_stack.copy('web', '/')}/a.py"]).stdout == "made while the line was down"
    ssh_host.set_link("down")
    try:
        (source / "a.py").write_text("made while it was down again")
        wait_until(lambda: rig.run(["pgrep", "-f", "--", "-T -- root@"], check=False).stdout, process)
        started = time.monotonic()
        rig.run(["pkill", "-INT", "-f", "dusty_tasks sync --watch"])
        assert process.wait(30) == 130
        assert time.monotonic() - started < 5
    finally:
        process.kill()
        ssh_host.set_link("up")


class Lines:
    """The lines of both streams of a process, as they come."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self.waiting = process, queue.Queue()
        for stream in (process.stdout, process.stderr):
            threading.Thread(
                target=lambda stream=stream: [self.waiting.put(line) for line in stream], daemon=True
            ).start()

    def until(self, text: str, seconds: float = 30) -> None:
        said, end = [], time.monotonic() + seconds
        while not said or text not in said[-1]:
            try:
                said.append(self.waiting.get(timeout=max(0, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"no {text!r} in {said}") from None


def wait_until(is_true, process: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while not is_true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_full_disk_on_the_docker_host(ssh_stack, ssh_host):
    source = ssh_stack.repo("web", {"a.py": "a"})
    ssh_host.run(["mkdir", "-p", "/persist"])
    ssh_host.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/persist"])
    try:
        (source / "big").write_bytes(os.urandom(4 << 20))
        done = ssh_stack.sync(check=False)
        assert done.returncode == 2
        assert "No space left on device" in done.stderr and "is full" in done.stderr
        assert not has_receipt(ssh_host, ssh_stack, "web", "/")
        (source / "big").unlink()
        ssh_stack.sync()
        assert set(listing(ssh_host, ssh_stack.copy("web", "/"))) == {"a.py"}
    finally:
        ssh_host.run(["umount", "/persist"])


def test_a_wiped_persist_is_noticed(ssh_stack, ssh_host):
    ssh_stack.repo("web")
    ssh_stack.sync()
    ssh_host.run(["rm", "-rf", "/persist"])
    assert "synced web: 2 changed" in ssh_stack.sync().stdout
    assert set(listing(ssh_host, ssh_stack.copy("web", "/"))) == {"a.py", "b.py"}


def test_nothing_is_deleted_through_a_link_on_the_docker_host(ssh_stack, ssh_host):
    ssh_stack.repo("web")
    ssh_host.run(
        [
            "sh",
            "-c",
            "mkdir -p /persist /srv/treasure; echo gold >/srv/treasure/gold; ln -s /srv/treasure /persist/repos",
        ]
    )
    done = ssh_stack.sync(check=False)
    assert done.returncode == 1 and "/persist/repos is a link" in done.stderr
    assert ssh_host.run(["ls", "-A", "/srv/treasure"]).stdout == "gold\n"


def test_an_emptied_source_is_refused_over_ssh(ssh_stack, ssh_host):
    source = ssh_stack.repo("web")
    ssh_stack.sync()
    for name in ("a.py", "b.py"):
        (source / name).unlink()
    assert ssh_stack.sync(check=False).returncode == 1
    assert set(listing(ssh_host, ssh_stack.copy("web", "/"))) == {"a.py", "b.py"}
    ssh_stack.sync("--allow-empty")
    assert listing(ssh_host, ssh_stack.copy("web", "/")) == {}


def test_an_ssh_host_that_is_away_is_named(ssh_stack, ssh_host):
    ssh_stack.repo("web")
    ssh_stack.home.joinpath("config.yml").write_text(
        json.dumps({"host": {"kind": "ssh", "ssh": f"root@{ssh_host.address}:2"}})
    )
    done = ssh_stack.sync(check=False)
    assert done.returncode == 2 and f"root@{ssh_host.address}" in done.stderr and "refused" in done.stderr


def become_dev(rig) -> None:
    """A user `dev` of the first machine who may use its engine."""
    if rig.run(["id", "dev"], check=False).returncode:
        rig.run(["useradd", "-m", "-s", "/bin/sh", "dev"])
    rig.run(
        [
            "sh",
            "-c",
            "getent group docker >/dev/null || groupadd docker; usermod -aG docker dev; chgrp docker /run/docker.sock",
        ]
    )


def test_files_that_a_container_left_as_root_go_all_the_same(rig, tmp_path):
    """For a user who is not root, with the engine's help: a throw-away container gives them to him."""
    become_dev(rig)
    stack = SyncStack(rig, tmp_path, user="dev")
    source = stack.repo("web", {"a.py": "a", "shared/b.py": "b"})
    stack.sync()
    left = "mkdir -p /w/made/deep; echo x >/w/made/deep/file; chmod 700 /w/made; chown -R 0:0 /w/shared; echo y >/w/shared/own"
    rig.run(["docker", "run", "--rm", "-v", f"{stack.copy('web')}:/w", "busybox:1", "sh", "-c", left])
    (source / "shared/b.py").write_text("changed")
    stack.sync()
    assert listing(rig, stack.copy("web")) == {"a.py": "dev 644", "shared/b.py": "dev 644"}
    assert rig.container_ids("") == {}


def test_what_root_left_in_the_way_of_up_goes_for_a_user_who_is_not_root(rig, tmp_path):
    """Left by an app in its command files; or made by the engine, which starts containers though their folders are gone."""
    become_dev(rig)
    stack = SmallStack(tmp_path, rig.home, config="hosts: {mode: 'off'}\n")
    rig.run(["chown", "-R", "dev", str(tmp_path)])
    subprocess.run(["chmod", "a+rx", *tmp_path.parents], check=False, capture_output=True)
    rig.dusty("up", user="dev")
    rig.run(["docker", "exec", "dusty_web_1", "sh", "-c", "mkdir /command_files/made; touch /command_files/made/file"])
    stack.app("web", always="exec httpd -f -p 80 -h /code -v", services="[cache]")
    assert "restarted web (`always` changed, apps/web.yml:4:21)" in rig.dusty("up", user="dev").stdout
    rig.dusty("stop", user="dev")
    for lost in ("command_files", "persist/repos"):
        rig.run(["rm", "-rf", f"{rig.home}/host/{lost}"])
    rig.run(["docker", "start", "dusty_web_1"])
    rig.dusty("up", user="dev")
    assert rig.dusty("up", user="dev").stdout.startswith("up to date")


def test_fifty_thousand_files(rig, tmp_path):
    stack = SyncStack(rig, tmp_path)
    source = stack.repo("web", {"a.py": "a"})
    for folder in range(100):
        (source / f"d{folder}").mkdir()
        for number in range(500):
            os.close(os.open(source / f"d{folder}/f{number}", os.O_CREAT | os.O_WRONLY, 0o644))
    assert "synced web: 50001 changed, 0 deleted" in stack.sync().stdout
    assert stack.sync().stdout == "1 repo is up to date\n"
    (source / "d7/f7").write_text("x")
    assert "synced web: 1 changed, 0 deleted" in stack.sync().stdout
