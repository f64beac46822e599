"""Compose projects of test runs on the engine: what belongs to one, whether it is healthy, and its removal to the last network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from dusty_tasks.core.plan.found import FoundContainer, container_of
from dusty_tasks.core.text.namespace import RUN_LABEL, SERVICE_LABEL, Namespace
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.engine.acts import remove_unused, run_remove
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import labelled, listing
from dusty_tasks.effects.engine.sdk import client


def run_label() -> str:
    """The value for this process: `machine:pid:start`, which no later process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def read_project(engine: Engine, project: str) -> dict[str, FoundContainer]:
    """The containers of a project by their Compose name. Raises EngineDown."""
    entries = engine.get(listing(Namespace(project)))
    return {entry["Labels"][SERVICE_LABEL]: container_of(entry) for entry in entries}


def remove_project(engine: Engine, project: str) -> None:
    """Remove containers with their anonymous volumes, then volumes and networks of a project. What is gone already is fine."""
    _remove_labelled(engine, Namespace(project).label)


def remove_leftovers(engine: Engine) -> int:
    """Remove what test runs of this machine left behind that were killed; how many containers and networks that were."""
    return sum(_remove_labelled(engine, f"{RUN_LABEL}={value}") for value in sorted(set(_leftovers(engine).values())))


def read_leftovers(engine: Engine) -> list[str]:
    """The names of what remove_leftovers would remove."""
    return sorted(_leftovers(engine))


def _leftovers(engine: Engine) -> dict[str, str]:
    """Name of a container or network -> its label, of runs of this machine whose process is gone."""
    found = {}
    for name, labels in _labelled(engine):
        machine, _, process = labels.get(RUN_LABEL, "").partition(":")
        if machine == socket.gethostname() and not _is_alive(process):
            found[name] = labels[RUN_LABEL]
    return found


def _labelled(engine: Engine) -> Iterator[tuple[str, dict[str, str]]]:
    for path in ("/containers/json?all=1&", "/networks?"):
        for entry in engine.get(f"{path}filters={labelled(RUN_LABEL)}"):
            yield entry.get("Name") or entry["Names"][0].lstrip("/"), entry.get("Labels") or {}


def _remove_labelled(engine: Engine, label: str) -> int:
    filters, sdk = labelled(label), client(engine)
    containers = engine.get(f"/containers/json?all=1&filters={filters}")
    for entry in containers:
        run_remove(engine, entry["Id"])
    for volume in engine.get(f"/volumes?filters={filters}").get("Volumes") or ():
        remove_unused(sdk.remove_volume, volume["Name"], force=True)
    networks = engine.get(f"/networks?filters={filters}")
    for network in networks:
        remove_unused(sdk.remove_network, network["Id"])
    return len(containers) + len(networks)


def _is_alive(process: str) -> bool:
    pid, _, started = process.partition(":")
    return pid.isdigit() and _started(int(pid)) == started != ""


def _started(pid: int) -> str:
    """When a process started, by the kernel's clock; without /proc, `0` for one that is there. '' for none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "0"


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block that a second ^C does not cut short: for cleaning up after the first."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)


def read_image(engine: Engine, name: str) -> tuple[str, dict[str, str]] | None:
    """(id, labels) of an image, None if there is none."""
    try:
        found: dict[str, Any] = engine.get(f"/images/{quote(name)}/json")
    except EngineRefused as refused:
        if refused.status == 404:
            return None
        raise
    return found["Id"], (found.get("Config") or {}).get("Labels") or {}
