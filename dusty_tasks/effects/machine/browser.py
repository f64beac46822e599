"""The door to the person's browser."""

from __future__ import annotations

import shutil

OPENERS = ("xdg-open", "wslview", "open")
"""What opens a URL in the browser that a person chose: Linux, WSL, macOS."""


def open_in_browser(url: str) -> bool:
    """Open `url`; False where no browser can be started. Its failure is no failure of ours: the URL is printed as well."""
    opener = next((path for program in OPENERS if (path := shutil.which(program))), "")
    if not opener:
        return False
    from dusty_tasks.effects.doors.process import run as run_program

    run_program([opener, url], check=False, timeout=10)
    return True
