"""What `dusty dev` decides: how long it waits before it acts, whether the machine slept, and the line that tells of a change. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dusty_tasks.core.code.watching import joined
from dusty_tasks.core.text.wording import counted

SHORTEST_QUIET, LONGEST_QUIET = 0.15, 1.5
"""Seconds without a change before containers are touched: after a single save, and after a burst that went on for long."""
LONGEST_BURST = 15.0
"""Seconds after which a burst that does not end is acted on all the same: somebody may write a log into the code."""
SLEPT = 5.0
"""Seconds by which the clock must be ahead of the time that passed here, before the machine is taken to have slept."""


def quiet_before_acting(burst: float) -> float:
    """Seconds without a change after which a burst that has lasted so long counts as ended: a build pauses for longer the longer it takes."""
    return min(LONGEST_QUIET, max(SHORTEST_QUIET, burst / 2))


def seconds_to_quiet(first: float, last: float, now: float) -> float:
    """How long to wait still for the end of a burst, by when its first and its last change came; 0 or less: it has ended."""
    return min(last + quiet_before_acting(last - first), first + LONGEST_BURST) - now


def has_slept(passed_here: float, passed_by_the_clock: float) -> bool:
    """True if the machine slept, or its clock was set, between two looks at a clock that stands still meanwhile and at one that does not."""
    return abs(passed_by_the_clock - passed_here) > SLEPT


class Told(NamedTuple):
    """What became of a change in some of the containers that have its code."""

    names: tuple[str, ...]
    deed: str
    """`restarted`, or '' where the copy was all."""
    served: float | None = None
    """Seconds from the change until they answered; None where that was not seen."""
    trouble: str = ""
    """What is wrong with them since."""


def change_line(names: Sequence[str], files: int, of: str, visible: float, told: Sequence[Told]) -> str:
    """One line a change: `web: 3 files, visible 38 ms, restarted, served 410 ms`.

    `names` are those of the containers that have the code, `of` the repo where that is not their own.
    """
    parts = [f"{counted(files, 'file')}{f' of {of}' if of and names else ''}", f"visible {duration(visible)}"]
    for each in told:
        who = "" if len(told) == 1 and set(each.names) == set(names) else f"{joined(each.names)} "
        if each.deed:
            parts.append(f"{who}{each.deed}")
        if each.served is not None:
            parts.append(f"served {duration(each.served)}")
        if each.trouble:
            parts.append(each.trouble)
    return f"{joined(list(names)) if names else of}: {', '.join(parts)}"


def duration(seconds: float) -> str:
    """`38 ms`, `2.41 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 2 else f"{seconds:.2f} s"
