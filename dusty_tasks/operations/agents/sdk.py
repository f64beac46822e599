"""The SDK that `dusty mcp` needs: is it there, and how does it get there? Nothing else of Dusty's needs it."""

from __future__ import annotations

import importlib.util

from dusty_tasks import bootstrap
from dusty_tasks.operations.machine import extras

__all__ = ["bootstrap", "is_there", "provide"]

EXTRA = extras.Extra("mcp", "the MCP server", "the Python package mcp")


def is_there() -> bool:
    return importlib.util.find_spec("mcp") is not None


def provide(*, yes: bool) -> None:
    """See to it that the SDK is there: a checkout's .venv gets it once that was agreed to. Raises Failure."""
    if not is_there():
        extras.provide(EXTRA, yes=yes)
