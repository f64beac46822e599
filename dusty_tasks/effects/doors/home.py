"""Where DUSTY_HOME is."""

from __future__ import annotations

import os

from dusty_tasks.effects.doors.once import current


def home_folder() -> str:
    """DUSTY_HOME as an absolute path (default ~/.dusty): that of the session, else that of the environment."""
    return os.path.abspath(os.path.expanduser(current().home or os.environ.get("DUSTY_HOME") or "~/.dusty"))
