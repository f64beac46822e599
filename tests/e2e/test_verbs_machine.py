"""disk, doctor, dump and uninstall on a real engine, and the same verbs on an ssh Docker host."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager

import pytest
from stacks import SmallStack

KEEP = "echo kept >> /data/f; chown 123:456 /data/f; chmod 640 /data/f; trap 'exit 0' TERM; sleep 100000 & wait"


def small(rig, tmp_path, config=""):
    stack = SmallStack(tmp_path, rig.home, config=config)
    stack.service("cache", command=KEEP, more='volumes: ["/persist/cache:/data"]\n')
    return stack


@pytest.fixture
def up(rig, tmp_path):
    stack = small(rig, tmp_path)
    rig.dusty("up")
    return stack


def test_a_backup_comes_back_with_owners_and_modes(rig, up, tmp_path):
    path = rig.home / "host/persist/cache/f"
    rig.dusty("stop")
    rig.dusty("disk", "backup", str(tmp_path / "b"))
    before = (path.read_bytes(), path.stat().st_uid, path.stat().st_gid, path.stat().st_mode)
    path.write_text("spoilt")
    (archive,) = (tmp_path / "b").iterdir()
    rig.dusty("disk", "restore", "--yes", str(archive))
    assert (path.read_bytes(), path.stat().st_uid, path.stat().st_gid, path.stat().st_mode) == before
    assert before[1:3] == (123, 456)


def test_cleaning_up_takes_what_ended_and_what_nobody_uses(rig, up):
    rig.run(["docker", "run", "-d", "--name", "theirs", "busybox:1", "true"])
    rig.dusty("stop", "web")
    assert rig.dusty("disk", "cleanup_containers", check=False).returncode == 1
    rig.dusty("disk", "cleanup_containers", "--yes")
    assert set(rig.container_ids("")) == {"dusty_cache_1", "dusty_dustyInternalNginx_1", "theirs"}
    assert "no images to clean up" in rig.dusty("disk", "cleanup_images", "--yes").stdout
    shown = json.loads(rig.dusty("disk", "--json").stdout)
    assert "cache" in shown["persist"] and {item["name"] for item in shown["items"] if item["kind"] == "container"} == {
        "dusty_cache_1",
        "dusty_dustyInternalNginx_1",
    }


def test_doctor_is_content_after_up_and_mends_what_is_harmless(rig, up):
    ended = rig.dusty("doctor")
    assert (
        "failed" not in ended.stdout
        and "1 URL answered through nginx" in ended.stdout
        and "stack: as compiled" in ended.stdout
    )
    rig.run(
        [
            "sh",
            "-c",
            "cp /run/hosts.before /etc/hosts; echo '# spoilt' >> \"$1\"",
            "sh",
            str(rig.home / "host/persist/dustyNginx/dustyNginx.conf"),
        ]
    )
    assert rig.dusty("doctor", check=False).returncode == 1
    mended = rig.dusty("doctor", "--fix")
    assert "failed" not in mended.stdout and "its config is the compiled one" in mended.stdout
    assert "up to date: 0 changes" in rig.dusty("up", "--no-pull").stdout


def test_doctor_names_who_holds_a_port(rig, up):
    rig.dusty("stop")
    rig.run(["docker", "run", "-d", "--name", "thief", "-p", "127.0.0.1:8080:80", "busybox:1", "sleep", "1000"])
    ended = rig.dusty("doctor", check=False)
    assert ended.returncode == 1 and "8080 is held by the container thief" in ended.stdout


def test_a_dump_holds_what_helps(rig, up, tmp_path):
    rig.dusty("dump", str(tmp_path / "d.tar.gz"))
    names = rig.run(["tar", "-tzf", str(tmp_path / "d.tar.gz")]).stdout
    assert all(
        f"dusty-dump/{name}" in names
        for name in ("doctor.txt", "plan.txt", "logs/web.txt", "build/nginx.conf", "manifest.json")
    )


def test_uninstall_leaves_the_data_and_purge_leaves_nothing(rig, tmp_path):
    stack = small(rig, tmp_path)
    stack.service("cache", command=KEEP, more='volumes: ["/persist/cache:/data", "mine:/mine", "shared:/shared"]\n')
    # What another user's stack left there: a volume that both declare, and his data in it.
    rig.run(
        [
            "docker",
            "volume",
            "create",
            "--label",
            "com.docker.compose.project=dusty",
            "--label",
            "com.docker.compose.volume=shared",
            "dusty_shared",
        ]
    )
    rig.dusty("up")
    rig.run(["docker", "run", "-d", "--name", "theirs", "busybox:1", "sleep", "1000"])
    with stand_ins_kept(rig):
        assert rig.dusty("uninstall", check=False).returncode == 1
        rig.dusty("uninstall", "--yes")
        assert set(rig.container_ids("")) == {"theirs"} and (rig.home / "host/persist/cache/f").exists()
        assert "Dusty" not in rig.run(["cat", "/etc/hosts"]).stdout
        assert rig.run(["docker", "network", "ls", "-q", "--filter", "name=dusty"]).stdout == ""
        ended = rig.dusty("uninstall", "--yes", "--purge")
        assert (
            not rig.home.exists()
            and rig.run(["docker", "volume", "ls", "-q", "--filter", "name=dusty"]).stdout == "dusty_shared\n"
        )
        assert "so it stays: dusty_shared\n" in ended.stderr


@contextmanager
def stand_ins_kept(machine):
    """An uninstall takes the stand-ins; the other tests on this machine need them."""
    names = machine.run(
        ["docker", "images", "--filter", "label=dusty.standin=1", "--format", "{{.Repository}}:{{.Tag}}"]
    ).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        machine.run(["docker", "save", "-o", f"{folder}/images.tar", *names])
        try:
            yield
        finally:
            machine.run(["docker", "load", "-i", f"{folder}/images.tar"])


@pytest.fixture
def far(rig, ssh_host, tmp_path):
    """The same stack on the ssh Docker host."""
    stack = small(rig, tmp_path, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n")
    stack.app(
        "web",
        services="[cache]",
        more="test: {image: 'busybox:1', suites: [{name: unit, command: ['echo far-away; true']}]}\nscripts: [{name: hi, command: ['echo hi \"$@\" #']}]\n",
    )
    rig.dusty("up")
    return stack


def test_every_verb_works_over_ssh(rig, ssh_host, far, tmp_path):
    assert rig.dusty("shell", "web", "sh", "-c", "hostname; exit 0").returncode == 0
    assert rig.dusty("scripts", "web", "hi", "a b").stdout.startswith("hi")
    assert rig.dusty("logs", "cache", "web").returncode == 0
    rig.dusty("cp", "web:/code", str(tmp_path / "back"))
    assert (tmp_path / "back/index.html").read_text() == "hello from web\n"
    rig.dusty("cp", str(tmp_path / "back"), "cache:/tmp/there")
    assert rig.dusty("shell", "cache", "cat", "/tmp/there/index.html").stdout == "hello from web\n"
    assert "far-away" in rig.dusty("test", "web", "unit").stdout
    assert "failed" not in rig.dusty("doctor", check=False).stdout.replace("failed: hosts", "")
    rig.dusty("stop")
    rig.dusty("disk", "backup", str(tmp_path / "b"))
    ssh_host.run(["sh", "-c", "echo spoilt > /persist/cache/f"])
    (archive,) = (tmp_path / "b").iterdir()
    rig.dusty("disk", "restore", "--yes", str(archive))
    assert (
        ssh_host.run(["cat", "/persist/cache/f"]).stdout.startswith("kept")
        and ssh_host.run(["stat", "-c", "%u", "/persist/cache/f"]).stdout == "123\n"
    )
    with stand_ins_kept(ssh_host):
        rig.dusty("uninstall", "--yes", "--purge")
    assert ssh_host.run(["sh", "-c", "ls /persist /command_files /cp 2>/dev/null | wc -l"]).stdout == "0\n"
    assert not rig.home.exists()
