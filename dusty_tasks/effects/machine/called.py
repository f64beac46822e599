"""Finds out by which name this program was called, and gives it to core/text/called; and since when it runs."""

from __future__ import annotations

import os
import sys
import time

from dusty_tasks.core.text.called import DUSTY

VARIABLE = "DUSTY_CALLED_AS"
"""What the launcher sets: its own `$0`, which `python -m dusty_tasks` does not show."""


def learn_name() -> None:
    """Let messages name commands as they were typed: `dusty`, `./dusty`, a path, or `doit`."""
    program = sys.argv[0] if sys.argv else ""
    if program.endswith("/doit/__main__.py"):
        DUSTY.name = f"{as_typed(sys.orig_argv[0])} -m doit"
        return
    if os.path.basename(program) not in ("dusty", "doit"):
        program = os.environ.get(VARIABLE, "")
    if program:
        DUSTY.name = as_typed(program)


def as_typed(program: str) -> str:
    """A program's `argv[0]` as a word to type. One that PATH found has its whole path in there, and is called by its name alone."""
    name = os.path.basename(program)
    # Not shutil.which: its import takes longer than all of this, at every start.
    found = next((path for folder in os.get_exec_path() if os.access(path := os.path.join(folder, name), os.X_OK)), "")
    if "/" not in program:
        word = name if found else f"./{name}"
    else:
        # Both as PATH has them: whoever types a path of another spelling sees that one again.
        word = name if os.path.normpath(found) == os.path.normpath(program) else program
    if word.replace("/", "").replace("-", "").replace(".", "").isalnum():
        return word
    import shlex

    return shlex.quote(word)


IMPORTED = time.monotonic()


def seconds_since_start() -> float:
    """Seconds since the kernel started this process (Linux), else since this module was loaded."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - IMPORTED
