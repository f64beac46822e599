"""What a container waits for of those that it depends on, as its entry in the Compose file says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"


class Awaited(NamedTuple):
    """The containers that others wait for."""

    healthy: frozenset[str] = frozenset()
    """Until their health check passes."""
    ended: frozenset[str] = frozenset()
    """Until they have exited with status 0."""


def conditions_of(container: WantedContainer) -> dict[str, str]:
    """Name -> condition, of what it depends on."""
    needed = container.mapping.get("depends_on") or ()
    if isinstance(needed, Mapping):
        return {name: str((how or {}).get("condition") or STARTED) for name, how in needed.items()}
    return dict.fromkeys(needed, STARTED)


def awaited_by(names: Iterable[str], wanted: Wanted) -> Awaited:
    """What the containers `names` wait for before they start."""
    later = set(names)
    edges = [
        edge for container in wanted.containers if container.name in later for edge in conditions_of(container).items()
    ]
    return Awaited(
        frozenset(name for name, condition in edges if condition == HEALTHY),
        frozenset(name for name, condition in edges if condition == COMPLETED),
    )


def jobs_in(wanted: Wanted) -> frozenset[str]:
    """The containers that run to their end: others wait for that."""
    awaited = awaited_by((container.name for container in wanted.containers), wanted).ended
    return awaited | {container.name for container in wanted.containers if container.is_job}


def longest_start(containers: Iterable[WantedContainer], least: float) -> float:
    """Seconds to wait for the health checks of these: at least so many, and as long as `ready` of an app gives it (`within`).

    The `start_period` of a health check that a spec writes in Compose's words bounds nobody's wait.
    """
    return max([least, *(seconds_of(container.ready_within) for container in containers)])


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(duration: str) -> float:
    """A time as Go writes it, 0 for none."""
    return sum(
        float(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9.]*[0-9])(ns|us|µs|ms|s|m|h)", duration)
    )


def stopped_by(container: WantedContainer, found: Mapping[str, FoundContainer], blocked: Mapping[str, str]) -> str:
    """Why a container must not start: a job that it waits for failed, or was not started itself; '' if nothing stops it.

    `blocked` says of others why they were not started.
    """
    for name, condition in conditions_of(container).items():
        if name in blocked:
            return f"{name} was not started"
        if condition == COMPLETED and (trouble := _trouble_of_job(found.get(name))):
            return f"it waits for {name}, which {trouble}"
    return ""


def _trouble_of_job(job: FoundContainer | None) -> str:
    if job is None:
        return "has no container"
    if job.exit_status == 0:
        return ""
    return f"exited with status {job.exit_status}" if job.exit_status is not None else f"has not finished ({job.state})"
