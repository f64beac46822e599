"""Python packages that one verb alone needs: are they there, and how do they get there?"""

from __future__ import annotations

import importlib
import os
from typing import NamedTuple

from dusty_tasks import bootstrap
from dusty_tasks.console import confirm, may_ask
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure


class Extra(NamedTuple):
    """The packages of one verb. In a checkout `requirements-<name>.txt` pins them, for an installed Dusty they are the extra `name`."""

    name: str
    """The verb's, too."""
    what: str
    """What needs them: `the MCP server`."""
    packages: str
    """`the Python package mcp`."""
    are: str = "is"


def provide(extra: Extra, *, yes: bool) -> None:
    """Install what is missing into a checkout's .venv, once that was agreed to. Raises Failure."""
    requirements = f"requirements-{extra.name}.txt"
    if not (bootstrap.ROOT / requirements).is_file():
        raise Failure(
            f"this installation of Dusty has no {extra.what.removeprefix('the ')}: {extra.packages} {extra.are} missing",
            f'install the extra: pipx install "dusty[{extra.name}]", or uv tool install "dusty[{extra.name}]"',
        )
    where = os.path.join(bootstrap.ROOT, ".venv")
    if not yes and not may_ask():
        raise Failure(
            f"{extra.what} needs {extra.packages}, which {extra.are} not installed",
            f"run {DUSTY} {extra.name} once in a terminal: it asks, and installs what is missing into {where}",
        )
    if not confirm(f"Install {extra.packages}, and what is needed with it, into {where}?", yes=yes):
        raise Failure(f"nothing was installed, and {extra.what} needs {extra.packages}")
    if bootstrap.main([requirements]):
        raise Failure(f"{extra.packages} could not be installed", code=2)
    importlib.invalidate_caches()
