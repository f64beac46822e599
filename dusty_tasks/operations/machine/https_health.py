"""What `doctor` says of https: the authority's key, how long the certificates last, and which stores believe them."""

from __future__ import annotations

import time

from dusty_tasks import session
from dusty_tasks.core.of_verbs.believing import BELIEVED, is_in_a_store, variables_alone
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding
from dusty_tasks.core.stack.https import OFF
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.certificates import read_notes, refuse_open_key

TOPIC = "https"


def findings() -> list[Finding]:
    """With `https: off`, only that the authority is still trusted."""
    folder = session.paths().https
    if session.settings().https == OFF:
        return _still_believed() if read_notes(folder).authority else []
    try:
        refuse_open_key(folder)
    except Failure as failure:
        return [Finding(TOPIC, FAILED, failure.what, failure.hint)]
    notes = read_notes(folder)
    if notes.authority is None or not notes.signed:
        return [Finding(TOPIC, WARNING, "there are no certificates yet", f"{DUSTY} up creates them")]
    return [_lasting(min(notes.signed.values(), key=lambda one: one.until).until), *_believed(), *_in_containers()]


def _lasting(until: float) -> Finding:
    day = time.strftime("%Y-%m-%d", time.gmtime(until))
    if until < time.time():
        return Finding(TOPIC, FAILED, f"a certificate expired on {day}", f"{DUSTY} up renews it")
    return Finding(TOPIC, OK, f"certificates are valid until {day}; up renews them 30 days before")


def _in_containers() -> list[Finding]:
    """Which containers believe the authority by the variables alone, since their image has no store that Dusty knows, or no start script."""
    from dusty_tasks.effects.doors.parallel import threads
    from dusty_tasks.effects.engine import acts, reads
    from dusty_tasks.effects.engine.http import Engine

    def has_store(container_id: str) -> bool:
        try:
            code, printed = acts.run_exec(engine, container_id, ["cat", BELIEVED])
        except Failure:
            return False
        return code == 0 and is_in_a_store(printed)

    try:
        engine = Engine(session.docker_host())
        asked = [one for one in reads.list_containers(engine.host) if one.state == "running" and one.kind != "proxy"]
    except Failure:
        return []  # That the engine is away is said elsewhere.
    with threads(8) as pool:
        found = list(zip((one.name for one in asked), pool.map(has_store, (one.id for one in asked)), strict=True))
    return variables_alone([name for name, has_it in found if not has_it], len(asked))


def _still_believed() -> list[Finding]:
    from dusty_tasks.operations.machine.authority import places

    stores = [place.store.title for place in places() if place.state in ("trusted", "outdated")]
    if not stores:
        return []
    what = f"https is off, and the certificate authority is still trusted by {', '.join(stores)}"
    return [Finding(TOPIC, WARNING, what, f"{DUSTY} trust uninstall")]


def _believed() -> list[Finding]:
    from dusty_tasks.operations.machine.authority import places

    missing = [place.store.title for place in places() if place.state in ("missing", "outdated")]
    if not missing:
        return []
    what = f"the certificate authority is not trusted by {', '.join(missing)}"
    return [Finding(TOPIC, WARNING, what, f"{DUSTY} trust install")]
