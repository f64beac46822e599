"""`up` is killed, children and all, at every moment of its work: one more `up`, and everything is as it should be."""
from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kills import DIRTY, Killed, break_off, break_off_at_calls
from stacks import PORT, SmallStack


@pytest.fixture
def killed(rig, tmp_path):
    return Killed(rig, rig, SmallStack(tmp_path, rig.home))


@pytest.fixture
def killed_over_ssh(rig, ssh_host, tmp_path):
    return Killed(rig, ssh_host, SmallStack(tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"))


def test_killed_with_its_children(killed):
    break_off(killed, killed.killed_after, 3)
    break_off(killed, killed.leader_killed_after, 1)
    break_off_at_calls(killed, ["change_spec"], 20)


def test_killed_over_ssh(killed_over_ssh):
    break_off(killed_over_ssh, killed_over_ssh.killed_after, 1)


def test_the_engine_killed_restarted_or_paused_instead(killed):
    break_off(killed, killed.engine_killed_after, 2, ["change_spec"])
    break_off(killed, killed.engine_restarted_after, 1, ["change_spec"])
    break_off(killed, partial(killed.engine_paused_after, pause=12), 1, ["change_spec"])


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dirty", DIRTY)
def test_killed_with_its_children_at_200_moments(killed, dirty):
    break_off(killed, killed.killed_after, 50, [dirty])


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dirty", DIRTY)
def test_killed_over_ssh_at_60_moments(killed_over_ssh, dirty):
    break_off(killed_over_ssh, killed_over_ssh.killed_after, 15, [dirty])


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dirty", DIRTY)
def test_the_engine_killed_instead_at_40_moments(killed, dirty):
    break_off(killed, killed.engine_killed_after, 10, [dirty])


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_engine_restarted_or_paused_instead(killed):
    break_off(killed, killed.engine_restarted_after, 6, ["change_spec", "kill_container"])
    break_off(killed, partial(killed.engine_paused_after, pause=20), 6, ["change_spec", "kill_container"])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_each_call_to_the_engine(killed):
    break_off_at_calls(killed, ["edit_repo", "change_spec", "kill_container"])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_each_call_to_the_engine_over_ssh(killed_over_ssh):
    break_off_at_calls(killed_over_ssh, ["edit_repo", "change_spec", "kill_container"], 2)


def mended(rig, stack: SmallStack, number: int, *words: str) -> None:
    """A good spec of `web`, one `up`, and it answers."""
    stack.app("web", image=f"busybox:{number % 2 + 1}", services="[cache]")
    rig.dusty("up", *words)
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert "dusty_web_1" in rig.container_ids() and len(rig.container_ids("")) == 3


def times(few: int, many: int) -> int:
    return many if os.environ.get("DUSTY_LONG") else few


def test_own_containers_that_hold_their_ports_are_in_nobodys_way_whatever_their_state(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home)
    rig.dusty("up")
    for number in range(times(3, 12)):
        rig.run(["docker", "pause", "dusty_web_1"])
        mended(rig, stack, number)
        rig.run(["sh", "-c", "docker rename dusty_web_1 old_web; docker pause old_web"])
        mended(rig, stack, number + 1, "--adopt")
        stack.app("web", services="[cache]", always="sleep 0.2; exit 1", more="compose: {restart: always}\n")
        assert rig.dusty("up", check=False).returncode == 2
        mended(rig, stack, number)
