"""When a container counts as ready, and what the last line of `up` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from dusty_tasks.core.plan.container_state import FAILED, LOOPS
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.engine import probe as http_probe
from dusty_tasks.effects.engine import reads
from dusty_tasks.operations.launch import route_checks
from dusty_tasks.operations.launch.ready import Outcome, wait_until_ready
from dusty_tasks.operations.launch.reporter import Sums

URL = ["http://web.test/"]


def container(**changed: Any) -> FoundContainer:
    return FoundContainer(**{"name": "web", "container_name": "dusty_web_1", "id": "1", "state": "running", **changed})


class Engine:
    """An engine that is a clock, a listing by time, and what it says of single containers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.listing: Callable[[float], dict[str, FoundContainer]] = lambda _now: {}
        self.details: dict[str, Any] = {}
        self.listening: list[tuple[str, int]] | None = None
        self.looks = 0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self._sleep)
        monkeypatch.setattr(reads, "read_containers", lambda _engine: self.listing(self.now))
        monkeypatch.setattr(reads, "read_details", lambda *_: self.details)
        monkeypatch.setattr(reads, "read_events", lambda *_: [])
        monkeypatch.setattr(reads, "read_last_lines", lambda *_, **__: "boom")
        monkeypatch.setattr(route_checks, "read_listeners", self._listeners)
        monkeypatch.setattr(
            http_probe.Probes, "watch", lambda probes, name, urls: probes._open.update({name: list(urls)})
        )

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _listeners(self, *_: Any) -> list[tuple[str, int]] | None:
        self.looks += 1
        return self.listening

    def wait(self, *wanted: WantedContainer, seconds: float = 60, **named: Any) -> tuple[Outcome, list[str]]:
        """The outcome, and who was said to be waited for."""
        told: list[str] = []
        engine: Any = None
        return wait_until_ready(engine, wanted, "127.0.0.1", seconds, told.append, **named), told


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def wanted(name: str = "web", **fields: Any) -> WantedContainer:
    return WantedContainer(
        **{"name": name, "kind": "app", "container_name": f"dusty_{name}_1", "mapping": {}, **fields}
    )


def up_for(now: float) -> str:
    return f"{int(now)} seconds" if now >= 1 else "Less than a second"


def test_one_that_nothing_can_be_asked_of_is_watched_for_two_seconds(engine: Engine) -> None:
    engine.listing = lambda now: {"job": container(name="job", since=up_for(now))}
    outcome, told = engine.wait(wanted("job"))
    assert outcome.ready == ["job"] and 2 <= engine.now < 2.2 and told == []


@pytest.mark.parametrize("moment", [0.3, 0.7, 1.0])
def test_one_that_dies_soon_after_its_start_is_seen(engine: Engine, moment: float) -> None:
    engine.listing = lambda now: {
        "job": container(name="job", since=up_for(now))
        if now < moment
        else container(name="job", state="exited", exit_status=3)
    }
    outcome, _ = engine.wait(wanted("job"))
    assert [str(trouble) for trouble in outcome.failed] == ["job exited with status 3; its last lines:\n    boom"]


