"""The door to the person's browser."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

OPENERS = ("xdg-open", "wslview", "open")
"""What opens a URL in the browser that a person chose: Linux, WSL, macOS."""
READ_WITHIN = 60.0
"""Seconds that a browser has to start and read the file that leads it to a private address."""
SNAPS = "/var/lib/snapd/desktop/applications"
"""Where snapd puts the desktop files of snaps."""


def open_in_browser(url: str) -> bool:
    """Open `url`, or a file; False where no browser can be started. Its failure is no failure of ours: the URL is printed as well."""
    if not (opener := _opener()):
        return False
    from dusty_tasks.effects.doors.process import run as run_program

    run_program([opener, url], check=False, timeout=10)
    return True


@contextmanager
def opened_privately(url: str, folder: str) -> Iterator[None]:
    """Open a `url` that others must not see; what leads to it is gone after a minute, or at the end of the block.

    `ps` shows every user the arguments of a browser, and these stay there as long as it runs. So it is given the path of a file of mode
    0600 below `folder`, which sends it to the address. A code that works once would be no better: whoever polls `ps` is faster
    than a browser that starts. A snap cannot read the file (is_confined): there the person opens the printed address.
    """
    path = _leading_to(url, folder) if _opener() else ""
    if not path:
        yield
        return
    timer = threading.Timer(READ_WITHIN, _remove, [path])
    timer.daemon = True
    timer.start()
    try:
        open_in_browser(path)
        yield
    finally:
        timer.cancel()
        _remove(path)


def _leading_to(url: str, folder: str) -> str:
    """The path of a new file that sends a browser to `url`; "" if it cannot be written. Those of runs that were killed go first."""
    import json
    import tempfile

    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for left in os.scandir(folder):
            if left.stat().st_mtime + READ_WITHIN < time.time():
                _remove(left.path)
        number, path = tempfile.mkstemp(".html", "open-", folder)
        with open(number, "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta charset="utf-8"><script>location.replace({json.dumps(url)})</script>\n')
    except OSError:
        return ""
    return path


def is_confined() -> bool:
    """True if the chosen browser is a snap: snapd lets it read neither hidden folders nor /tmp."""
    if not os.path.isdir(SNAPS) or not shutil.which("xdg-settings"):
        return False
    from dusty_tasks.effects.doors.process import run as run_program

    chosen = run_program(["xdg-settings", "get", "default-web-browser"], timeout=5).out.strip()
    return bool(chosen) and os.path.exists(os.path.join(SNAPS, os.path.basename(chosen)))


def _opener() -> str:
    return next((path for program in OPENERS if (path := shutil.which(program))), "")


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
