"""Findings of `doctor` and the judgements behind them: how much is too little, how far is too far."""

from __future__ import annotations

import re
from typing import NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import size_text

OK, WARNING, FAILED = "ok", "warning", "failed"
LITTLE, TOO_LITTLE = 5 << 30, 500 << 20
CLOCK_LIMIT = 5.0
"""Seconds; beyond that, times of synced files and of what containers write no longer fit together."""


class Finding(NamedTuple):
    """One line of `doctor`."""

    topic: str
    state: str
    """ok, warning, failed."""
    what: str
    mend: str = ""
    """The command, or what else mends it."""
    fix: str = ""
    """The name of a harmless repair that `--fix` knows."""

    def __str__(self) -> str:
        mend = f"\n    hint: {self.mend}" if self.mend else ""
        fix = " (doctor --fix does it)" if self.fix and self.mend else ""
        return f"{self.state}: {self.topic}: {self.what}{mend}{fix}"


def judge_space(where: str, free: int, size: int) -> Finding:
    """Is there room to work in?"""
    what = f"{size_text(free)} free of {size_text(size)} {where}"
    if free < TOO_LITTLE:
        return Finding(
            "disk space", FAILED, what, f"{DUSTY} disk cleanup_images; {DUSTY} disk inspect shows what takes space"
        )
    if free < LITTLE:
        return Finding("disk space", WARNING, what, f"{DUSTY} disk inspect shows what takes space")
    return Finding("disk space", OK, what)


def judge_clock(difference: float, host_name: str) -> Finding:
    """`difference`: the engine's clock minus ours, in seconds."""
    if abs(difference) <= CLOCK_LIMIT:
        return Finding("clock", OK, f"the engine's clock is within {CLOCK_LIMIT:.0f} s of this machine's")
    word = "ahead of" if difference > 0 else "behind"
    return Finding(
        "clock",
        WARNING,
        f"the engine's on {host_name} is {abs(difference):.0f} s {word} this machine's",
        "synchronize both clocks (chrony, systemd-timesyncd), or restart the VM",
    )


def judge_bridge(configured: str, found: str, routing: str) -> Finding:
    """Does the compiled bridge address exist?"""
    if routing != "published":
        return Finding("bridge_ip", OK, "not used: routing is network")
    if found == configured:
        return Finding("bridge_ip", OK, configured)
    if not found:
        return Finding(
            "bridge_ip",
            FAILED,
            "the engine has no default bridge network",
            f"{DUSTY} config set routing network, then {DUSTY} up",
        )
    return Finding(
        "bridge_ip",
        FAILED,
        f"the engine's bridge is {found}, and the setting {configured}",
        f"{DUSTY} config set bridge_ip {found}, then {DUSTY} up",
    )


def judge_version(program: str, version: str, why: str, *, is_needed: bool = True) -> Finding:
    """Is it there?"""
    if version:
        return Finding(program, OK, version)
    return Finding(
        program,
        FAILED if is_needed else WARNING,
        why or "its version cannot be determined",
        f"{DUSTY} up --yes installs what is missing, or says how",
    )


def seconds_of(time_text: str) -> float:
    """The engine's `2026-11-21T01:02:03.456789Z` as seconds since 1970. Raises ValueError."""
    from datetime import datetime

    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", time_text).replace("Z", "+00:00")).timestamp()
