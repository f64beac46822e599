"""`up` is killed, children and all, at every moment of its work: one more `up`, and everything is as it should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from kills import DIRTY, ENVIRONMENT, ROOT, Killed, break_off, break_off_at_calls
from stacks import PORT, SmallStack

LONG = bool(os.environ.get("DUSTY_LONG"))


def times(few: int, many: int) -> int:
    return many if LONG else few


@pytest.fixture
def killed(rig, tmp_path):
    return Killed(rig, rig, SmallStack(tmp_path, rig.home))


@pytest.fixture
def killed_over_ssh(rig, ssh_host, tmp_path):
    return Killed(
        rig,
        ssh_host,
        SmallStack(
            tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"
        ),
    )


def test_killed_with_its_children(killed):
    break_off(killed, killed.killed_after, times(1, 3))
    break_off(killed, killed.leader_killed_after, 1, DIRTY if LONG else ["edit_repo", "change_spec"])
    break_off_at_calls(killed, ["change_spec"], times(30, 20))


@pytest.mark.long
def test_killed_over_ssh(killed_over_ssh):
    break_off(killed_over_ssh, killed_over_ssh.killed_after, 1)


@pytest.mark.long
@pytest.mark.timeout(1800)
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


def test_own_containers_that_hold_their_ports_are_in_nobodys_way_whatever_their_state(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home)
    rig.dusty("up")
    for number in range(times(2, 12)):
        rig.run(["docker", "pause", "dusty_web_1"])
        mended(rig, stack, number)
        rig.run(["sh", "-c", "docker rename dusty_web_1 old_web; docker pause old_web"])
        mended(rig, stack, number + 1, "--adopt")
        stack.app("web", services="[cache]", always="sleep 0.2; exit 1", more="compose: {restart: always}\n")
        assert rig.dusty("up", check=False).returncode == 2
        mended(rig, stack, number)


def killed_verb(rig, seconds: float, *words: str, at: Path | None = None) -> None:
    """Killed, children and all, after so long, or as soon as there is something at the path `at`."""
    argv = rig.machine.argv([sys.executable, "-m", "dusty_tasks", *words], cwd=ROOT)
    process = subprocess.Popen(
        argv,
        env={**ENVIRONMENT, "DUSTY_HOME": str(rig.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if at:
        while process.poll() is None and not at.exists():
            time.sleep(0.0005)
    else:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


def duration(rig, *words: str) -> float:
    begin = time.monotonic()
    rig.dusty(*words)
    return time.monotonic() - begin


def contents(rig) -> str:
    return rig.run(
        ["sh", "-c", f"cd {rig.home}/host/persist && find . -type f -not -path './.*' -exec sha256sum {{}} + | sort"]
    ).stdout


def fill(rig, word: str) -> None:
    rig.run(
        [
            "sh",
            "-c",
            f"""cd {rig.home}/host/persist && rm -rf db files one many-* && mkdir db files && echo {word} > one
        for n in 1 2 3 4; do yes {word} | head -c 8000000 > db/$n; done; for n in $(seq 300); do echo {word} > files/$n; done
        for n in $(seq 60); do mkdir -p many-$n; echo {word} > many-$n/one; done""",
        ]
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_killed_backups_and_restores_of_persist(rig, tmp_path):
    SmallStack(tmp_path, rig.home)
    rig.run(["mkdir", "-p", f"{rig.home}/host/persist"])
    fill(rig, "kept")
    rig.dusty("disk", "backup", str(tmp_path / "b"))
    (archive,) = (tmp_path / "b").glob("*.tar.gz")
    whole = contents(rig)
    fill(rig, "today")
    today = contents(rig)
    ends = []
    took = duration(rig, "disk", "restore", "--yes", str(archive))
    decided = rig.home / "host/persist/.restore-ready"
    for moment in [*(took * (number + 0.5) / times(6, 30) for number in range(times(6, 30))), *[0.0] * times(2, 10)]:
        rig.run(["sh", "-c", f"rm -rf {rig.home}/host/persist/.restore*"])
        fill(rig, "today")
        killed_verb(rig, moment, "disk", "restore", "--yes", str(archive), at=None if moment else decided)
        is_told = "a restore of persist/ was interrupted" in rig.dusty("doctor", check=False).stdout
        now = contents(rig)
        ends.append((is_told, now == whole, now == today))
        assert is_told or now in (whole, today), f"killed after {moment}"
        if is_told:
            refused = rig.dusty("up", check=False)
            assert refused.returncode == 1 and "was interrupted" in refused.stderr and "disk restore" in refused.stderr
            rig.dusty("disk", "restore")
            assert contents(rig) == whole
    took = duration(rig, "disk", "backup", str(tmp_path / "c"))
    broken = 0
    for number in range(times(4, 30)):
        killed_verb(rig, took * (number + 0.5) / times(4, 30), "disk", "backup", str(tmp_path / "c"))
        broken += bool([*(tmp_path / "c").glob("*.part")])
    assert broken
    rig.dusty("disk", "backup", str(tmp_path / "c"))
    assert list((tmp_path / "c").glob("*.part")) == [], ends
    assert any(is_told for is_told, *_ in ends) and (False, False, True) in ends, (
        f"no kill fell where it matters: {ends}"
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_killed_pushes_leave_no_bytes_of_assets(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home)
    stack.app("web", services="[cache]", more="assets: [{name: KEY, path: /key}]\n")

    def set_key(number: int) -> None:
        (tmp_path / "key").write_text(f"t0p-secret {number}\n" * 2_000_000)
        rig.dusty("assets", "set", "KEY", str(tmp_path / "key"))

    set_key(0)
    rig.dusty("up")
    set_key(1)
    took, left = duration(rig, "up"), 0
    for number in range(times(6, 30)):
        set_key(number + 2)
        killed_verb(rig, took * (number + 0.5) / times(6, 30), "up")
        left += bool(list(rig.home.glob("state/staged-*")))
        rig.dusty("up")
        assert not list(rig.home.glob("state/staged-*"))
        assert (
            rig.run(["docker", "exec", "dusty_web_1", "head", "-n", "1", "/key"]).stdout == f"t0p-secret {number + 2}\n"
        )
    set_key(99)
    killed_verb(rig, took / 2, "up")
    rig.dusty("assets", "unset", "KEY")
    stack.app("web", services="[cache]")
    rig.dusty("up")
    assert rig.run(["grep", "-rl", "t0p-secret", str(rig.home)], check=False).stdout == "", f"{left} kills left some"
