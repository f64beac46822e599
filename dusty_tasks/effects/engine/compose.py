"""`docker compose` with exact names: Compose makes containers, Dusty decides which."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from dusty_tasks.core.text.namespace import CONTEXT_LABEL
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import write_atomically
from dusty_tasks.effects.engine.builds import BUILD_LOG, run_build

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


NO_INIT = (
    "the engine has no init to start apps with: install its docker-init (package tini), or write compose: {init: false}"
)
_WAITING = re.compile(r" *Container (\S+) +Waiting")


def run_compose_up(
    host: DockerHost,
    compose_path: str,
    names: list[str],
    stop_seconds: int | None,
    lock: int | None = None,
    tell: Callable[[str], None] = lambda _name: None,
) -> ToolFailed | None:
    """Make or re-make the containers `names` and start them in the order of their depends_on; None, or why it failed.

    No dependency is touched, no image pulled or built: others decided that. `stop_seconds`: for those replaced; None: their own.
    `lock` is a descriptor that Compose inherits: if we are killed, nobody else begins before it has ended. `tell` hears the name of
    each container whose health check Compose waits for.
    """

    def follow(line: str) -> None:
        waiting = _WAITING.match(line)
        if waiting:
            tell(waiting[1])

    stop_time = [] if stop_seconds is None else ["-t", str(stop_seconds)]
    argv = [
        *_compose(host, compose_path),
        "up",
        "-d",
        "--no-deps",
        "--force-recreate",
        "--no-build",
        "--pull",
        "never",
        *stop_time,
        *names,
    ]
    finished = process.run(argv, env=_environment(host), pass_fds=() if lock is None else (lock,), on_line=follow)
    if not finished.code:
        return None
    printed = finished.err or finished.out
    return ToolFailed(argv, finished.code, printed, NO_INIT if "docker-init" in printed else "")


def run_compose_build(
    host: DockerHost,
    compose_path: str,
    digests: dict[str, str],
    folder: str,
    *,
    pull: bool,
    tell: Callable[[str], None],
) -> Failure | None:
    """Build the images of the containers in `digests`, each labelled with the digest of its context; None, or why it failed.

    `tell` hears each step that begins; what the builder prints is kept in `folder`.
    """
    labels_path = f"{folder}/build-labels.json"
    labels = {name: {"build": {"labels": {CONTEXT_LABEL: digest}}} for name, digest in digests.items()}
    write_atomically(labels_path, json.dumps({"services": labels}).encode())
    argv = [*_compose(host, compose_path), "-f", labels_path, "build", *(["--pull"] if pull else []), *digests]
    return run_build(argv, _environment(host), f"{folder}/{BUILD_LOG}", tell)


def _compose(host: DockerHost, compose_path: str) -> list[str]:
    return ["docker", "compose", "-p", host.namespace.project, "--env-file", os.devnull, "-f", compose_path]


def _environment(host: DockerHost) -> dict[str, str]:
    """The engine's environment without the caller's own Compose settings, which would change what Compose reads."""
    return {name: value for name, value in host.engine_environment().items() if not name.startswith("COMPOSE_")}
