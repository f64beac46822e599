"""`dusty help` on a terminal: the manual page, where the program `man` is there to show it."""

from __future__ import annotations

import os
import sys
import tempfile

from dusty_tasks.console import is_terminal
from dusty_tasks.verbs.table import Verb


def show(verb: Verb | None) -> bool:
    """Open the page of a verb, or of Dusty; False where it could not be shown, and the page has to be printed."""
    import shutil

    if not is_terminal(sys.stdout) or not is_terminal(sys.stdin) or not shutil.which("man"):
        return False
    from dusty_tasks.cli import man_pages
    from dusty_tasks.effects.doors.failures import Failure
    from dusty_tasks.effects.doors.process import run_attached

    with tempfile.TemporaryDirectory(prefix="dusty-help-") as folder:
        path = os.path.join(folder, man_pages.file_name(verb))
        with open(path, "w", encoding="utf-8") as file:
            file.write(man_pages.page(verb))
        try:
            # With a slash in it, `man` takes a word for a file, that of macOS as well.
            return run_attached(["man", path]) == 0
        except Failure:
            return False
