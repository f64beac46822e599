"""What `doctor` says of the engine and the data on its host, and the removal of what killed test runs left there."""

from __future__ import annotations

import time

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding, judge_bridge, judge_clock, seconds_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import STAND_IN_LABEL
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine


def engine() -> list[Finding]:
    """Does it answer, how is its clock, its bridge, its room; which images are stand-ins?"""
    host = session.docker_host()
    asked = Engine(host)
    try:
        before = time.time()
        info = reads.read_info(asked)
        middle = (before + time.time()) / 2
        version = asked.get("/version")
    except Failure as failure:
        return [away("engine", failure)]
    found = [Finding("engine", OK, f"{version['Version']} (API {version['ApiVersion']}) on {host.name}")]
    try:
        found.append(judge_clock(seconds_of(info["SystemTime"]) - middle, host.name))
    except (KeyError, ValueError):
        pass
    chosen = session.settings()
    found.append(judge_bridge(chosen.bridge_ip, reads.read_bridge_address(asked), chosen.routing))
    return [*found, *_stand_ins(asked), *_leftovers(asked)]


def _stand_ins(asked: Engine) -> list[Finding]:
    names = sorted(name for name, labels in reads.read_images(asked).items() if labels.get(STAND_IN_LABEL) == "1")
    return (
        [
            Finding(
                "images",
                WARNING,
                f"{', '.join(names)} {'is a stand-in' if len(names) == 1 else 'are stand-ins'}: no registry answered",
                f"{DUSTY} up --pull, once one can be reached",
            )
        ]
        if names
        else []
    )


def _leftovers(asked: Engine) -> list[Finding]:
    from dusty_tasks.effects.engine.suite_projects import read_leftovers

    names = read_leftovers(asked)
    return (
        [
            Finding(
                "tests",
                WARNING,
                f"killed test runs left {counted(len(names), 'container')} or networks: {', '.join(names)}",
                f"{DUSTY} test removes them",
                "leftovers",
            )
        ]
        if names
        else []
    )


def persist() -> list[Finding]:
    """Was a restore broken off?"""
    from dusty_tasks.core.of_verbs.backup import unfinished_restore
    from dusty_tasks.effects.observe.docker_host import read_unfinished

    what, mend = unfinished_restore(read_unfinished(session.docker_host()))
    return [Finding("persist", FAILED, what, mend)] if what else []


def away(topic: str, failure: Failure) -> Finding:
    """What a check could not do. A Docker host that is off by its owner's wish is no failure."""
    from dusty_tasks.operations.machine.docker_host import named_off

    named = named_off(failure)
    return (
        Finding(topic, FAILED, failure.what, failure.hint)
        if named is failure
        else Finding("engine", WARNING, named.what, named.hint)
    )


def repair_leftovers() -> None:
    from dusty_tasks.effects.engine.suite_projects import remove_leftovers

    removed = remove_leftovers(Engine(session.docker_host()))
    say(f"removed {removed} containers and networks of killed test runs")
