"""What listens in a container: read by its own `cat`, or, for an image without one, through the Docker host's /proc."""

from __future__ import annotations

from dusty_tasks.core.plan.listening import listeners_of
from dusty_tasks.core.plan.ports_to_open import Address
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
READ_OVER_THERE = 'grep -q "$2" "/proc/$1/mountinfo" && cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6"'
"""Words: the container's first process, its id. Its mounts name the id: a process of another machine's engine would be mistaken else."""


def read_listeners(engine: Engine, container_id: str) -> list[Address] | None:
    """The addresses that are listened on in a running container; None if nobody can look (it ended, or the engine is in a VM of its own)."""
    try:
        code, printed = acts.run_exec(engine, container_id, ["cat", *TABLES])
        # Where IPv6 is off, the second file is missing and the first one is told all the same.
        if code and "local_address" not in printed:
            printed = _read_over_there(engine, container_id)
    except Failure:
        return None
    return [listener.address for listener in listeners_of(printed)] if "local_address" in printed else None


def _read_over_there(engine: Engine, container_id: str) -> str:
    pid = reads.read_details(engine, container_id)["State"]["Pid"]
    return engine.host.run_script(READ_OVER_THERE, str(pid), container_id, check=False, as_root=True).out if pid else ""
