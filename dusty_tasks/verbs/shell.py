"""`dusty shell`: a shell, or one command, in a running container."""
from __future__ import annotations

import sys

from dusty_tasks import session
from dusty_tasks.console import is_terminal
from dusty_tasks.verbs.running import running
from dusty_tasks.verbs.words import misuse

BEST_SHELL = ("sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
DETACH_KEYS = "ctrl-@,ctrl-],ctrl-@"
"""Docker's own, ctrl-p ctrl-q, would take ctrl-p (the last command) away from every shell."""


def run(words: list[str]) -> int | None:
    """Run it on the caller's terminal; its exit status is ours."""
    if not words:
        raise misuse("shell", "shell needs the name of an app or service")
    container = running(words[0])
    return execute(container.id, words[1:] or BEST_SHELL)


def execute(container_id: str, command: list[str] | tuple[str, ...]) -> int:
    """`docker exec` with the caller's stdin, and a terminal if that is one; the command's status."""
    from dusty_tasks.effects.process import run_attached

    terminal = ["--tty", "--detach-keys", DETACH_KEYS] if is_terminal(sys.stdin) else []
    return run_attached(["docker", "exec", "--interactive", *terminal, container_id, *command],
                        env=session.docker_host().engine_environment())
