"""Versions of Dusty and of what it uses."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable

import dusty_tasks
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.parallel import threads
from dusty_tasks.effects.engine.http import Engine

PATIENCE = 10.0
"""Seconds that one program gets for its answer."""


class Unknown(Exception):
    """A version that cannot be told; the text says why."""


def read_versions(docker_host: Callable[[], DockerHost]) -> list[tuple[str, str, str]]:
    """Name, version ('' if it cannot be told) and then why, of all that matters; the programs are asked at once.

    `docker_host` may raise Failure, as the settings do: then only the engine's version is not told.
    """
    asked: dict[str, Callable[[], str]] = {
        "docker": lambda: _program("docker"),
        "engine": lambda: _engine(docker_host()),
        "compose": lambda: _program("docker", "compose", "version"),
        "git": lambda: _program("git"),
        "rsync": lambda: _program("rsync"),
    }
    with threads(len(asked)) as pool:
        answers = list(pool.map(_asked, asked.values()))
    own = [
        ("dusty", dusty_tasks.__version__, ""),
        ("python", sys.version.split()[0], ""),
        ("doit", importlib.metadata.version("doit"), ""),
    ]
    return own + [(name, *answer) for name, answer in zip(asked, answers, strict=True)]


def _asked(ask: Callable[[], str]) -> tuple[str, str]:
    try:
        return ask(), ""
    except ToolFailed as failure:
        return "", "not installed" if failure.exit_code == 127 else failure.printed.strip().partition("\n")[0]
    except (Unknown, Failure) as failure:
        return "", str(failure).partition("\n")[0]


def _engine(host: DockerHost) -> str:
    return str(Engine(host).get("/version", timeout=PATIENCE)["Version"])


def _program(*argv: str) -> str:
    """The first thing that looks like a version in what a program says of itself."""
    ended = process.run([*argv, *([] if argv[1:] else ["--version"])], timeout=PATIENCE)
    found = re.search(r"\d+(?:\.\d+)+\S*", ended.out)
    if ended.code or not found:
        raise Unknown((ended.err or ended.out).strip().partition("\n")[0] or f"no answer within {PATIENCE:.0f} s")
    return found.group().rstrip(",")
