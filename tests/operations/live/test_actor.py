"""The thread of `dusty dev` that acts in containers, and what it makes of a clock that jumps."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from dusty_tasks import session
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.watch.folders import Watched
from dusty_tasks.operations.live import acting
from dusty_tasks.operations.live.acting import Actor
from dusty_tasks.operations.live.loop import Dev


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_after_a_jump_of_the_clock_everything_is_compared_once(
    jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clocks = {"monotonic": 100.0, "time": 1000.0}
    read = {name: lambda name=name: clocks[name] for name in clocks}
    monkeypatch.setattr(acting, "time", SimpleNamespace(**read))
    woken: list[str] = []
    actor = Actor(Settings(home=str(tmp_path)), lambda: None, woken.append)
    actor._next_glance = 1e9  # at the engine
    for step in (0.5, 0.5, jump, 0.5, 0.5):
        clocks["monotonic"] += 0.5
        clocks["time"] += step
        actor._look_around()
    assert woken == ["slept"]
    assert capsys.readouterr().out == "the clock jumped, as after a sleep: comparing everything again\n"


def test_containers_wait_for_git_to_end(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    lock = tmp_path / ".git/index.lock"
    actor = Actor(Settings(home=str(tmp_path)), lambda: None, lambda _why: None)
    dev = Dev.__new__(Dev)
    dev.actor, dev.watching = actor, SimpleNamespace(folders=[Watched("web", str(tmp_path))])
    lock.touch()
    dev._release()
    assert not actor.is_held  # nothing was held
    actor.hold(True)
    dev._release()
    assert actor.is_held
    os.utime(lock, (1, 1))  # of a git that was killed
    dev._release()
    assert not actor.is_held
    actor.hold(True)
    lock.unlink()
    dev._release()
    assert not actor.is_held


def test_a_broken_config_leaves_the_last_good_settings(tmp_path: Path) -> None:
    actor = Actor(Settings(home=str(tmp_path), up_wait=7.0), lambda: None, lambda _why: None)
    (tmp_path / "config.yml").write_text("up: {wait: 8}\n")
    with actor._session():
        assert session.settings().up_wait == 8
    (tmp_path / "config.yml").write_text("up: {wait: [broken\n")
    with actor._session():
        assert session.settings().up_wait == 8
