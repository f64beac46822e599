"""The cause of what happened to a container: a kind for machines, words for people, and how sure it is."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class CauseKind(StrEnum):
    """What it was; the values are in `--json`."""

    NONE = "none"
    """Nothing is wrong."""
    UNKNOWN = "unknown"
    OUT_OF_MEMORY = "out-of-memory"
    KILLED = "killed"
    STOPPED = "stopped"
    STOP_TIME = "stop-time"
    """It was asked to stop, did not within its time, and was killed."""
    CRASHED = "crashed"
    CRASHED_AT_START = "crashed-at-start"
    MISSING_COMMAND = "missing-command"
    CANNOT_START = "cannot-start"
    BAD_IMAGE = "bad-image"
    PORT_TAKEN = "port-taken"
    WRONG_PORT = "wrong-port"
    SILENT = "does-not-answer"
    PROBE_FAILS = "probe-fails"
    RESTART_LOOP = "restart-loop"
    DEPENDENCY = "dependency"
    DISK_FULL = "disk-full"
    ENGINE_RESTARTED = "engine-restarted"
    FINISHED = "finished"


class Confidence(StrEnum):
    """How sure a cause is."""

    CERTAIN = "certain"
    """The engine says so."""
    LIKELY = "likely"
    """What the engine says, what was printed and the order of time fit it, and nothing known fits better."""
    UNKNOWN = "unknown"
    """It was not recorded."""


class Cause(NamedTuple):
    """Why a container is as it is, or why one of its lives ended."""

    kind: CauseKind
    words: str = ""
    """What follows `exited with status 137: `."""
    confidence: Confidence = Confidence.CERTAIN
    at: float = 0.0
    """When it happened, in seconds since 1970 by the engine's clock; 0 where nobody knows."""
    status: int | None = None
    """Of the end; None if there was none, or nobody knows it."""
    place: str = ""
    """The spec place that decides about it."""
    before: tuple[Blamed, ...] = ()
    """What it follows from: the container that died first; in a restart loop the end that repeats itself."""

    @property
    def text(self) -> str:
        """The words with their place: `out of memory, limit 64 MiB, services/redis.yml:7:14`."""
        return f"{self.words}{', ' if self.place and self.words else ''}{self.place}"

    @property
    def root(self) -> Cause:
        """The first cause in the chain."""
        return self.before[0].cause.root if self.before else self


class Blamed(NamedTuple):
    """A container from whose end another one's follows; the same one, in a restart loop."""

    name: str
    cause: Cause


def ended(cause: Cause) -> str:
    """`exited with status 137: out of memory, …`, as far as that is known."""
    how = "exited" if cause.status is None else f"exited with status {cause.status}"
    return f"{how}: {cause.text}" if cause.text else how


def to_json(cause: Cause) -> dict[str, object]:
    """For `--json`: keys are only ever added."""
    return {
        "kind": str(cause.kind),
        "what": cause.words,
        "confidence": str(cause.confidence),
        "at": cause.at,
        "status": cause.status,
        "place": cause.place,
        "before": [{"name": blamed.name, **to_json(blamed.cause)} for blamed in cause.before],
    }


def seconds_text(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`, `4 days`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    for size, unit in ((86400 * 2, "days"), (3600 * 2, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / (86400 if unit == 'days' else size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"
