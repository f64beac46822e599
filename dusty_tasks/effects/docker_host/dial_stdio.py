"""The same line to the engine of an ssh Docker host: through `docker system dial-stdio` over the shared connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.ssh_trouble import ssh_trouble
from dusty_tasks.effects.docker_host.engine_line import (
    FIRST_WORD,
    PING,
    PING_TIMEOUT_OVER_SSH,
    EngineDown,
    EngineSilent,
)
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import TIMED_OUT, Finished, Look

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def exchange_over_ssh(host: DockerHost, request: bytes, timeout: float) -> bytes:
    """The same through the ssh connection of the Docker host. Raises EngineDown.

    The request's pipe stays open until the answer ends: for the engine an asker who closes his end has gone away, and it
    gives up ("context canceled") what takes it longer than a moment: listing volumes, stopping, /system/df.
    """
    finished = host.run(
        ["docker", "system", "dial-stdio"],
        input=request,
        timeout=timeout,
        hold_input=True,
        errors="surrogateescape",
        still_worth_it=look_at(host),
    )
    if finished.code == TIMED_OUT or not finished.out:
        trouble = ssh_trouble(finished.err)
        raise (EngineSilent if finished.code == TIMED_OUT else EngineDown)(
            silence(host, finished), trouble.hint.format(name=host.name) or f"{DUSTY} start", trouble=trouble
        )
    return finished.out.encode("utf-8", "surrogateescape")


def look_at(host: DockerHost) -> Look:
    """Whether the engine of an ssh Docker host is worth waiting for: it answers a ping. Where the line says nothing, ssh itself is the judge."""

    def look() -> bool:
        try:
            said = host.run_script(
                "echo; exec docker system dial-stdio",
                input=PING,
                hold_input=True,
                timeout=PING_TIMEOUT_OVER_SSH,
                check=False,
            ).out
        except Failure:
            return True
        return said != "\n"

    return Look(FIRST_WORD, look)


def silence(host: DockerHost, finished: Finished) -> str:
    """Why `docker system dial-stdio` on an ssh Docker host gave no answer, as a sentence."""
    last = (
        "it took too long to answer"
        if finished.code == TIMED_OUT
        else (finished.err.strip().splitlines() or ["it exited without an answer"])[-1]
    )
    return f"the Docker engine on {host.name} does not answer: {last}"
