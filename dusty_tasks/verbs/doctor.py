"""`dusty doctor`: check everything Dusty needs, and say how to mend it."""

from __future__ import annotations

from dusty_tasks.console import say, warn
from dusty_tasks.core.of_verbs.findings import FAILED, OK, Finding
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.words import exactly, say_json


def run(words: list[str], fix: bool = False, json: bool = False) -> int | None:
    """One line a finding; 1 if any failed. With --fix the harmless repairs are done first, and everything is looked at again."""
    exactly("doctor", "", words)
    from dusty_tasks.operations.machine import doctor as health

    findings = health.examine()
    if fix and any(finding.fix for finding in findings if finding.state != OK):
        mend(findings)
        findings = health.examine()
    if json:
        say_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            say(str(finding))
    return int(any(finding.state == FAILED for finding in findings))


def mend(findings: list[Finding]) -> None:
    """Do the repairs that the findings name, each by itself: one that fails is said, and stops no other."""
    from dusty_tasks import session
    from dusty_tasks.operations.machine import doctor as health

    for name in dict.fromkeys(finding.fix for finding in findings if finding.fix and finding.state != OK):
        try:
            health.repair([name])
        except Failure as failure:
            warn(f"{name}: {failure}")
    session.forget()
