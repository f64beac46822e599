"""`dusty status`: what is active, what runs, and from which code."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import is_terminal, say, table, warn
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.change import Change
from dusty_tasks.core.plan.container_state import OFF, UNKNOWN, state_of
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import GIB
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.look import View, look_ahead
from dusty_tasks.verbs.shared.words import exactly, say_json

CLEAR = "\x1b[H\x1b[2J"


def run(words: list[str], json: bool = False, watch: bool = False, verbose: bool = False) -> int | None:
    """Once, or again every two seconds until interrupted. A Docker host that is known to be off is said to be so, exit 0; 2 where nobody knows."""
    exactly("status", "", words)
    is_first = True
    while True:
        try:
            facts = read_facts(verbose)
        except Failure as failure:
            # What can be broken while one watches can be mended while one watches, too: config.yml, a context of docker.
            if is_first or not watch:
                raise
            warn(str(failure))
            wait_a_moment()
            continue
        is_first = False
        if watch and is_terminal() and not json:
            print(CLEAR, end="")
        if json:
            say_json(facts)
        else:
            show(facts)
        if not watch:
            return 2 if facts["docker_host"]["state"] == UNKNOWN else 0
        wait_a_moment()


def wait_a_moment() -> None:
    """Until the next look, which is to find what changed meanwhile."""
    time.sleep(2)
    session.forget()


def read_facts(verbose: bool) -> dict[str, Any]:
    """Everything that is shown, as JSON values."""
    engine = Engine(session.docker_host())
    view = look_ahead(engine)
    return {
        "bundles": active_bundles(),
        "docker_host": host_facts(engine, view),
        "stack": rows(view) if view else [],
        "repos": repo_rows(view, verbose) if view else [],
        "hosts_conflicts": list(view.found.hosts_conflicts) if view else [],
        "hosts_refused": view.found.hosts_refused if view else "",
        "problems": problems(),
    }


def active_bundles() -> list[str]:
    """What is activated; with specs that cannot be read nothing but the settings tells."""
    try:
        return list(session.active_bundles())
    except Failure:
        return []


def problems() -> str:
    """Why the specs cannot be used as they are, '' if they can: the table then shows what was compiled last."""
    try:
        session.specs()
    except Failure as failure:
        return str(failure)
    return ""


def host_facts(engine: Engine, view: View | None) -> dict[str, Any]:
    """Which Docker host, whether it answers, its CPUs and memory."""
    trouble, info, is_off = view.engine_trouble if view else "", {}, bool(view and view.is_off)
    if not trouble:
        try:
            info = reads.read_info(engine)
        except Failure as away:
            from dusty_tasks.effects.docker_host.vm import is_known_off

            trouble, is_off = away.what, is_known_off(engine.host)
    if trouble:
        return {"name": engine.host.name, "answers": False, "state": OFF if is_off else UNKNOWN, "trouble": trouble}
    return {
        "name": engine.host.name,
        "answers": True,
        "state": "on",
        "engine": info.get("ServerVersion", ""),
        "cpus": info.get("NCPU"),
        "memory_gib": round(info.get("MemTotal", 0) / GIB, 1),
    }


def rows(view: View) -> list[dict[str, Any]]:
    """A row a container and lib of the stack, then containers that the stack no longer has."""
    pending = pending_by_name([*view.plan.changes, *view.plan.pending])
    wanted = {container.name: container for container in view.wanted.containers}
    libs, streams = libs_and_streams()
    found = [
        _row(
            name, container.kind, view, [*container.http_urls, *streams.get(name, ())], pending.get(name, ""), container
        )
        for name, container in sorted(wanted.items(), key=_proxy_last)
    ]
    found += [
        {"name": name, "type": "lib", "state": "", "condition": "", "why": "", "routes": [], "pending": ""}
        for name in libs
    ]
    return found + [
        _row(name, container.kind, view, [], pending.get(name, ""))
        for name, container in sorted(view.found.containers.items())
        if name not in wanted
    ]


def _proxy_last(item: tuple[str, WantedContainer]) -> tuple[bool, str]:
    return item[1].kind == "proxy", item[0]


def _row(
    name: str, kind: str, view: View, routes: list[str], pending: str, wanted: WantedContainer | None = None
) -> dict[str, Any]:
    container = view.found.containers.get(name)
    record = view.found.started.get(container.container_name, {}) if container else {}
    last = f"{record['what']}: {record['cause']}" if record.get("what") and record.get("cause") else ""
    state = view.states.get(name) or state_of(None, container, record)
    return {
        "name": name,
        "type": kind,
        "state": state.text,
        "condition": state.name,
        "why": state.what if state.is_trouble else "",
        "since": container.since if container else "",
        "image": container.image if container else "",
        "routes": routes,
        "ports": [str(port) for port in wanted.mapping.get("ports") or ()] if wanted else [],
        "code": code_word(wanted, view) if wanted else "",
        "last": last,
        "pending": pending,
    }


def code_word(wanted: WantedContainer, view: View) -> str:
    """Which code a container runs: the commit of its own repo's copy, and whether a source is ahead of its copy."""
    if not wanted.repo_ids:
        return ""
    if view.engine_trouble and wanted.repo_ids[0] not in view.found.receipts:
        return "unknown"
    commit = str(view.found.receipts.get(wanted.repo_ids[0], {}).get("commit") or "")[:10]
    is_stale = any(repo_id in view.found.stale_repos for repo_id in wanted.repo_ids)
    return f"{commit or 'no commit'}{', sync pending' if is_stale else ''}"


def pending_by_name(changes: list[Change]) -> dict[str, str]:
    """Name of a container -> what `up` would do to it, and why."""
    return {change.name: f"{change.kind}: {change.cause}" for change in changes if change.name}


