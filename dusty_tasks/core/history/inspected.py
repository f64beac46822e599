"""What the engine says of one container when it is asked for all it knows (`docker inspect`), as far as causes need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.history.events import signal_number
from dusty_tasks.core.of_verbs.findings import seconds_of
from dusty_tasks.core.plan.lifetimes import Probe, failing_since, last_probe

STOP_TIME = 10
"""Seconds after which the engine kills what it asked to stop, where nothing else is set."""


class Inspected(NamedTuple):
    """One container."""

    name: str
    container_id: str
    state: str = "running"
    status: int = 0
    """Of its last end; 0 while it runs."""
    error: str = ""
    """Why the engine could not start it."""
    is_oom: bool = False
    """A process of its last life was killed by the memory limit."""
    started_at: float = 0.0
    """Seconds since 1970 by the engine's clock; 0 for never."""
    finished_at: float = 0.0
    restarts: int = 0
    """How often the engine started it again by itself."""
    policy: str = "no"
    most_restarts: int = 0
    memory_limit: int = 0
    """Bytes; 0 for none."""
    stop_signal: int = 15
    stop_time: int = STOP_TIME
    health: str = ""
    probe: Probe | None = None
    """The last run of its health check that ended."""
    ill_since: float = 0.0
    """When the first of its health checks ended that fail since then; 0 where nobody noted it."""
    image: str = ""

    @property
    def has_ended(self) -> bool:
        """True if it is down, or about to be started again. Its state tells: of what ends at once the engine may note the end before the start."""
        return self.finished_at > 0 and self.state in ("exited", "dead", "removing", "restarting")

    @property
    def cannot_start(self) -> bool:
        """True if it never ran, or the last try to start it failed: the engine forgets the error at the next start that does not."""
        return self.state == "created" or (bool(self.error) and self.state in ("exited", "dead", "restarting"))

    @property
    def began_at(self) -> float:
        """When its last life began."""
        return min(self.started_at, self.finished_at) if self.has_ended else self.started_at

    @property
    def policy_text(self) -> str:
        """`restart: on-failure:5`."""
        most = f":{self.most_restarts}" if self.most_restarts else ""
        return f"restart: {self.policy}{most}"


def inspected(name: str, details: Mapping[str, Any]) -> Inspected:
    """What `docker inspect` shows of the container of `name`; parts that are missing count as not set."""
    state, host, config = (_mapping(details.get(key)) for key in ("State", "HostConfig", "Config"))
    policy = _mapping(host.get("RestartPolicy"))
    return Inspected(
        name,
        str(details.get("Id") or ""),
        str(state.get("Status") or ""),
        _number(state.get("ExitCode")),
        str(state.get("Error") or ""),
        bool(state.get("OOMKilled")),
        _moment(state.get("StartedAt")),
        _moment(state.get("FinishedAt")),
        _number(details.get("RestartCount")),
        str(policy.get("Name") or "no"),
        _number(policy.get("MaximumRetryCount")),
        _number(host.get("Memory")),
        signal_number(str(config.get("StopSignal") or "")) or 15,
        _number(config.get("StopTimeout"), STOP_TIME),
        str(_mapping(state.get("Health")).get("Status") or ""),
        last_probe(dict(details)),
        _moment(failing_since(dict(details))),
        str(config.get("Image") or ""),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any, default: int = 0) -> int:
    return value if isinstance(value, int) else default


def _moment(value: Any) -> float:
    try:
        return max(0.0, seconds_of(str(value)))
    except (ValueError, OverflowError):
        return 0.0
