"""Where the engine of this machine is, as the docker client finds it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from dusty_tasks.effects.doors.failures import Failure

DEFAULT_SOCKET = "/var/run/docker.sock"


def engine_address(environ: Mapping[str, str]) -> str:
    """The engine that the docker client would talk to: DOCKER_HOST, else the current context's, else the default socket.

    Raises Failure for a context that docker does not have: what runs on another engine is not what was asked for.
    """
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    config_folder = environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    context_name = environ.get("DOCKER_CONTEXT") or _current_context(config_folder)
    if context_name in ("", "default"):
        return f"unix://{DEFAULT_SOCKET}"
    from hashlib import sha256

    try:
        with open(
            f"{config_folder}/contexts/meta/{sha256(context_name.encode()).hexdigest()}/meta.json", encoding="utf-8"
        ) as file:
            return str(json.load(file)["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(
            f'there is no docker context named "{context_name}"',
            "unset DOCKER_CONTEXT" if environ.get("DOCKER_CONTEXT") else "docker context use default",
        ) from error


def _current_context(config_folder: str) -> str:
    try:
        with open(f"{config_folder}/config.json", encoding="utf-8") as file:
            return str(json.load(file).get("currentContext") or "")
    except (OSError, ValueError, AttributeError):
        return ""
