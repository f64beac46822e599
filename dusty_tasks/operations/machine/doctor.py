"""The checks of `doctor`, each a function that gives its findings, and the harmless repairs.

More than 300 lines: a list of checks, each short and by itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable

from dusty_tasks import session
from dusty_tasks.console import say
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
from dusty_tasks.core.plan.change import NGINX, RECONNECT, RELOAD
from dusty_tasks.core.plan.container_state import advice
from dusty_tasks.core.plan.ports_to_open import published_addresses
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.text.alike import Report, sentences, subject
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROXY, STAND_IN_LABEL
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.parallel import threads
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.machine import hosts_health as hosts
from dusty_tasks.operations.machine import https_health as https

PATIENCE = 10.0
"""Seconds for one question to a program or a remote."""


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
        return [_away("engine", failure)]
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


def persist() -> list[Finding]:
    """Was a restore broken off?"""
    from dusty_tasks.core.of_verbs.backup import unfinished_restore
    from dusty_tasks.effects.observe.docker_host import read_unfinished

    what, mend = unfinished_restore(read_unfinished(session.docker_host()))
    return [Finding("persist", FAILED, what, mend)] if what else []


def ports() -> list[Finding]:
    """Who holds the ports that the proxy listens on?"""
    from dusty_tasks.effects.engine.port_holders import read_holder

    asked, wanted = Engine(session.docker_host()), _wanted()
    proxy = next((container for container in wanted.containers if container.kind == "proxy"), None)
    if proxy is None:
        return [Finding("ports", OK, "no route is active")]
    wrong = [
        (address[1], holder)
        for address in published_addresses(proxy.mapping)
        if (holder := read_holder(asked, address))
    ]
    if wrong:
        strangers = [holder for _, holder in wrong if not holder.is_engine]
        return [
            Finding(
                "ports",
                FAILED if strangers else WARNING,
                "; ".join(f"{port} is held by {holder}" for port, holder in wrong),
                (strangers or [wrong[0][1]])[0].way_out,
            )
        ]
    running = reads.read_containers(asked).get(PROXY)
    return [
        Finding(
            "ports",
            OK,
            f"{', '.join(map(str, wanted.host_ports))} {'held by the proxy' if running and running.published else 'free'}",
        )
    ]


def _wanted() -> Wanted:
    try:
        return session.wanted()
    except Failure:
        return Wanted(containers=())


def changes() -> list[Finding]:
    """Containers that are in trouble, and what `up` would do, the proxy's config among it."""
    from dusty_tasks.operations.look import look

    try:
        view = look(Engine(session.docker_host()))
    except Failure as failure:
        return [Finding("stack", WARNING, failure.what, failure.hint)]
    if view.engine_trouble:
        return [Finding("stack", WARNING, f"what runs on {session.docker_host().name} is unknown: it does not answer")]
    proxy = view.plan.of(NGINX, RELOAD, RECONNECT)
    found = [Finding("proxy", WARNING, str(change), f"{DUSTY} up", "proxy") for change in proxy] or [
        Finding("proxy", OK, "its config is the compiled one")
    ]
    troubles = {name: state for name, state in view.states.items() if state.is_trouble}
    found += [
        Finding("container", FAILED, f"{name} {state.what}", advice(state, name)) for name, state in troubles.items()
    ]
    others = [str(change) for change in view.plan.changes if change not in proxy and change.name not in troubles]
    if not others:
        return [*found, *([] if troubles else [Finding("stack", OK, "as compiled")])]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return [
        *found,
        Finding(
            "stack",
            WARNING,
            f"{counted(len(others), 'change')} pending: {'; '.join(others[:3])}{more}",
            f"{DUSTY} up; {DUSTY} plan shows all",
        ),
    ]


def requests() -> list[Finding]:
    """One request a route, through nginx; where it is not answered, the hop that fails."""
    from dusty_tasks.core.plan.hops import OWN_TROUBLE, Verdict
    from dusty_tasks.operations.launch.route_checks import Checked, check_routes

    asked = Engine(session.docker_host())
    checked = check_routes(asked, _wanted().containers, reads.read_containers(asked))
    silent: dict[Verdict, list[Checked]] = {}
    for one in checked:
        if one.verdict:
            silent.setdefault(one.verdict, []).append(one)
    found = [
        Finding(
            f"route ({verdict.hop})",
            FAILED,
            f"{subject([one.url for one in those])} is not answered: {verdict.what}",
            verdict.mend or f"{DUSTY} logs {' '.join(dict.fromkeys(one.name for one in those))}",
        )
        for verdict, those in silent.items()
    ]
    found += [
        Finding(
            "request",
            WARNING,
            f"{one.name} answers at {one.url} with its own status {one.answer.status}",
            f"{DUSTY} logs {one.name}",
        )
        for one in checked
        if not one.verdict and one.answer.status >= OWN_TROUBLE
    ]
    return found or [
        Finding(
            "request",
            OK,
            f"{counted(len(checked), 'URL')} answered through nginx" if checked else "no app with a URL runs",
        )
    ]


