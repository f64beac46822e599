"""What containers use of CPU and memory, from the engine's own count."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine

BETWEEN = 0.5
"""Seconds between the two counts that a share of the CPU is the difference of."""


class Stats(NamedTuple):
    """What one container uses."""

    cpu_percent: float
    """Of one CPU: 200 is two CPUs."""
    memory_bytes: int
    """Without what the kernel holds of files and could give back, as `docker stats` tells it."""


def read_stats(engine: Engine, container_ids: Sequence[str]) -> dict[str, Stats]:
    """Id -> what it uses; a container that has gone meanwhile is left out. Two requests a container, all at once."""
    first = _counts(engine, container_ids)
    if first:
        time.sleep(BETWEEN)
    second = _counts(engine, list(first))
    return {container_id: stats_between(first[container_id], second[container_id]) for container_id in second}


def read_memory(engine: Engine, container_ids: Sequence[str]) -> int:
    """The bytes that these containers use together: one request a container, all at once."""
    counts = _counts(engine, container_ids) if container_ids else {}
    return sum(stats_between(counted, counted).memory_bytes for counted in counts.values())


def _counts(engine: Engine, container_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def read(container_id: str) -> None:
        counted = engine.get(f"/containers/{quote(container_id)}/stats?stream=false&one-shot=true")
        if isinstance(counted, dict) and (counted.get("memory_stats") or {}).get("usage") is not None:
            found[container_id] = counted

    # One that has ended has no count; the others have theirs all the same.
    failures: list[Failure | None] = acts.each_at_once([partial(read, container_id) for container_id in container_ids])
    if failures and not found and all(failures) and failures[0]:
        raise failures[0]
    return found


def stats_between(first: dict[str, Any], second: dict[str, Any]) -> Stats:
    """What was used between two counts of the engine's (`GET /containers/{id}/stats`)."""
    before, after = first.get("cpu_stats") or {}, second.get("cpu_stats") or {}
    used = _total(after) - _total(before)
    passed = (after.get("system_cpu_usage") or 0) - (before.get("system_cpu_usage") or 0)
    cpus = after.get("online_cpus") or len((after.get("cpu_usage") or {}).get("percpu_usage") or ()) or 1
    memory = second.get("memory_stats") or {}
    kept = memory.get("stats") or {}
    # cgroup v1 says total_inactive_file, v2 inactive_file.
    files = kept.get("total_inactive_file", kept.get("inactive_file", 0))
    share = 100 * cpus * used / passed if passed > 0 and used > 0 else 0.0
    return Stats(round(share, 1), max(int(memory.get("usage") or 0) - int(files), 0))


def _total(counted: dict[str, Any]) -> int:
    return int((counted.get("cpu_usage") or {}).get("total_usage") or 0)
