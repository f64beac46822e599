"""Waiting until what was started is ready (design.md section 9, 16): it runs, or finished; its http routes answer; it is healthy."""
from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from dusty_tasks.core.found import PROXY, FoundContainer
from dusty_tasks.core.lifetimes import end_before_last_start
from dusty_tasks.core.wanted import WantedContainer
from dusty_tasks.effects import docker, http_probe
from dusty_tasks.effects.docker import Engine

SETTLED = 0.2
"""Seconds that a container without routes and healthcheck must have run for."""
SETTLED_BY_ENGINE = 1.0
"""The same for one that the engine starts again whenever it ends: between two ends it runs, at first for moments only."""
INTERVAL = 0.05


class Trouble(NamedTuple):
    """A container that failed, or that is not ready in time."""

    name: str
    what: str
    last_lines: str

    def __str__(self) -> str:
        lines = "".join(f"\n    {line}" for line in self.last_lines.splitlines())
        return f"{self.name} {self.what}{'; its last lines:' if lines else ', and it printed nothing'}{lines}"


class Outcome(NamedTuple):
    failed: list[Trouble]
    late: list[Trouble]
    """Not ready within the time: a warning."""
    finished: list[str]
    """Ended with status 0."""


def wait_until_ready(engine: Engine, started: Iterable[WantedContainer], address: str, seconds: float) -> Outcome:
    """Watch the containers that were just started until each is ready, has failed, or `seconds` are over."""
    pending = {container.name: container for container in started}
    begin = time.monotonic()
    outcome = Outcome([], [], [])
    if not pending:
        return outcome
    with http_probe.Probes(address) as probes:
        for container in pending.values():
            probes.watch(container.name, container.http_urls)
        ready: dict[str, WantedContainer] = {}
        while pending:
            found = docker.read_containers(engine)
            # Without a running proxy no route can answer: the containers alone are judged then.
            has_proxy = PROXY in found and found[PROXY].is_running
            elapsed = time.monotonic() - begin
            # Whoever was ready is watched on while others are waited for: it may crash after a second.
            for name, container in (*pending.items(), *ready.items()):
                has_answered = has_proxy and bool(container.http_urls) and not probes.open_urls(name)
                verdict = judge(found.get(name), probes.open_urls(name) if has_proxy else [], has_answered or elapsed >= _settling_seconds(container))
                if verdict == "waits" and (name in ready or elapsed < seconds):
                    continue
                pending.pop(name, None)
                if verdict == "ready":
                    ready[name] = container
                    continue
                ready.pop(name, None)
                _note(engine, outcome, name, found.get(name), verdict, probes.open_urls(name))
            if pending:
                time.sleep(INTERVAL)
    return outcome


def _settling_seconds(container: WantedContainer) -> float:
    return SETTLED if container.mapping.get("restart", "no") == "no" else SETTLED_BY_ENGINE


def judge(container: FoundContainer | None, open_urls: list[str], has_settled: bool) -> str:
    """`ready`, `finished`, `failed` or `waits`; `has_settled`: it answered, or has run for a moment without ending."""
    if container is None:
        return "failed"
    if container.exit_status == 0:
        return "finished"
    if container.exit_status is not None or container.state in ("restarting", "dead"):
        return "failed"
    if container.health in ("starting", "unhealthy") or open_urls:
        return "waits"
    return "ready" if has_settled or container.health == "healthy" else "waits"


def _note(engine: Engine, outcome: Outcome, name: str, container: FoundContainer | None, verdict: str, open_urls: list[str]) -> None:
    if verdict == "finished":
        outcome.finished.append(name)
        return
    lines = _last_lines(engine, container.id) if container else ""
    if verdict == "failed":
        outcome.failed.append(Trouble(name, ended_how(container), lines))
    else:
        what = "is not healthy yet" if container and container.health else f"does not answer at {', '.join(open_urls)} yet"
        outcome.late.append(Trouble(name, what, lines))


def _last_lines(engine: Engine, container_id: str) -> str:
    """What it printed since its last start."""
    since = end_before_last_start(container_id, docker.read_events(engine, [container_id]))
    return docker.read_last_lines(engine, container_id, since=since)


def ended_how(container: FoundContainer | None) -> str:
    """What became of a container, for a sentence that begins with its name."""
    if container is None:
        return "is gone"
    if container.state == "restarting":
        return "keeps ending and being restarted by the engine"
    return f"ended with status {container.exit_status}" if container.exit_status is not None else f"is {container.state}"
