"""The state of a container, told here alone: what `up` waits for, `plan` acts on, and `status`, `doctor`, `shell` and the proxy's page say.

A container that should go on running (a route points to it, or it has a health check) has failed when it ends, with whatever status.
One that has neither and ends with 0 by itself is finished: its work is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import Tone
from dusty_tasks.core.text.namespace import PROXY

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord

ABSENT, CREATED, STARTING, RUNNING, PAUSED = "absent", "created", "starting", "running", "paused"
NOT_ANSWERING, UNHEALTHY, FAILED = "not answering", "unhealthy", "failed"
STOPPED, FINISHED, EXITED = "stopped", "finished", "exited"
"""Ended, and that is fine: by hand; its work done; nothing active needs it."""
OFF, UNKNOWN = "off", "unknown"
"""Nobody could look: the Docker host is known to be off, or it does not answer."""

TROUBLES = frozenset({NOT_ANSWERING, UNHEALTHY, FAILED})
"""States that are not fine, and that stay so until somebody mends or changes something."""

TONES = {
    **dict.fromkeys((RUNNING, FINISHED), Tone.GOOD),
    **dict.fromkeys((STARTING, CREATED), Tone.BUSY),
    **dict.fromkeys((PAUSED, ABSENT, UNKNOWN), Tone.WARNING),
    **dict.fromkeys(TROUBLES, Tone.BAD),
    **dict.fromkeys((STOPPED, EXITED, OFF), Tone.QUIET),
}
"""The colour of each state."""

SETTLED = 2
"""Seconds after its start within which a container that nothing can be asked of shows that it does not run: most that die of their
configuration or of a missing module do so within one."""
MENDED = 10
"""Seconds without an end after which one that kept ending counts as mended; the engine itself forgets its ends after as many."""
KILLED = ("exited 137", "exited 143")
"""Ended by a signal that came from outside."""


class State(NamedTuple):
    """What a container does, in a word, and in words."""

    name: str
    """One of the names above."""
    what: str = ""
    """The end of a sentence that begins with the container's name: `exited with status 0, and a route points to it`."""
    detail: str = ""
    """What the name does not say: `exited 3`, `healthy`."""

    @property
    def text(self) -> str:
        """The state in a column: `running (healthy)`, `failed (exited 3)`."""
        if self.name == EXITED or self.detail in KILLED:
            return self.detail
        return f"{self.name} ({self.detail})" if self.detail else self.name

    @property
    def is_trouble(self) -> bool:
        return self.name in TROUBLES


def states(wanted: Wanted, found: Found) -> dict[str, State]:
    """The state of each wanted container, by name, from one reading of the Docker host."""
    told = {
        container.name: state_of(
            container,
            found.containers.get(container.name),
            found.started.get(container.container_name) or {},
            is_finished=container.name in found.finished,
            answers=found.answers.get(container.name),
            is_looping=container.name in found.looping,
        )
        for container in wanted.containers
    }
    proxy = found.containers.get(PROXY)
    if PROXY not in told or (proxy and proxy.is_running):
        return told
    # An app that nobody can reach may be all right itself.
    return {
        name: state._replace(what=_SILENT_PROXY) if state == State(NOT_ANSWERING, _SILENT) else state
        for name, state in told.items()
    }


def unseen_states(wanted: Wanted, *, is_off: bool) -> dict[str, State]:
    """The states where nobody could look."""
    state = (
        State(OFF, "is on a Docker host that is off")
        if is_off
        else State(UNKNOWN, "cannot be inspected: the Docker host does not answer")
    )
    return {container.name: state for container in wanted.containers}


def state_of(
    wanted: WantedContainer | None,
    container: FoundContainer | None,
    record: StartedRecord,
    *,
    is_finished: bool = False,
    answers: bool | None = None,
    is_looping: bool = False,
) -> State:
    """What `container` does.

    `wanted` is None for one that the stack does not have. `record` is what is noted of its last start (core/plan/started), or {};
    `is_finished`: it exited on its own, with status 0, and has no health check; `answers`: whether it answers at its routes when
    asked now, None where nobody asked; `is_looping`: the engine started it again, after an end of its own, and not long ago.
    """
    noted = record.get("trouble") or ""
    if container is None:
        return State(FAILED, noted, "absent") if noted else State(ABSENT, "has no container")
    if container.exit_status is not None or container.state in ("exited", "dead", "removing"):
        return _ended(wanted, container, record, is_finished)
    if container.state == "created":
        return State(FAILED, noted, "created") if noted else State(CREATED, "was created and never started")
    if container.state == "paused":
        return State(PAUSED, "is paused")
    if container.state == "restarting" or is_looping:
        return State(FAILED, LOOPS, "restarting")
    return _running(wanted, container, record, answers)


