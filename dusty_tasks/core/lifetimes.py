"""How a container's life ended: by itself, or because somebody stopped it. The engine's listing does not tell."""
from __future__ import annotations

from typing import Any


def has_finished(container_id: str, events: list[dict[str, Any]]) -> bool:
    """True if the last end that the engine remembers of it was its own: no kill or stop belongs to it.

    Without any memory of it (the engine was restarted, which stops containers too) the answer is False: starting a
    finished job once more does less harm than leaving a stopped service down.
    """
    mine = [event for event in events if (event.get("Actor") or {}).get("ID", event.get("id")) == container_id]
    actions = [str(event.get("Action") or event.get("status")) for event in mine]
    if "die" not in actions:
        return False
    start = max((i for i, action in enumerate(actions) if action == "start"), default=-1)
    return not {"kill", "stop"} & set(actions[start + 1:])
