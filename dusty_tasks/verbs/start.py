"""`dusty start`: the Docker host on, its engine waited for, and its facts."""

from __future__ import annotations

from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, table_within, width
from dusty_tasks.core.text.wording import GIB
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.page_states import note_found
from dusty_tasks.operations.machine.docker_host import ensure_running, store_address
from dusty_tasks.verbs.shared.words import exactly


def run(words: list[str], yes: bool = False, shell: bool = False) -> int | None:
    """Raises Failure, exit 2, if the engine does not answer within `host.wait`; with `shell` a login shell follows, whose code it is."""
    exactly("start", "", words)
    with held("up", verb="start", home=session.home()):
        ensure_running(Engine(session.docker_host()), yes=yes)
        store_address(session.docker_host())
        note_found(Engine(session.docker_host()), "start")
    if shell:
        return process.run_attached(session.docker_host().shell_words())
    engine = Engine(session.docker_host())
    info, version = reads.read_info(engine), engine.get("/version")
    say(table_within(width(), (), facts(info, version)))
    for difference in size_differences(engine.host, info):
        say(difference)
    return 0


def facts(info: dict[str, Any], version: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to know of an engine, in order."""
    return [
        ("engine", str(version.get("Version", "?"))),
        ("client", client_version()),
        ("API", str(version.get("ApiVersion", "?"))),
        ("OS", str(info.get("OperatingSystem", "?"))),
        ("kernel", str(info.get("KernelVersion", "?"))),
        ("architecture", str(info.get("Architecture", "?"))),
        ("storage", str(info.get("Driver", "?"))),
        ("CPUs", str(info.get("NCPU", "?"))),
        ("memory", f"{info.get('MemTotal', 0) / GIB:.1f} GiB"),
        ("root folder", str(info.get("DockerRootDir", "?"))),
    ]


def client_version() -> str:
    """The version of the docker client here."""
    from dusty_tasks.effects.doors import process
    from dusty_tasks.effects.doors.failures import ToolFailed

    try:
        return process.run(["docker", "--version"]).out.removeprefix("Docker version ").split(",")[0].strip() or "?"
    except ToolFailed:
        return "not installed"


def size_differences(host: DockerHost, info: dict[str, Any]) -> list[str]:
    """Where the running VM is not what host.memory and host.ncpu say; they apply at its next start."""
    memory, ncpu = info.get("MemTotal", 0) / GIB, info.get("NCPU")
    found = []
    if host.machine.memory and abs(memory - host.machine.memory) > 0.15 * host.machine.memory:
        found.append(
            f"host.memory is {host.machine.memory:g} GiB and the running machine has {memory:.1f}: it applies at its next start"
        )
    if host.machine.ncpu and ncpu != host.machine.ncpu:
        found.append(
            f"host.ncpu is {host.machine.ncpu} and the running machine has {ncpu}: it applies at its next start"
        )
    return found