def libs_and_streams() -> tuple[list[str], dict[str, list[str]]]:
    """Libs of the stack; name of an app -> its stream routes as `host_name:port`. Nothing before the first compile."""
    try:
        stack = session.compiled_stack()
    except Failure:
        return [], {}
    streams: dict[str, list[str]] = {}
    for route in stack.routes:
        if route.kind == "stream":
            streams.setdefault(route.app_name, []).append(f"{route.host_name}:{route.host_port}")
    return list(stack.libs), streams


def repo_rows(view: View, verbose: bool) -> list[dict[str, Any]]:
    """Per repo of the stack: where its code comes from, the commit, and whether the copy is up to date; with `verbose` git's own word."""
    from dusty_tasks.effects.code.working_tree import read_branch, read_commit
    from dusty_tasks.operations.code.sources import source_of

    found = []
    names = shown_names(entry.id for entry in view.wanted.repos)
    for entry in view.wanted.repos:
        path, kind = source_of(entry, session.settings())
        row: dict[str, Any] = {
            "id": entry.id,
            "source": kind,
            "path": path,
            "branch": read_branch(path),
            "commit": read_commit(path)[:10],
            "name": names[entry.id],
            "sync": view.found.stale_repos.get(entry.id) or sync_word(entry.id, view),
        }
        if verbose:
            from dusty_tasks.effects.code.clones import Clone

            row["git"] = Clone(path).state()
            row["made_there"] = made_there(entry, path, view)
        found.append(row)
    return found


def made_there(entry: RepoEntry, path: str, view: View) -> list[dict[str, str]] | None:
    """What a copy gained or changed on the Docker host; None where that cannot be told."""
    receipt = view.found.receipts.get(entry.id)
    if session.settings().sync_mode == "bind" or not receipt:
        return None
    from dusty_tasks.core.code.replaced import shown_path
    from dusty_tasks.operations.code.copy_edits import edits_of_copy

    found = edits_of_copy(entry, path, session.docker_host(), session.settings(), receipt)
    return None if found is None else [{"path": shown_path(name), "what": what} for name, what in found]


def sync_word(repo_id: str, view: View) -> str:
    """For a copy that equals its source."""
    if session.settings().sync_mode == "bind":
        return "mounted itself"
    return "unknown" if view.engine_trouble and repo_id not in view.found.receipts else "up to date"


def show(facts: dict[str, Any]) -> None:
    """The facts for a person."""
    if facts["problems"]:
        warn(
            facts["problems"] + ("\nThe specs have problems; this is what was compiled last." if facts["stack"] else "")
        )
    bundles, host = facts["bundles"], facts["docker_host"]
    say(f"bundles: {', '.join(bundles) or f'none is activated ({DUSTY} bundles activate <name>)'}")
    if host["answers"]:
        say(f"Docker host: {host['name']}, engine {host['engine']}, {host['cpus']} CPUs, {host['memory_gib']} GiB")
    elif host["state"] == OFF:
        say(f"Docker host: {host['name']} is off ({DUSTY} up or {DUSTY} start starts it)")
    else:
        say(f"Docker host: {host['trouble']}; what runs there is unknown")
    for conflict in facts.get("hosts_conflicts", ()):
        warn(conflict)
    if facts.get("hosts_refused"):
        warn(f"the names lead nowhere yet: {facts['hosts_refused']}")
    if facts["stack"]:
        say("\n" + stack_table(facts["stack"]))
    if facts["repos"]:
        has_git = "git" in facts["repos"][0]
        say(
            "\n"
            + table(
                ("repo", "branch", "commit", "copy", *(["git"] if has_git else []), "source"),
                [
                    (
                        row["name"],
                        row["branch"],
                        row["commit"],
                        row["sync"],
                        *([row["git"]] if has_git else []),
                        source_text(row),
                    )
                    for row in facts["repos"]
                ],
            )
        )
        for line in made_there_lines(facts["repos"]):
            say(line)


def made_there_lines(repos: list[dict[str, Any]]) -> Iterator[str]:
    """What was made in copies, what becomes of it, and the way to have it in the source."""
    for row in repos:
        for edit in row.get("made_there") or ():
            is_new = edit["what"] == "new"
            yield (
                f"{row['name']}: {edit['path']} was {'made' if is_new else 'changed'} on the Docker host; "
                f"the next sync with changes {'deletes' if is_new else 'overwrites'} it, and keeps what it was"
            )
        if row.get("made_there"):
            yield f"    hint: {DUSTY} sync {row['name']} --pull PATH fetches it into the source"


def stack_table(rows: list[dict[str, Any]]) -> str:
    """A line a container with what changes, and below it its routes and what it is made of; all fit 80 columns as a rule."""
    lines = table(
        ("name", "type", "state", "since", "code"),
        [(row["name"], row["type"], row["state"], row.get("since", ""), row.get("code", "")) for row in rows],
    )
    head, *firsts = lines.splitlines()
    shown = [head]
    for row, first in zip(rows, firsts, strict=True):
        made_of = ", ".join(filter(None, (row.get("image", ""), " ".join(row.get("ports", ())))))
        details = [f"{key}: {row[key]}" if row.get(key) else "" for key in ("why", "last", "pending")]
        shown += [first, *(f"    {detail}" for detail in (" ".join(row["routes"]), made_of, *details) if detail)]
    return "\n".join(shown)


def source_text(row: dict[str, Any]) -> str:
    """Where a repo's code is taken from; a managed clone lies where it always does."""
    home = os.path.expanduser("~")
    path = row["path"].replace(home, "~", 1) if row["path"].startswith(f"{home}/") else row["path"]
    return "managed" if row["source"] == "managed" else f"{row['source']} {path}"
