"""What `doctor` says of this machine: programs, settings and specs, room, and what lies in DUSTY_HOME; with the repairs of that."""

from __future__ import annotations

import os
import shutil
import sqlite3

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding, judge_space, judge_version
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure


def programs() -> list[Finding]:
    """Everything that Dusty starts, with versions."""
    from dusty_tasks.effects.engine.versions import read_versions

    return [
        judge_version(name, version, why)
        for name, version, why in read_versions(session.docker_host)
        if name != "engine"
    ]


def settings() -> list[Finding]:
    """config.yml and the specs."""
    try:
        session.settings()
    except Failure as failure:
        return [
            Finding(
                "settings", FAILED, failure.without_source(), f"fix {session.paths().config}, or: {DUSTY} config undo"
            )
        ]
    try:
        specs = session.specs()
    except Failure as failure:
        if failure.problems:
            return [Finding("specs", FAILED, failure.what.splitlines()[-1], f"{DUSTY} validate shows all of it")]
        return [Finding("specs", FAILED, failure.what, failure.hint)]
    active = session.active_bundles()
    mend = "" if active else f"{DUSTY} bundles activate <name>"
    return [
        Finding("specs", OK, f"{counted(len(specs.bundles), 'bundle')}, {counted(len(specs.apps), 'app')}"),
        Finding("bundles", OK if active else WARNING, ", ".join(active) or "none is active", mend),
    ]


def space() -> list[Finding]:
    """Room for DUSTY_HOME, and on the Docker host."""
    from dusty_tasks.effects.engine.persist import read_persist

    usage = shutil.disk_usage(_existing(session.home()))
    found = [judge_space(f"at {session.home()}", usage.free, usage.total)]
    host = session.docker_host()
    disk = read_persist(host)[0] if host.is_far else {}
    return [*found, judge_space(f"on {host.name}", disk["free"], disk["size"])] if disk else found


def privacy() -> list[Finding]:
    """May other users of this machine read or change what is in DUSTY_HOME?"""
    from shlex import quote

    from dusty_tasks.effects.home.modes import read_opened

    home = session.home()
    opened = read_opened(home)
    if not opened.written and not opened.read:
        return []
    may, paths, state = ("change", opened.written, FAILED) if opened.written else ("read", opened.read, WARNING)
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return [
        Finding(
            "privacy",
            state,
            f"other users of this machine may {may} {', '.join(map(printable, paths[:3]))}{more}",
            f"chmod 700 {quote(home)}",
            "privacy",
        )
    ]


def _existing(path: str) -> str:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def state() -> list[Finding]:
    """The caches in state/, and logs of our own bugs."""
    folder = session.paths().state
    found = []
    path = session.paths().doit_database
    if os.path.exists(path):
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1) as database:
                sound = database.execute("pragma integrity_check").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            sound = False
        found.append(
            Finding("state", OK, "sound")
            if sound
            else Finding("state", WARNING, f"{path} is damaged", f"rm {path}: the next up creates it again", "state")
        )
    bugs = sorted(name for name in os.listdir(folder) if name.startswith("bug-")) if os.path.isdir(folder) else []
    if bugs:
        found.append(
            Finding(
                "bugs",
                WARNING,
                f"{counted(len(bugs), 'log')} of bugs in Dusty: {folder}/{bugs[-1]}",
                f"{DUSTY} dump makes an archive for a report",
            )
        )
    return found or [Finding("state", OK, "none yet")]


def repair_state() -> None:
    from dusty_tasks.effects.home.doit_database import heal

    heal(session.paths().doit_database)


def repair_privacy() -> None:
    from dusty_tasks.effects.home.modes import close_home

    say(f"closed {session.home()} to other users: {counted(close_home(session.home()), 'mode')} changed")
