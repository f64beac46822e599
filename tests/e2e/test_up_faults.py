"""Accidents in the middle of `up`, and after it: nothing of the user's is lost, and the next `up` repairs what is broken."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest
from kills import restart_engine
from stacks import PORT, SmallStack, changes, stack_that_is_up, state

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
    assert {name: what.split()[0] for name, what in after.items()} == {name: what.split()[0] for name, what in before.items()}
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


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
    rig.run(["sh", "-c", f"cp -a {build} {build}.kept && mount -t tmpfs -o size=64k tmpfs {build} && cp -a {build}.kept/. {build}/ && head -c 100k /dev/zero > {build}/filler"],
            check=False)
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
    assert changes(rig.dusty("up").stdout) == ["removed cache: nothing that is active needs it"] or rig.container_ids()["dusty_web_1"] == before["dusty_web_1"]


def test_up_through_a_closed_pipe_still_brings_everything_up(rig, stack):
    rig.run(["sh", "-c", f"cd {ROOT} && {sys.executable} -m dusty_tasks up | head -1"], env={"DUSTY_HOME": str(rig.home)})
    rig.dusty("up")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
