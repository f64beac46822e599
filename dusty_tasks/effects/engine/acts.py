"""What is asked of the engine: to start, stop, restart, remove a container, to connect it, to run a program in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT, EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import without_frames

REMOVAL_TIME = 10.0
"""Seconds for a removal that somebody else has begun."""


def run_start(engine: Engine, container_id: str) -> None:
    engine.post(f"/containers/{quote(container_id)}/start")


def run_unpause(engine: Engine, container_id: str) -> None:
    engine.post(f"/containers/{quote(container_id)}/unpause")


def run_stop(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Stop; `seconds` of None is the container's own stop time."""
    engine.post(
        f"/containers/{quote(container_id)}/stop{_stop_time(seconds)}", timeout=ANSWER_TIMEOUT + (seconds or 60)
    )


def run_restart(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Restart, also a container that has ended."""
    engine.post(
        f"/containers/{quote(container_id)}/restart{_stop_time(seconds)}", timeout=ANSWER_TIMEOUT + (seconds or 60)
    )


def run_remove(engine: Engine, container_id: str, *, keep_volumes: bool = False) -> None:
    """Remove a container with its anonymous volumes; one that is gone already, or by the time the engine is done with it, is fine.

    Raises EngineRefused if the engine does not get rid of it.
    """
    try:
        mounts = [] if keep_volumes else engine.get(f"/containers/{quote(container_id)}/json").get("Mounts") or []
        engine.request("DELETE", f"/containers/{quote(container_id)}?v={int(not keep_volumes)}&force=1")
        for mount in mounts:
            # Compose hands an anonymous volume to the next container by its name, and the engine then keeps it.
            if mount.get("Type") == "volume" and re.fullmatch("[0-9a-f]{64}", mount.get("Name") or ""):
                _remove_volume(engine, mount["Name"])
    except EngineRefused as refused:
        if refused.status != 404 and not (refused.status == 409 and _is_gone_soon(engine, container_id)):
            raise


def _is_gone_soon(engine: Engine, container_id: str) -> bool:
    """Wait for a removal that is under way; False if the container is still there after REMOVAL_TIME."""
    end = time.monotonic() + REMOVAL_TIME
    while time.monotonic() < end:
        try:
            engine.get(f"/containers/{quote(container_id)}/json")
        except EngineRefused as refused:
            if refused.status == 404:
                return True
            raise
        time.sleep(0.05)
    return False


def _remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume; one that is gone, or that another container uses, is fine."""
    try:
        engine.request("DELETE", f"/volumes/{quote(name)}")
    except EngineRefused as refused:
        if refused.status not in (404, 409):
            raise


def reconnect(engine: Engine, container_id: str, network: str, aliases: list[str]) -> None:
    """Take a container off a network and put it back under `aliases`; it goes on running."""
    try:
        engine.post(f"/networks/{quote(network)}/disconnect", {"Container": container_id, "Force": True})
    except EngineRefused as refused:
        if "not connected" not in str(refused):
            raise
    engine.post(
        f"/networks/{quote(network)}/connect", {"Container": container_id, "EndpointConfig": {"Aliases": aliases}}
    )


def _stop_time(seconds: int | None) -> str:
    return "" if seconds is None else f"?t={seconds}"


def each_at_once(calls: Sequence[Callable[[], None]]) -> list[Failure | None]:
    """Run `calls` in threads; for each its Failure, or None."""
    from dusty_tasks.effects.doors.parallel import threads

    def attempt(call: Callable[[], None]) -> Failure | None:
        try:
            call()
        except Failure as failure:
            return failure
        return None

    if len(calls) < 2:
        return [attempt(call) for call in calls]
    with threads(min(len(calls), 16)) as pool:
        return list(pool.map(attempt, calls))


def run_exec(engine: Engine, container_id: str, argv: list[str], timeout: float = ANSWER_TIMEOUT) -> tuple[int, str]:
    """Run a command in a running container, for at most so many seconds without a word: its exit status and what it printed."""
    made = engine.post(
        f"/containers/{quote(container_id)}/exec", {"Cmd": argv, "AttachStdout": True, "AttachStderr": True}
    )
    printed = without_frames(
        engine.request("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False}, timeout)
    )
    return int(engine.get(f"/exec/{made['Id']}/json")["ExitCode"] or 0), printed.decode("utf-8", "replace")


def run_signal(engine: Engine, container_id: str, signal_name: str) -> None:
    """Send a signal to a container's first process."""
    engine.post(f"/containers/{quote(container_id)}/kill?signal={signal_name}")
