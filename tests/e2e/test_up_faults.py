"""Accidents in the middle of `up`, and after it: nothing of the user's is lost, and the next `up` repairs what is broken."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kills import restart_engine
from stacks import PORT, SmallStack, changes, stack_that_is_up, state

from dusty_tasks.core.plan.ports_to_open import refused_addresses

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stack(rig, tmp_path):
    return SmallStack(tmp_path, rig.home)


@pytest.fixture
def running(rig, standing):
    return standing(lambda folder: stack_that_is_up(rig, folder))


def test_a_lost_state_folder_restarts_nothing(rig, running):
    before = rig.container_ids()
    rig.run(["rm", "-rf", f"{rig.home}/state"])
    assert "up to date: 0 changes" in rig.dusty("up").stdout
    assert rig.container_ids() == before


@pytest.mark.parametrize("damage", ["garbage", "", '{"half": ', "[]", "null"])
def test_damaged_state_is_healed_without_touching_a_container(rig, running, damage):
    before = rig.container_ids()
    for path in (rig.home / "state").glob("*.json"):
        path.write_text(damage)
    (rig.home / "state/doit.db").write_text(damage)
    assert "up to date: 0 changes" in rig.dusty("up").stdout
    assert rig.container_ids() == before


@pytest.mark.parametrize("path", ["persist/.dusty/started.json", "command_files/.pushed.json"])
def test_damaged_records_on_the_docker_host_cost_a_start_at_most(rig, running, path):
    expected = state(rig)
    (rig.home / "host" / path).write_text('{"half": ')
    rig.dusty("up")
    assert state(rig) == expected
    assert rig.dusty("up").stdout.startswith("up to date")


def test_a_wiped_persist_is_noticed_and_everything_on_it_is_made_again(rig, running):
    expected = state(rig)
    rig.run(["rm", "-rf", f"{rig.home}/host/persist"])
    rig.dusty("up")
    assert state(rig) == expected
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


def test_after_the_engine_was_stopped_and_started_everything_runs_again_in_the_same_containers(rig, running):
    before = rig.container_ids()
    restart_engine(rig)
    rig.dusty("up")
    after = rig.container_ids()
    assert {name: what.split()[0] for name, what in after.items()} == {
        name: what.split()[0] for name, what in before.items()
    }
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


@contextmanager
def forwarder(rig: Any, address: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The engine's own program on a port, as an engine that was killed leaves one behind; it reports to its engine on descriptor 3."""
    words = f"exec docker-proxy -proto tcp -host-ip {address} -host-port {port} -container-ip 172.17.0.250 -container-port 80 3>/dev/null"
    with subprocess.Popen(rig.machine.argv(["sh", "-c", words])) as process:
        try:
            end = time.monotonic() + 10
            while f"{address}:{port} " not in rig.run(["ss", "-Hltn"]).stdout:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.1)
            yield process
        finally:
            rig.run(["pkill", "-f", f"host-port {port} -container-ip 172.17.0.250 "], check=False)
            process.kill()


AS_IF_FREE = """
from dusty_tasks.operations.launch import preconditions
preconditions.check_ports = lambda *_: None
from dusty_tasks.cli.main import console
console()
"""
"""`dusty` that does not look at ports beforehand: those of the engine's records without a forwarder show only in its refusal."""


def test_ports_that_the_engine_keeps_for_no_container_are_set_aside_by_one_up(rig, running):
    bridge = json.loads(rig.run(["docker", "network", "inspect", "bridge"]).stdout)[0]["IPAM"]["Config"][0]["Gateway"]
    before = rig.container_ids()

    def refused_by_engine(port: int) -> bool:
        done = rig.run(["docker", "run", "--rm", "-p", f"{bridge}:{port}:80", "busybox:1", "true"], check=False)
        return done.returncode != 0 and refused_addresses(done.stderr) == {(bridge, port)}

    def check_healed(printed: str, port: int) -> None:
        assert (
            printed.count(f"port {port} is held by the engine though no container has it: web gets another\n") == 1
        ), printed
        assert rig.run(["docker", "port", "dusty_web_1"]).stdout == f"80/tcp -> {bridge}:{port + 1}\n"
        assert rig.get(f"http://web.test:{PORT}/") == (200, "hello from web\n")
        after = rig.container_ids()
        assert after["dusty_cache_1"] == before["dusty_cache_1"]
        assert rig.dusty("up").stdout.startswith("up to date") and rig.container_ids() == after

    try:
        rig.run(["docker", "rm", "-fv", "dusty_web_1"])
        with forwarder(rig, bridge, 65000) as first:
            assert refused_by_engine(65000)
            check_healed(rig.dusty("up").stdout, 65000)
            assert refused_by_engine(65001), "a container has it"
            rig.run(["docker", "rm", "-fv", "dusty_web_1"])
            with forwarder(rig, bridge, 65001) as second:
                check_healed(
                    rig.run(
                        [sys.executable, "-c", AS_IF_FREE, "up"], cwd=ROOT, env={"DUSTY_HOME": str(rig.home)}
                    ).stdout,
                    65001,
                )
                assert first.poll() is None and second.poll() is None
    finally:
        (rig.home / "state/ports.json").write_text("[]")  # The next test has its first port again.


def test_a_full_disk_under_the_copies_is_said_and_mended_by_room(rig, stack):
    (rig.home / "host").mkdir(parents=True)
    rig.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", f"{rig.home}/host"])
    try:
        stack.code("web", "big", "x" * 1_000_000)
        done = rig.dusty("up", check=False)
        assert done.returncode == 2 and "No space left on device" in done.stderr and "Traceback" not in done.stderr
        assert rig.container_ids("") == {}
        rig.run(["mount", "-o", "remount,size=20m", f"{rig.home}/host"])
        rig.dusty("up")
        assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    finally:
        rig.machine.clear_engine()
        rig.run(["umount", "-l", f"{rig.home}/host"])


def test_a_full_disk_under_build_is_said_and_what_runs_goes_on(rig, running):
    before = rig.container_ids()
    build = rig.home / "build"
    rig.run(
        [
            "sh",
            "-c",
            f"cp -a {build} {build}.kept && mount -t tmpfs -o size=64k tmpfs {build} && cp -a {build}.kept/. {build}/ && head -c 100k /dev/zero > {build}/filler",
        ],
        check=False,
    )
    try:
        for i in range(40):
            running.service(f"service{i}")
        running.bundle("shop", apps="[web]", services=str([f"service{i}" for i in range(40)]))
        done = rig.dusty("up", check=False)
        assert done.returncode == 2 and "No space left on device" in done.stderr and "Traceback" not in done.stderr
        assert rig.container_ids() == before
    finally:
        rig.run(["umount", "-l", str(build)])
    running.bundle("shop", apps="[web]")
    assert (
        changes(rig.dusty("up").stdout) == ["removed cache (nothing active needed it)"]
        or rig.container_ids()["dusty_web_1"] == before["dusty_web_1"]
    )


def test_up_through_a_closed_pipe_still_brings_everything_up(rig, stack):
    rig.run(
        ["sh", "-c", f"cd {ROOT} && {sys.executable} -m dusty_tasks up | head -1"], env={"DUSTY_HOME": str(rig.home)}
    )
    rig.dusty("up")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
