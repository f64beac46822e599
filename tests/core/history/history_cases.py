"""What `docker inspect` and the engine's events say in known cases, as the engine of the rig said it."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.history.causes import Case, Stack, needed_by
from dusty_tasks.core.history.events import Event
from dusty_tasks.core.history.inspected import inspected
from dusty_tasks.core.plan.container_state import state_of
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.plan.wanted import WantedContainer

T = 1795853800.0
"""When the containers of these cases were started: 2026-11-28T08:16:40Z."""
IDS = {"web": "a" * 64, "redis": "b" * 64, "db": "c" * 64}


def iso(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def details(
    name: str = "web",
    status: str = "exited",
    code: int = 0,
    *,
    started: float = T,
    finished: float = 0.0,
    restarts: int = 0,
    policy: str = "no",
    most: int = 0,
    memory: int = 0,
    oom: bool = False,
    error: str = "",
    probes: tuple[tuple[int, str], ...] = (),
) -> dict[str, Any]:
    health = {
        "Health": {"Status": "unhealthy", "Log": [{"ExitCode": code, "Output": printed} for code, printed in probes]}
    }
    return {
        "Id": IDS[name],
        "RestartCount": restarts,
        "State": {
            "Status": status,
            "ExitCode": code,
            "OOMKilled": oom,
            "Error": error,
            "StartedAt": iso(started) if started else "0001-01-01T00:00:00Z",
            "FinishedAt": iso(finished) if finished else "0001-01-01T00:00:00Z",
            **(health if probes else {}),
        },
        "HostConfig": {"Memory": memory, "RestartPolicy": {"Name": policy, "MaximumRetryCount": most}},
        "Config": {"Image": "busybox:1"},
    }


def happened(what: str, at: float, name: str = "web", **fields: Any) -> Event:
    return Event(T + at, what, name, IDS[name][:12], **fields)


def case(
    inspect: dict[str, Any] | None,
    *events: Event,
    name: str = "web",
    record: StartedRecord | None = None,
    mapping: dict[str, Any] | None = None,
    needs: tuple[str, ...] = (),
    routes: tuple[int, ...] = (),
    **fields: Any,
) -> Case:
    """A case as operations/history makes it of what was read."""
    wanted = WantedContainer(
        name, "app", f"dusty_{name}_1", {"image": "busybox:1", **(mapping or {})}, after=needs, route_ports=routes
    )
    seen = inspected(name, inspect) if inspect else None
    found = None
    if seen:
        ended = seen.state in ("exited", "dead")
        found = FoundContainer(
            name,
            wanted.container_name,
            seen.container_id,
            seen.state,
            exit_status=seen.status if ended else None,
            health=seen.health,
            since="3 minutes",
        )
    state = state_of(wanted, found, record or {}, is_finished=bool(seen and seen.status == 0 and not routes))
    return Case(name, state, seen, record or {}, wanted, events, **fields)


def stack(*cases: Case, engine_started: float = 0.0) -> Stack:
    def place_of(name: str, path: tuple[str | int, ...]) -> str:
        return f"services/{name}.yml:{'.'.join(map(str, path))}"

    known = {case.name: case for case in cases}
    assert all(need in known for case in cases for need in needed_by(case.wanted))
    return Stack(known, place_of, engine_started)
