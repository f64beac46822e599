"""`dusty version`: versions of Dusty and of what it uses."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say, table_within, width
from dusty_tasks.effects.engine.versions import read_versions
from dusty_tasks.verbs.shared.words import exactly, say_json


def run(words: list[str], json: bool = False) -> int | None:
    """Print one line each. What is missing or does not answer is said in its line, and is no error."""
    exactly("version", "", words)
    found = read_versions(session.docker_host)
    if json:
        say_json({name: version or None for name, version, _why in found})
    else:
        say(table_within(width(), (), [(name, version or f"- ({why})") for name, version, why in found]))
    return None
