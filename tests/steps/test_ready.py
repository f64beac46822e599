"""When a container counts as ready, and what the last line of `up` says."""
from __future__ import annotations

import time
from typing import Any

import pytest

from dusty_tasks.core.found import FoundContainer
from dusty_tasks.core.wanted import WantedContainer
from dusty_tasks.effects import docker
from dusty_tasks.steps.ready import ended_how, judge, wait_until_ready
from dusty_tasks.steps.receipt import Sums

URL = ["http://web.test/"]


def container(**changed: Any) -> FoundContainer:
    return FoundContainer(**{"name": "web", "container_name": "dusty_web_1", "id": "1", "state": "running", **changed})


@pytest.mark.parametrize(("found", "open_urls", "has_settled", "expected"), [
    (container(), [], True, "ready"), (container(), [], False, "waits"), (container(), URL, True, "waits"),
    (container(health="starting"), [], True, "waits"), (container(health="unhealthy"), [], True, "waits"), (container(health="healthy"), [], False, "ready"),
    (container(state="exited", exit_status=0), URL, False, "finished"), (container(state="exited", exit_status=1), [], True, "failed"),
    (container(state="restarting"), [], True, "failed"), (container(state="dead"), [], True, "failed"), (None, [], True, "failed"),
])
def test_when_a_container_is_ready(found: FoundContainer | None, open_urls: list[str], has_settled: bool, expected: str) -> None:
    assert judge(found, open_urls, has_settled) == expected


def test_how_it_ended_in_words() -> None:
    assert [ended_how(found) for found in (None, container(state="restarting"), container(state="exited", exit_status=3), container(state="dead"))] == [
        "is gone", "keeps ending and being restarted by the engine", "ended with status 3", "is dead"]


def test_a_container_that_fails_while_others_are_waited_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, ended = container(name="slow", health="starting"), container(state="exited", exit_status=3)
    looks = iter([{"web": container(health="healthy"), "slow": slow}, {"web": ended, "slow": slow}, {"web": ended, "slow": slow._replace(health="healthy")}])
    monkeypatch.setattr(docker, "read_containers", lambda _engine: next(looks))
    monkeypatch.setattr(docker, "read_events", lambda *_: [])
    monkeypatch.setattr(docker, "read_last_lines", lambda *_, **__: "boom")
    engine: Any = None
    outcome = wait_until_ready(engine, [WantedContainer(name, "app", f"dusty_{name}_1", {}) for name in ("web", "slow")], "127.0.0.1", 60)
    assert [str(trouble) for trouble in outcome.failed] == ["web ended with status 3; its last lines:\n    boom"]
    assert outcome.late == []


def test_a_container_that_the_engine_starts_again_and_again_is_not_ready_between_two_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now, states = [0.0], {0.3: "running", 0.6: "restarting", 2.0: "running"}
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(docker, "read_containers", lambda _engine: {"web": container(state=next(state for end, state in states.items() if now[0] < end))})
    monkeypatch.setattr(docker, "read_events", lambda *_: [])
    monkeypatch.setattr(docker, "read_last_lines", lambda *_, **__: "boom")
    engine: Any = None
    outcome = wait_until_ready(engine, [WantedContainer("web", "app", "dusty_web_1", {"restart": "always"})], "127.0.0.1", 60)
    assert [trouble.what for trouble in outcome.failed] == ["keeps ending and being restarted by the engine"]


@pytest.mark.parametrize(("sums", "is_idle", "expected"), [
    (Sums(0, 1), True, "up to date: 0 changes, 1 Docker read, 0 sudo, 0.14 s"),
    (Sums(0, 1, 1), True, "up to date: 0 changes, 1 Docker read, 1 ssh round trip, 0 sudo, 0.14 s"),
    (Sums(3, 5, 0, 1, 1), False, "3 changes, 5 Docker reads, 1 fetch, 1 sudo, 0.14 s"),
])
def test_the_last_line(sums: Sums, is_idle: bool, expected: str) -> None:
    assert sums.text(0.14, is_idle=is_idle) == expected