_SILENT, _SILENT_PROXY = "does not answer", "does not answer: the proxy does not run"
LOOPS = "keeps exiting and being restarted"


def _ended(
    wanted: WantedContainer | None, container: FoundContainer, record: StartedRecord, is_finished: bool
) -> State:
    how = (
        f"exited with status {container.exit_status}" if container.exit_status is not None else f"is {container.state}"
    )
    detail = f"exited {container.exit_status}" if container.exit_status is not None else container.state
    if record.get("stopped"):
        return State(STOPPED, "was stopped by hand")
    if wanted is None:
        return State(EXITED, how, detail)
    reason = why_it_serves(wanted)
    if container.exit_status == 0 and is_finished and not reason:
        return State(FINISHED, "has finished", "exited 0")
    tells = reason and container.exit_status == 0 and wanted.kind != "proxy"
    return State(FAILED, f"{how}, and {reason}" if tells else how, detail)


def _running(
    wanted: WantedContainer | None, container: FoundContainer, record: StartedRecord, answers: bool | None
) -> State:
    noted = record.get("trouble") or ""
    if container.health == "unhealthy":
        return State(UNHEALTHY, noted or "is unhealthy")
    if container.health == "starting":
        return State(STARTING, "is starting: its health check has not passed yet")
    if wanted is None or record.get("ready", True):
        return State(RUNNING, "is running", container.health)
    if answers is False:
        return State(NOT_ANSWERING, noted or _SILENT)
    if answers or container.health or seconds_up(container) >= (MENDED if noted else SETTLED):
        return State(RUNNING, "is running", container.health)
    return State(FAILED, noted, "restarting") if noted else State(STARTING, "was started just now")


def not_started(printed: str) -> str:
    """The trouble of a container that could not be made or started, by what the tool that failed printed: its last line is the cause."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return f"could not be started: {lines[-1]}" if lines else "could not be started"


def may_loop(wanted: WantedContainer, container: FoundContainer) -> bool:
    """True if a running container may be between two ends: only the engine's own count of restarts tells, and it is asked of these alone."""
    return (
        container.state == "running"
        and str(wanted.mapping.get("restart") or "no") != "no"
        and seconds_up(container) < MENDED
    )


def why_it_serves(wanted: WantedContainer) -> str:
    """What says that a container should go on running: a route, a health check, being the proxy; '' for one that may finish."""
    if wanted.kind == "proxy":
        return "it is the proxy"
    if wanted.route_ports:
        return "a route points to it"
    return "it has a health check" if has_healthcheck(wanted.mapping) else ""


def has_healthcheck(mapping: Mapping[str, Any]) -> bool:
    """True if a container's entry in the Compose file has a health check that is not switched off."""
    check = mapping.get("healthcheck")
    if not isinstance(check, Mapping) or check.get("disable") in (True, "true"):
        return False
    return check.get("test") not in (None, "NONE", ["NONE"])


def seconds_up(container: FoundContainer) -> int:
    """How long it has run at least, in seconds, by the engine's own words (`3 seconds`, `About a minute`)."""
    number, _, unit = container.since.partition(" ")
    if container.since in ("", "Less than a second"):
        return 0
    return int(number) if number.isdigit() and unit.startswith("second") else 60


def advice(state: State, name: str) -> str:
    """What to do about a container that does not run, or not as it should, as a hint."""
    if state.detail == "restarting":
        return f"{DUSTY} logs {name} shows why it exits"
    return {
        ABSENT: f"{DUSTY} up creates it",
        CREATED: f"{DUSTY} up starts it",
        STOPPED: f"{DUSTY} up starts it",
        EXITED: f"{DUSTY} up removes it: nothing active needs it",
        PAUSED: f"{DUSTY} up unpauses it",
        FINISHED: f"its work is done, and {DUSTY} up leaves it alone; {DUSTY} restart {name} runs it again",
        FAILED: f"{DUSTY} logs {name} shows why, {DUSTY} up starts it again",
        UNHEALTHY: f"{DUSTY} logs {name}, or fix its health check",
        NOT_ANSWERING: f"{DUSTY} logs {name}",
        OFF: f"{DUSTY} start",
        UNKNOWN: f"{DUSTY} doctor",
    }.get(state.name, "")
