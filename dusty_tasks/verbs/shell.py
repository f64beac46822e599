"""`dusty shell`: a shell, or one command, in a running container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.running import running
from dusty_tasks.verbs.shared.words import misuse

if TYPE_CHECKING:
    from dusty_tasks.core.plan.found import FoundContainer
    from dusty_tasks.verbs.shared.printed import Printed

BEST_SHELL = ("sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
IN_FOLDER = 'cd "$1" 2>/dev/null; shift; exec "$@"'


def run(words: list[str]) -> int | None:
    """Run it on the caller's own streams; its exit status is ours."""
    if not words:
        raise misuse("shell", "shell needs the name of an app or service")
    container = running(words[0])
    return execute(container, in_its_code(container, words[1:] or BEST_SHELL))


def in_its_code(container: FoundContainer, command: Sequence[str]) -> Sequence[str]:
    """`command` begun in the folder where the commands of an app begin: its mount."""
    if container.kind != "app":
        return command
    try:
        folder = next((wanted.code for wanted in session.wanted().containers if wanted.name == container.name), "")
    except Failure:
        return command  # compiled by nobody here: the image's own folder
    return ("sh", "-c", IN_FOLDER, "sh", folder, *command) if folder else command


def execute(container: FoundContainer, command: Sequence[str], printed: Printed | None = None) -> int:
    """`docker exec` with the caller's streams, with a terminal if all of them are one; the command's status.

    `printed` hears what the command prints, in place of stdout and stderr.
    """
    from dusty_tasks.effects.engine.attached import own_streams, run_in_container
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.effects.engine.reads import has_file

    host, streams = session.docker_host(), own_streams()
    if printed:
        streams = streams._replace(stdout_is_terminal=False)
    # An app is started by sh; the image of a service may have none.
    has_shell = (
        command[0] == "sh"
        or container.kind == "app"
        or bool(streams.terminal and has_file(Engine(host), container.id, "/bin/sh"))
    )
    return run_in_container(
        container.id,
        command,
        streams,
        env=host.engine_environment(),
        has_shell=has_shell,
        hear=printed.hear if printed else None,
    )
