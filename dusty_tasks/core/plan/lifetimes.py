"""What the engine's listing does not tell of a container: whether it exited on its own, and what its health check says."""

from __future__ import annotations

from typing import Any, NamedTuple


def has_finished(container_id: str, events: list[dict[str, Any]]) -> bool:
    """True if the last end that the engine remembers of it was its own: no kill or stop belongs to it.

    Without any memory of it (the engine was restarted, which stops containers too) the answer is False: starting a
    finished job once more does less harm than leaving a stopped service down.
    """
    actions = [_action(event) for event in _events_of(container_id, events)]
    if "die" not in actions:
        return False
    start = max((i for i, action in enumerate(actions) if action == "start"), default=-1)
    return not {"kill", "stop"} & set(actions[start + 1 :])


def end_before_last_start(container_id: str, events: list[dict[str, Any]]) -> int:
    """When its life before the present one ended, in ns since 1970 by the engine's clock; 0 where the engine remembers none."""
    ended_at = 0
    before = 0
    for event in _events_of(container_id, events):
        if _action(event) == "die":
            ended_at = int(event.get("timeNano") or 0)
        elif _action(event) == "start":
            before = ended_at
    return before


class End(NamedTuple):
    """The end of one life of a container."""

    at: int
    """In ns since 1970 by the engine's clock."""
    status: int
    is_own: bool
    """It ended by itself: no kill or stop belongs to it."""


def end_after(container_id: str, events: list[dict[str, Any]], moment: float) -> End | None:
    """Its first end after `moment` (seconds since 1970 by the engine's clock); None where the engine remembers none."""
    is_own = True
    for event in _events_of(container_id, events):
        at = int(event.get("timeNano") or 0)
        if _action(event) == "start":
            is_own = True
        elif _action(event) in ("kill", "stop"):
            is_own = False
        elif _action(event) == "die" and at / 10**9 > moment:
            status = str(((event.get("Actor") or {}).get("Attributes") or {}).get("exitCode") or 0)
            return End(at, int(status) if status.lstrip("-").isdigit() else 0, is_own)
    return None


def _events_of(container_id: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if (event.get("Actor") or {}).get("ID", event.get("id")) == container_id]


def _action(event: dict[str, Any]) -> str:
    return str(event.get("Action") or event.get("status"))


def checks_health(details: dict[str, Any]) -> bool:
    """True if a container, as `docker inspect` shows it, has a health check, its image's included."""
    test = ((details.get("Config") or {}).get("Healthcheck") or {}).get("Test") or ["NONE"]
    return bool(test[0] != "NONE")


class Probe(NamedTuple):
    """One run of a health check."""

    status: int
    printed: str


def failing_since(details: dict[str, Any]) -> str:
    """When the first of the runs ended that have failed one after the other, in the engine's words; '' where its log does not reach back so far."""
    health = (details.get("State") or {}).get("Health") or {}
    log, streak = health.get("Log") or [], int(health.get("FailingStreak") or 0)
    return str(log[-streak].get("End") or "") if 0 < streak <= len(log) else ""


def last_probe(details: dict[str, Any]) -> Probe | None:
    """The last run of its health check that ended; None before the first."""
    log = ((details.get("State") or {}).get("Health") or {}).get("Log") or []
    return Probe(int(log[-1].get("ExitCode") or 0), str(log[-1].get("Output") or "").strip()) if log else None
