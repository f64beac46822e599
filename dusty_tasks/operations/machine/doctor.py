"""The checks of `doctor`, each a function that gives its findings, and the harmless repairs, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dusty_tasks.core.of_verbs.findings import FAILED, OK, Finding
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.parallel import threads
from dusty_tasks.operations.machine import hosts_health as hosts
from dusty_tasks.operations.machine import https_health as https
from dusty_tasks.operations.machine.engine_health import away, engine, persist, repair_leftovers
from dusty_tasks.operations.machine.own_health import (
    privacy,
    programs,
    repair_privacy,
    repair_state,
    settings,
    space,
    state,
)
from dusty_tasks.operations.machine.repos_health import repos
from dusty_tasks.operations.machine.stack_health import changes, ports, repair_proxy, requests

CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    programs,
    settings,
    engine,
    space,
    privacy,
    persist,
    state,
    repos,
    hosts.findings,
    https.findings,
    ports,
    changes,
    requests,
)


def examine() -> list[Finding]:
    """All findings, in the order of CHECKS; a check that fails is a finding as well. One cause is said once."""
    first = settings()
    checks = (programs,) if first[0].topic == "settings" else CHECKS
    with threads(len(checks)) as pool:
        found = [finding for findings in pool.map(_attempt, checks) for finding in findings]
    if checks is not CHECKS:
        return [*found, *first]
    by_cause = {
        (finding.state, finding.what) if finding.state != OK else (finding.topic, finding.what): finding
        for finding in reversed(found)
    }
    return list(reversed(by_cause.values()))


def _attempt(check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except Failure as failure:
        return [away(check.__name__, failure)]
    except OSError as error:
        return [Finding(check.__name__, FAILED, f"{error.filename or ''} {error.strerror or error}".strip())]


def repair(names: Iterable[str]) -> None:
    """Do the harmless repairs of these names. Raises Failure."""
    for name in dict.fromkeys(name for name in names if name):
        REPAIRS[name]()


REPAIRS: dict[str, Callable[[], None]] = {
    "hosts": hosts.repair,
    "proxy": repair_proxy,
    "leftovers": repair_leftovers,
    "state": repair_state,
    "privacy": repair_privacy,
}