def test_one_that_ends_with_0_has_finished_unless_its_image_has_a_health_check(engine: Engine) -> None:
    engine.listing = lambda _now: {"job": container(name="job", state="exited", exit_status=0)}
    assert engine.wait(wanted("job"))[0].finished == ["job"]
    engine.details = {"Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}
    assert [trouble.state.name for trouble in engine.wait(wanted("job"))[0].failed] == [FAILED]


def test_one_with_a_route_that_ends_with_0_has_failed(engine: Engine) -> None:
    engine.listing = lambda _now: {"web": container(state="exited", exit_status=0)}
    outcome, _ = engine.wait(wanted(http_urls=tuple(URL), route_ports=(80,)))
    assert [trouble.state.what for trouble in outcome.failed] == ["exited with status 0, and a route points to it"]


def test_an_unhealthy_one_is_not_waited_for_and_its_probe_is_shown(engine: Engine) -> None:
    engine.listing = lambda now: {"db": container(name="db", health="starting" if now < 3 else "unhealthy")}
    engine.details = {
        "State": {"Health": {"Log": [{"ExitCode": 1, "Output": "no route\n"}, {"ExitCode": 7, "Output": "refused\n"}]}}
    }
    outcome, told = engine.wait(wanted("db"))
    assert 3 <= engine.now < 3.2 and told == ["db (its health check)"]
    assert [str(trouble) for trouble in outcome.silent] == [
        "db is unhealthy: its health check exited with status 7; the health check printed:\n    refused\n  its last lines:\n    boom"
    ]


def test_one_on_another_port_is_said_with_what_it_listens_on(engine: Engine) -> None:
    engine.listing = lambda now: {"web": container(since=up_for(now)), PROXY: container(name=PROXY)}
    engine.listening = [("0.0.0.0", 9999)]
    outcome, told = engine.wait(wanted(http_urls=tuple(URL), route_ports=(8002,)), seconds=10)
    assert told == ["web (nothing listens on 8002; the container listens on 9999)"]
    assert [str(trouble) for trouble in outcome.silent] == [
        "web does not answer at http://web.test/: nothing listens on 8002; the container listens on 9999; its last lines:\n    boom"
    ]
    assert 10 <= engine.now < 10.2 and engine.looks <= 5, "a look is a command in the container"


def test_a_stream_route_is_ready_when_its_port_is_listened_on(engine: Engine) -> None:
    engine.listing = lambda now: {"db": container(name="db", since=up_for(now))}
    engine.listening = [("127.0.0.11", 40000)]
    stream = wanted("db", route_ports=(5432,), stream_ports=(5432,))
    outcome, _ = engine.wait(stream, seconds=4)
    assert [trouble.state.what for trouble in outcome.silent] == [
        "does not answer: nothing listens on 5432; the container listens on no port"
    ]
    engine.now, engine.listening = 0.0, [("0.0.0.0", 5432)]
    assert engine.wait(stream)[0].ready == ["db"] and engine.now < 0.1


def test_where_nobody_can_look_a_stream_route_counts_by_time(engine: Engine) -> None:
    engine.listing = lambda now: {"db": container(name="db", since=up_for(now))}
    assert engine.wait(wanted("db", route_ports=(5432,), stream_ports=(5432,)))[0].ready == ["db"] and engine.now < 2.2


def test_without_a_proxy_the_container_alone_is_judged(engine: Engine) -> None:
    engine.listing = lambda now: {"web": container(since=up_for(now))}
    assert engine.wait(wanted(http_urls=tuple(URL), route_ports=(80,)))[0].ready == ["web"]


def test_one_that_fails_while_others_are_waited_for_is_named(engine: Engine) -> None:
    engine.listing = lambda now: {
        "web": container(health="healthy") if now < 1 else container(state="exited", exit_status=3),
        "slow": container(name="slow", health="starting" if now < 5 else "healthy"),
    }
    outcome, _ = engine.wait(wanted(), wanted("slow"))
    assert [str(trouble) for trouble in outcome.failed] == ["web exited with status 3; its last lines:\n    boom"]
    assert outcome.silent == [] and outcome.ready == ["slow"]


def test_one_that_the_engine_starts_again_and_again_is_not_ready_between_two_ends(engine: Engine) -> None:
    engine.listing = lambda now: {
        "web": container(state="restarting" if 0.3 < now < 0.6 else "running", since=up_for(now % 0.3))
    }
    assert [trouble.state.what for trouble in engine.wait(wanted())[0].failed] == [LOOPS]


def test_one_that_kept_ending_is_mended_after_ten_seconds_without_an_end(engine: Engine) -> None:
    engine.listing = lambda now: {"web": container(since=up_for(now))}
    assert engine.wait(wanted(), noted={"web": LOOPS})[0].ready == ["web"] and 10 <= engine.now < 10.2
    engine.now = 0.0
    engine.listing = lambda now: (
        {"web": container(since=up_for(now))} if now < 5 else {"web": container(state="restarting")}
    )
    assert [trouble.state.what for trouble in engine.wait(wanted(), noted={"web": LOOPS})[0].failed] == [LOOPS]


@pytest.mark.parametrize(
    ("sums", "is_idle", "expected"),
    [
        (Sums(0, 1), True, "up to date: 0 changes, 1 Docker read, 0 sudo, 0.14 s"),
        (Sums(0, 1, 1), True, "up to date: 0 changes, 1 Docker read, 1 ssh round trip, 0 sudo, 0.14 s"),
        (Sums(3, 5, 0, 1, 1), False, "3 changes, 5 Docker reads, 1 fetch, 1 sudo, 0.14 s"),
    ],
)
def test_the_last_line(sums: Sums, is_idle: bool, expected: str) -> None:
    assert sums.text(0.14, is_idle=is_idle) == expected
