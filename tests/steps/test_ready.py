"""When a container counts as ready, and what the last line of `up` says."""
from __future__ import annotations

from typing import Any

import pytest

from dusty_tasks.core.found import FoundContainer
from dusty_tasks.steps.ready import ended_how, judge
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


@pytest.mark.parametrize(("sums", "is_idle", "expected"), [
    (Sums(0, 1), True, "up to date: 0 changes, 1 Docker read, 0 sudo, 0.14 s"),
    (Sums(0, 1, 1), True, "up to date: 0 changes, 1 Docker read, 1 ssh round trip, 0 sudo, 0.14 s"),
    (Sums(3, 5, 0, 1, 1), False, "3 changes, 5 Docker reads, 1 fetch, 1 sudo, 0.14 s"),
])
def test_the_last_line(sums: Sums, is_idle: bool, expected: str) -> None:
    assert sums.text(0.14, is_idle=is_idle) == expected
