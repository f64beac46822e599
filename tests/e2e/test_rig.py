"""The rig itself: that it is a machine of its own, so that no other test can reach the real one."""

import subprocess
import time
from pathlib import Path

import pytest


def test_its_hosts_file_and_root_are_its_own(rig):
    before = Path("/etc/hosts").read_bytes()
    rig.run(["sh", "-c", "echo 127.0.0.1 rig.test >>/etc/hosts; mkdir -p /persist/here /usr/local/libexec/here"])
    assert Path("/etc/hosts").read_bytes() == before
    assert not Path("/persist/here").exists() and not Path("/usr/local/libexec/here").exists()


def test_its_containers_answer_on_its_own_ports(rig):
    serve = "mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www"
    rig.run(["docker", "run", "-d", "-p", "127.0.0.1:80:80", "busybox:1", "sh", "-c", serve])
    assert rig.get("http://127.0.0.1/") == (200, "hello\n")


def test_a_command_that_takes_too_long_is_ended_in_there_too(rig):
    with pytest.raises(subprocess.TimeoutExpired):
        rig.run(["sleep", "4242"], timeout=0.5)
    end = time.monotonic() + 10
    while rig.run(["pgrep", "-f", "sleep 4242"], check=False).returncode == 0:
        assert time.monotonic() < end


def test_compose_is_there(rig):
    assert (
        "v2" in rig.run(["docker", "compose", "version"]).stdout
        or "2." in rig.run(["docker", "compose", "version"]).stdout
    )


def test_the_second_machine_is_reached_over_ssh(rig, ssh_host):
    assert rig.run(["ssh", ssh_host.login, "hostname"]).stdout == "vm\n"
    engine = rig.run(["docker", "info", "--format", "{{.Name}}"], env={"DOCKER_HOST": f"ssh://{ssh_host.login}"}).stdout
    assert engine == "vm\n"
    assert rig.run(["rsync", "-a", "/etc/hostname", f"{ssh_host.login}:/persist/"]).returncode == 0
    assert ssh_host.run(["ls", "/persist"]).stdout == "hostname\n"
