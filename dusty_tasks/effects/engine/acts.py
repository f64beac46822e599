"""What is asked of the engine: to start, stop, restart, remove a container, to connect it, to run a program in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT, EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import read_details, without_frames
from dusty_tasks.effects.engine.sdk import client

OWN_STOP_TIME = 60
"""Seconds that a container's own stop time may take beyond ANSWER_TIMEOUT: nobody knows it here."""
REMOVAL_TIME = 10.0
"""Seconds for a removal that somebody else has begun."""


def run_start(engine: Engine, container_id: str) -> None:
    client(engine).start(container_id)


def run_unpause(engine: Engine, container_id: str) -> None:
    client(engine).unpause(container_id)


def run_stop(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Stop; `seconds` of None is the container's own stop time."""
    client(engine, _patience(seconds)).stop(container_id, timeout=seconds)


def run_restart(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Restart, also a container that has ended."""
    if seconds is None:
        # The SDK's restart knows no "the container's own".
        engine.post(f"/containers/{quote(container_id)}/restart", timeout=ANSWER_TIMEOUT + OWN_STOP_TIME)
    else:
        client(engine, _patience(seconds)).restart(container_id, timeout=seconds)


def _patience(seconds: int | None) -> float:
    """What the SDK is told to wait for an answer: it adds the stop time, 10 s for the container's own."""
    return ANSWER_TIMEOUT + (OWN_STOP_TIME - 10 if seconds is None else 0)


def run_remove(engine: Engine, container_id: str, *, keep_volumes: bool = False) -> None:
    """Remove a container with its anonymous volumes; one that is gone already, or by the time the engine is done with it, is fine.

    Raises EngineRefused if the engine does not get rid of it.
    """
    try:
        mounts = [] if keep_volumes else read_details(engine, container_id).get("Mounts") or []
        client(engine).remove_container(container_id, v=not keep_volumes, force=True)
        for mount in mounts:
            # Compose hands an anonymous volume to the next container by its name, and the engine then keeps it.
            if mount.get("Type") == "volume" and re.fullmatch("[0-9a-f]{64}", mount.get("Name") or ""):
                remove_unused(client(engine).remove_volume, mount["Name"])
    except EngineRefused as refused:
        if refused.status != 404 and not (refused.status == 409 and _is_gone_soon(engine, container_id)):
            raise


def _is_gone_soon(engine: Engine, container_id: str) -> bool:
    """Wait for a removal that is under way; False if the container is still there after REMOVAL_TIME."""
    end = time.monotonic() + REMOVAL_TIME
    while time.monotonic() < end:
        try:
            read_details(engine, container_id)
        except EngineRefused as refused:
            if refused.status == 404:
                return True
            raise
        time.sleep(0.05)
    return False


def remove_unused(remove: Callable[..., Any], name: str, **options: Any) -> None:
    """Remove something by a call of the SDK's; what is gone, or that something else uses, is fine. Raises EngineDown, EngineRefused."""
    _remove(remove, name, fine=(404, 409), **options)


def run_remove_network(engine: Engine, network: str) -> None:
    """Remove a network; one that is gone is fine. Raises EngineRefused if containers use it."""
    _remove(client(engine).remove_network, network)


def run_remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume; one that is gone is fine. Raises EngineRefused if a container uses it."""
    _remove(client(engine).remove_volume, name)


def run_remove_image(engine: Engine, name: str, *, force: bool = False) -> None:
    """Remove an image, or one name of it; one that is gone is fine. Raises EngineRefused if a container uses it."""
    _remove(client(engine).remove_image, name, force=force)


def _remove(remove: Callable[..., Any], name: str, *, fine: Sequence[int] = (404,), **options: Any) -> None:
    try:
        remove(name, **options)
    except EngineRefused as refused:
        if refused.status not in fine:
            raise


def reconnect(engine: Engine, container_id: str, network: str, aliases: list[str]) -> None:
    """Take a container off a network and put it back under `aliases`; it goes on running."""
    sdk = client(engine)
    try:
        sdk.disconnect_container_from_network(container_id, network, force=True)
    except EngineRefused as refused:
        if "not connected" not in str(refused):
            raise
    sdk.connect_container_to_network(container_id, network, aliases=aliases)


def make_network(engine: Engine, name: str, labels: dict[str, str]) -> None:
    """Make a network of this machine. Raises EngineRefused, for example where no addresses are left for one."""
    client(engine).create_network(name, driver="bridge", labels=labels)


def connect(engine: Engine, container_id: str, network: str, aliases: list[str]) -> None:
    """Put a container on one more network; it goes on running. One that is gone by now is fine."""
    try:
        client(engine).connect_container_to_network(container_id, network, aliases=aliases)
    except EngineRefused as refused:
        if refused.status != 404 and "already exists" not in str(refused):
            raise


def disconnect(engine: Engine, container_id: str, network: str) -> None:
    """Take a container off a network; one that is not on it, or gone, is fine."""
    try:
        client(engine).disconnect_container_from_network(container_id, network, force=True)
    except EngineRefused as refused:
        if refused.status != 404 and "not connected" not in str(refused):
            raise


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
    client(engine).kill(container_id, signal_name)
