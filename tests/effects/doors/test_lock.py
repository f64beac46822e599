"""Locks between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.lock import Busy, held, is_at_work, lock_path

ROOT = Path(__file__).resolve().parents[3]
HOLD = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from dusty_tasks.effects.doors.lock import held
with held(sys.argv[2], verb="sync web", home=sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def is_held(name: str, home: str) -> bool:
    try:
        with held(name, verb="look", home=home):
            return False
    except Busy:
        return True


@pytest.fixture
def holder(tmp_path: Path):
    """Starts another process that holds a lock until its stdin closes."""
    started = []

    def start(name: str) -> subprocess.Popen:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(child)
        assert child.stdout.readline() == "held\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()


def test_the_second_one_says_who_holds_it_and_since_when(holder, tmp_path: Path) -> None:
    child = holder("up")
    with (
        pytest.raises(
            Busy, match=rf"dusty sync web \(pid {child.pid}\) has been running since \d\d:\d\d:\d\d"
        ) as raised,
        held("up", verb="up", home=str(tmp_path)),
    ):
        pass
    assert raised.value.code == 1
    assert is_held("up", str(tmp_path))
    with held("repo:github.com/org/x", home=str(tmp_path)):
        pass


def test_waiting_ends_when_the_holder_does(holder, tmp_path: Path) -> None:
    child = holder("repo:a/b")
    child.stdin.close()
    with held("repo:a/b", home=str(tmp_path), wait=30):
        pass


def test_a_killed_holder_holds_nothing(holder, tmp_path: Path) -> None:
    child = holder("up")
    child.send_signal(signal.SIGKILL)
    child.wait()
    with held("up", home=str(tmp_path)):
        assert is_held("up", str(tmp_path))
    assert not is_held("up", str(tmp_path))


def test_the_children_of_a_killed_holder_can_be_waited_for(holder, tmp_path: Path) -> None:
    child = holder("up")
    said: list[str] = []
    with pytest.raises(Busy), held("up", home=str(tmp_path), orphans_wait=30, say=said.append):
        pass
    assert not said, "its holder is alive"
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"from dusty_tasks.effects.doors.lock import held\nwith held('sync', home={str(tmp_path)!r}) as lock:\n"
        "    os.set_inheritable(lock.fileno(), True); os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '1'); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code])
    killed.wait()
    with held("sync", home=str(tmp_path), orphans_wait=30, say=said.append):
        assert said == [f"waiting for what the killed dusty of pid {killed.pid} left running"]
    child.kill()


def test_a_child_keeps_the_lock_of_its_killed_parent(tmp_path: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.lock import held
with held("up", home={str(tmp_path)!r}) as lock:
    process.run(["sh", "-c", "echo $$ >{tmp_path}/pid; echo go; exec sleep 60"], pass_fds=[lock.fileno()], on_line=lambda line: print(line, flush=True))
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "go\n"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert is_held("up", str(tmp_path))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    with held("up", home=str(tmp_path), wait=10):
        pass


def test_a_lock_file_that_was_removed_does_not_let_two_in(tmp_path: Path) -> None:
    with held("up", home=str(tmp_path)):
        os.unlink(lock_path("up", str(tmp_path)))
        with held("up", home=str(tmp_path)):
            pass
        # The file was replaced while it was held: the first holder cannot know. What must not happen is a lock on a file nobody sees.
        assert not is_held("up", str(tmp_path))


def test_a_lock_is_not_given_to_other_children(tmp_path: Path) -> None:
    with held("up", home=str(tmp_path)) as lock:
        seen = process.run(["sh", "-c", f"ls -l /proc/self/fd | grep -c {lock_path('up', str(tmp_path))}"])
        assert seen.out.strip() == "0"
        assert lock.fileno() > 2


def test_whether_somebody_is_at_work_is_asked_without_taking_the_lock(holder, tmp_path):
    home = str(tmp_path)
    assert not is_at_work("up", home)
    child = holder("up")
    assert is_at_work("up", home) and not is_at_work("repo:x", home)
    child.stdin.close()
    child.wait()
    assert not is_at_work("up", home)
    with held("up", home=home):
        assert is_at_work("up", home)
