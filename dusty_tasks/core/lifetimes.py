"""How a container's life ended: by itself, or because somebody stopped it. The engine's listing does not tell."""
from __future__ import annotations

from typing import Any


def has_finished(container_id: str, events: list[dict[str, Any]]) -> bool:
    """True if the last end that the engine remembers of it was its own: no kill or stop belongs to it.

    Without any memory of it (the engine was restarted, which stops containers too) the answer is False: starting a
    finished job once more does less harm than leaving a stopped service down.
    """
    actions = [_action(event) for event in _events_of(container_id, events)]
    if "die" not in actions:
        return False
    start = max((i for i, action in enumerate(actions) if action == "start"), default=-1)
    return not {"kill", "stop"} & set(actions[start + 1:])


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


def _events_of(container_id: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if (event.get("Actor") or {}).get("ID", event.get("id")) == container_id]


def _action(event: dict[str, Any]) -> str:
    return str(event.get("Action") or event.get("status"))
