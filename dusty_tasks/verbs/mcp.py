"""`dusty mcp`: a server that lets agents use Dusty, over stdin and stdout."""

from __future__ import annotations

import importlib.util
import sys

from dusty_tasks.console import is_terminal, say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine import extras
from dusty_tasks.verbs.shared.words import exactly

EXTRA = extras.Extra("mcp", "the MCP server", "the Python package mcp")


def run(words: list[str], allow: str | None = None, yes: bool = False) -> int | None:
    """Serve until stdin ends. Raises Failure where the SDK is missing; on a terminal it only says that all is ready."""
    from dusty_tasks.core.of_verbs.agent_tools import CHANGES

    exactly("mcp", "", words)
    if allow not in (None, CHANGES):
        raise Failure(f'--allow takes "{CHANGES}", not "{allow}"')
    if not is_there():
        extras.provide(EXTRA, yes=yes)
    if is_terminal(sys.stdin):
        say(f"the MCP server is ready; agents start it themselves, with the command `{DUSTY} mcp`")
        return None
    from dusty_tasks.operations.agents.serving import serve

    serve(allow or "")
    return None


def is_there() -> bool:
    return importlib.util.find_spec("mcp") is not None