def repos() -> list[Finding]:
    """Can the managed repos be reached, and is there a key to do it with?"""
    from dusty_tasks.core.specs.repo_ids import Repo, login_of, repo_of
    from dusty_tasks.operations.code.repos import is_managed

    chosen = session.settings()
    known: dict[str, Repo] = {repo.id: repo for repo in ([repo_of(chosen.specs_repo)] if chosen.specs_repo else [])}
    try:
        known.update(session.stack().repos)
    except Failure:
        pass
    urls = sorted({repo.url for repo in known.values() if is_managed(repo, chosen)})
    if not urls:
        return [Finding("repos", OK, "none is managed: nothing is fetched")]
    needs_key = any(url.startswith("ssh://") or "@" in url.split("/")[0] for url in urls)
    with threads(8) as pool:
        reasons = list(pool.map(_why_unreachable, urls))
    reports = [
        Report(login_of(url).url, f"{cause}\n{hint}", (url,))
        for url, (cause, hint) in zip(urls, reasons, strict=True)
        if cause
    ]
    said = [sentence.partition("\n") for sentence, _code in sentences(reports, " cannot be reached: ")]
    bad = [
        Finding("repos", FAILED, sentence, hint or f"check your access, then {DUSTY} repos update")
        for sentence, _, hint in said
    ]
    return [
        *(_ssh_agent() if needs_key else []),
        *(bad or [Finding("repos", OK, f"{counted(len(urls), 'managed repo')} reached")]),
    ]


def _why_unreachable(url: str) -> tuple[str, str]:
    """(why a repo does not answer, a hint), ('', '') if it does."""
    from dusty_tasks.core.specs.repo_ids import login_of
    from dusty_tasks.effects.code.git import list_remote
    from dusty_tasks.effects.doors.failures import ToolFailed

    try:
        login = login_of(url)
        list_remote(login, "ls-remote", "--quiet", "--", login.url, "HEAD", timeout=PATIENCE)
    except ToolFailed as failure:
        if failure.exit_code == process.TIMED_OUT:
            return f"no answer within {PATIENCE:.0f} s", ""
        return (failure.printed.strip().splitlines() or [f"git exited with status {failure.exit_code}"])[
            0
        ], failure.hint
    return "", ""


def _ssh_agent() -> list[Finding]:
    ended = process.run(["ssh-add", "-l"], timeout=PATIENCE)
    if ended.code == 0:
        return [Finding("ssh agent", OK, f"{counted(len(ended.out.splitlines()), 'key')}")]
    what = "it holds no key" if ended.code == 1 else "none is running"
    return [Finding("ssh agent", WARNING, what, "eval $(ssh-agent), then ssh-add" if ended.code == 2 else "ssh-add")]


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
        return [_away(check.__name__, failure)]
    except OSError as error:
        return [Finding(check.__name__, FAILED, f"{error.filename or ''} {error.strerror or error}".strip())]


def _away(topic: str, failure: Failure) -> Finding:
    """What a check could not do. A Docker host that is off by its owner's wish is no failure."""
    from dusty_tasks.operations.machine.docker_host import named_off

    named = named_off(failure)
    return (
        Finding(topic, FAILED, failure.what, failure.hint)
        if named is failure
        else Finding("engine", WARNING, named.what, named.hint)
    )


def repair(names: Iterable[str]) -> None:
    """Do the harmless repairs of these names. Raises Failure."""
    for name in dict.fromkeys(name for name in names if name):
        REPAIRS[name]()


def _repair_proxy() -> None:
    from dusty_tasks.effects.doors.lock import held
    from dusty_tasks.operations.launch.containers import Launcher
    from dusty_tasks.operations.launch.printed import Printed
    from dusty_tasks.operations.launch.proxy import load_config, push_config
    from dusty_tasks.operations.launch.reporter import Deeds
    from dusty_tasks.operations.look import look

    asked = Engine(session.docker_host())
    with held("up", verb="doctor", home=session.home()):
        view = look(asked)
        launcher = Launcher(asked, session.settings(), view, Deeds(Printed()))
        proxy = view.found.containers.get(PROXY)
        if proxy is None or proxy.state != "running":
            return
        for change in view.plan.of(RECONNECT):
            launcher.reconnect(change)
        is_seen = push_config(asked, session.settings(), proxy.id) if view.plan.of(NGINX) else True
        for change in view.plan.of(RELOAD):
            say(str(change))
            load_config(asked, proxy.id, is_seen=is_seen)
            launcher.note_loaded(change, is_seen=is_seen)


def _repair_leftovers() -> None:
    from dusty_tasks.effects.engine.suite_projects import remove_leftovers

    removed = remove_leftovers(Engine(session.docker_host()))
    say(f"removed {removed} containers and networks of killed test runs")


def _repair_state() -> None:
    from dusty_tasks.effects.home.doit_database import heal

    heal(session.paths().doit_database)


def _repair_privacy() -> None:
    from dusty_tasks.effects.home.modes import close_home

    say(f"closed {session.home()} to other users: {counted(close_home(session.home()), 'mode')} changed")


REPAIRS: dict[str, Callable[[], None]] = {
    "hosts": hosts.repair,
    "proxy": _repair_proxy,
    "leftovers": _repair_leftovers,
    "state": _repair_state,
    "privacy": _repair_privacy,
}
