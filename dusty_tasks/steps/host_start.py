"""Seeing to it that the Docker host runs and its engine answers, saying what is waited for."""
from __future__ import annotations

import time

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.effects import docker
from dusty_tasks.effects.docker import Engine, EngineDown
from dusty_tasks.effects.failures import Failure

FIRST_PAUSE = 0.5


def ensure_running(engine: Engine, *, yes: bool) -> None:
    """Start the Docker host where it is off, and wait for its engine up to `host.wait`. Raises Failure, exit 2, with the last cause."""
    wait_for_engine(engine, session.settings().host.wait)


def wait_for_engine(engine: Engine, seconds: float) -> None:
    """Wait until the engine answers; one line for the waiting, one for its end."""
    end, waited = time.monotonic() + seconds, False
    while True:
        try:
            docker.read_containers(engine)
            break
        except EngineDown as down:
            if time.monotonic() >= end:
                raise Failure(f"{down.what} (waited {seconds:g} s)", down.hint, code=2) from down
        if not waited:
            say(f"Docker is not responding: waiting {FIRST_PAUSE} s")
        waited = True
        time.sleep(FIRST_PAUSE)
    if waited:
        say("Docker is responding")
