"""Where DUSTY_HOME is."""

from __future__ import annotations

import os


def home_folder() -> str:
    """DUSTY_HOME as an absolute path (default ~/.dusty)."""
    return os.path.abspath(os.path.expanduser(os.environ.get("DUSTY_HOME") or "~/.dusty"))
