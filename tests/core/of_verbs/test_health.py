"""Judgements of `doctor`."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.findings import (
    FAILED,
    OK,
    WARNING,
    Finding,
    judge_bridge,
    judge_clock,
    judge_space,
    judge_version,
    seconds_of,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (judge_space("here", 50 * GIB, 100 * GIB), OK),
        (judge_space("here", 2 * GIB, 100 * GIB), WARNING),
        (judge_space("here", 1000, 100 * GIB), FAILED),
        (judge_clock(0.4, "vm"), OK),
        (judge_clock(-60, "vm"), WARNING),
        (judge_clock(6, "vm"), WARNING),
        (judge_bridge("172.17.0.1", "172.17.0.1", "published"), OK),
        (judge_bridge("172.17.0.1", "10.0.0.1", "published"), FAILED),
        (judge_bridge("172.17.0.1", "", "published"), FAILED),
        (judge_bridge("172.17.0.1", "10.0.0.1", "network"), OK),
        (judge_version("git", "2.39", ""), OK),
        (judge_version("git", "", "not installed"), FAILED),
    ],
)
def test_states(finding: Finding, state: str) -> None:
    assert finding.state == state


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (judge_bridge("172.17.0.1", "10.0.0.1", "published"), "dusty config set bridge_ip 10.0.0.1"),
        (judge_bridge("172.17.0.1", "", "published"), "dusty config set routing network"),
        (judge_clock(-60, "vm"), "60 s behind this machine's"),
        (judge_version("rsync", "", "not installed"), "not installed"),
    ],
)
def test_a_finding_names_what_mends_it(finding: Finding, said: str) -> None:
    assert said in str(finding)


def test_what_fix_can_do_is_said() -> None:
    assert str(Finding("t", FAILED, "w", "m", "hosts")) == "failed: t: w\n    hint: m (doctor --fix does it)"
    assert str(Finding("t", OK, "w")) == "ok: t: w"


def test_the_engines_time() -> None:
    assert seconds_of("2026-01-31T12:00:00.123456789Z") == pytest.approx(1769860800.123456)
    assert seconds_of("2026-01-31T13:00:00+01:00") == 1769860800
