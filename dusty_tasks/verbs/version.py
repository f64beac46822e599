"""`dusty version`: versions of Dusty and of what it uses."""
from __future__ import annotations

import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dusty_tasks import __version__, session
from dusty_tasks.console import say, table
from dusty_tasks.effects.failures import Failure, ToolFailed
from dusty_tasks.verbs.words import exactly, say_json

PATIENCE = 10.0
"""Seconds that one program gets for its answer."""


class Unknown(Exception):
    """A version that cannot be told; the text says why."""


def run(words: list[str], json: bool = False) -> int | None:
    """Print one line each. What is missing or does not answer is said in its line, and is no error."""
    exactly("version", "", words)
    found = versions()
    if json:
        say_json({name: version or None for name, version, _why in found})
    else:
        say(table((), [(name, version or f"- ({why})") for name, version, why in found]))
    return None


def versions() -> list[tuple[str, str, str]]:
    """Name, version ('' if it cannot be told) and then why, of all that matters; the programs are asked at once."""
    import importlib.metadata

    asked: dict[str, Callable[[], str]] = {"docker": _client, "engine": _engine, "compose": _compose, "git": lambda: _program("git"),
                                           "rsync": lambda: _program("rsync")}
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(_asked, asked.values()))
    own = [("dusty", __version__, ""), ("python", sys.version.split()[0], ""), ("doit", importlib.metadata.version("doit"), "")]
    return own + [(name, *answer) for name, answer in zip(asked, answers, strict=True)]


def _asked(ask: Callable[[], str]) -> tuple[str, str]:
    try:
        return ask(), ""
    except ToolFailed as failure:
        return "", "not installed" if failure.exit_code == 127 else failure.printed.strip().partition("\n")[0]
    except (Unknown, Failure) as failure:
        return "", str(failure).partition("\n")[0]


def _client() -> str:
    return _program("docker")


def _compose() -> str:
    return _program("docker", "compose", "version")


def _engine() -> str:
    from dusty_tasks.effects.docker import Engine

    return str(Engine(session.docker_host()).get("/version", timeout=PATIENCE)["Version"])


def _program(*argv: str) -> str:
    """The first thing that looks like a version in what a program says of itself."""
    from dusty_tasks.effects import process

    ended = process.run([*argv, *([] if argv[1:] else ["--version"])], timeout=PATIENCE)
    found = re.search(r"\d+(?:\.\d+)+\S*", ended.out)
    if ended.code or not found:
        raise Unknown((ended.err or ended.out).strip().partition("\n")[0] or f"no answer within {PATIENCE:.0f} s")
    return found.group().rstrip(",")
