"""The SDK that `dusty mcp` needs: is it there, and how does it get there? Nothing else of Dusty's needs it."""

from __future__ import annotations

import importlib.util
import os

from dusty_tasks import bootstrap
from dusty_tasks.console import confirm, may_ask
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure

REQUIREMENTS = "requirements-mcp.txt"


def is_there() -> bool:
    return importlib.util.find_spec("mcp") is not None


def provide(*, yes: bool) -> None:
    """See to it that the SDK is there: a checkout's .venv gets it once that was agreed to. Raises Failure."""
    if is_there():
        return
    if not (bootstrap.ROOT / REQUIREMENTS).is_file():
        raise Failure(
            "this installation of Dusty has no MCP server: the Python package mcp is missing",
            'install the extra: pipx install "dusty[mcp]", or uv tool install "dusty[mcp]"',
        )
    where = os.path.join(bootstrap.ROOT, ".venv")
    if not yes and not may_ask():
        raise Failure(
            "the MCP server needs the Python package mcp, which is not installed",
            f"run {DUSTY} mcp once in a terminal: it asks, and installs it into {where}",
        )
    if not confirm(f"Install the Python package mcp, and what it needs, into {where}?", yes=yes):
        raise Failure("nothing was installed, and the MCP server needs the Python package mcp")
    if bootstrap.main([REQUIREMENTS]):
        raise Failure("the Python package mcp could not be installed", code=2)
    importlib.invalidate_caches()
