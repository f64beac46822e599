"""How long this process has been at work, its interpreter's own start included."""

from __future__ import annotations

import os
import time

IMPORTED = time.monotonic()


def seconds_since_start() -> float:
    """Seconds since the kernel started this process (Linux), else since this module was loaded."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - IMPORTED
