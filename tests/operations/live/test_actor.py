"""The thread of `dusty dev` that acts in containers, and what it makes of a clock that jumps."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dusty_tasks.operations.live import acting
from dusty_tasks.operations.live.acting import Actor


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_after_a_jump_of_the_clock_everything_is_compared_once(
    jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clocks = {"monotonic": 100.0, "time": 1000.0}
    read = {name: lambda name=name: clocks[name] for name in clocks}
    monkeypatch.setattr(acting, "time", SimpleNamespace(**read))
    woken: list[str] = []
    actor = Actor(str(tmp_path), lambda: None, woken.append)
    actor._next_glance = 1e9  # at the engine
    for step in (0.5, 0.5, jump, 0.5, 0.5):
        clocks["monotonic"] += 0.5
        clocks["time"] += step
        actor._look_around()
    assert woken == ["slept"]
    assert capsys.readouterr().out == "the clock jumped, as after a sleep: comparing everything again\n"
