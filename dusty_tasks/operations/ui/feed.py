"""What the page of `dusty ui` is told: states, lines, events and runs, to each open page in its own bounded queue."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LINES_KEPT, EVENTS_KEPT, RUNS_KEPT, WAITING = 2000, 500, 500, 3000
LONGEST_LINE = 4000


class Message(NamedTuple):
    """One thing to tell: `state`, `line`, `event` or `run`, and its value."""

    kind: str
    value: Any


class Listener:
    """One open page. It takes what waits, a batch at a time; of what came faster than that the oldest is dropped, and counted."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._dropped = 0
        self._lock = threading.Lock()

    def put(self, message: Message) -> None:
        with self._lock:
            if message.kind == "state":
                # The newest state alone counts.
                self._waiting = deque(each for each in self._waiting if each.kind != "state")
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(message)

    def take(self) -> dict[str, list[Any]]:
        """All that waits, by kind, each in its order; `dropped` with how many were lost, if any were."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            dropped, self._dropped = self._dropped, 0
        batch: dict[str, list[Any]] = {}
        for message in waiting:
            batch.setdefault(message.kind, []).append(message.value)
        if dropped:
            batch["dropped"] = [dropped]
        return batch


class Feed:
    """Keeps the last of each kind for pages that are opened later, and tells all that are open. Texts pass `mask`. Usable from threads."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self.mask = mask
        self._kept: dict[str, deque[Any]] = {
            "state": deque(maxlen=1),
            "line": deque(maxlen=LINES_KEPT),
            "event": deque(maxlen=EVENTS_KEPT),
            "run": deque(maxlen=RUNS_KEPT),
        }
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()

    def tell(self, kind: str, value: Any) -> None:
        """Tell every page, masked."""
        value = masked(value, self.mask)
        with self._lock:
            self._kept[kind].append(value)
            listeners = list(self._listeners)
        for listener in listeners:
            listener.put(Message(kind, value))

    def tell_item(self, item: Mapping[str, Any]) -> None:
        """A line of `timeline --json`: what a container printed, or what happened."""
        text = self.mask(str(item.get("text", "")))  # before it is cut: half a secret would not be known
        cut = {**item, "text": text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"}
        self.tell("line" if item.get("what") == "line" else "event", cut)

    def listen(self) -> Listener:
        """A new page, with all that is kept waiting for it."""
        listener = Listener()
        with self._lock:
            for kind, values in self._kept.items():
                for value in values:
                    listener.put(Message(kind, value))
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def clear(self) -> None:
        """Forget what was told so far; pages that are opened later are told what comes from now on."""
        with self._lock:
            for values in self._kept.values():
                values.clear()

    @property
    def is_watched(self) -> bool:
        """True while a page is open."""
        return bool(self._listeners)


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """The same value with every text in it masked; keys are ours, and stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked(each, mask) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, mask) for each in value]
    return value
