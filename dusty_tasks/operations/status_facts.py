"""What `status` tells: what is active, what runs, and from which code, as JSON values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dusty_tasks import session
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.change import Change
from dusty_tasks.core.plan.container_state import OFF, UNKNOWN, state_of
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.wording import GIB
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.specs.states import override_files
from dusty_tasks.operations.look import View, look_ahead


def read_facts(names: Collection[str] = (), *, verbose: bool = False, with_stats: bool = False) -> dict[str, Any]:
    """Everything that is shown; of the parts `names` alone and their repos, if there are any. Raises Failure for a name that no part has.

    `verbose`: ask git about each repo, and what was made in its copy; `with_stats`: CPU and memory of what runs.
    """
    engine = Engine(session.docker_host())
    view = look_ahead(engine)
    parts = rows(view) if view else []
    if names:
        from dusty_tasks.core.text.problems import did_you_mean

        known = [row["name"] for row in (*parts, *shared_rows())]
        for name in names:
            if name not in known:
                raise Failure(f'no part of the stack is named "{name}"', did_you_mean(name, known))
        parts = [row for row in parts if row["name"] in names]
    if with_stats and view:
        add_stats(engine, view, parts)
    world, shared = session.world(), shared_rows()
    if names:
        shared = [row for row in shared if row["name"] in names]
    repo_ids = {repo_id for row in parts for repo_id in row.get("repos", ())} if names else None
    return {
        "bundles": active_bundles(),
        "disabled": [name for name in session.settings().disabled if not world or name not in world.shared_parts],
        **({"world": {"name": world.name, "why": session.current().why, "address": world.address}} if world else {}),
        "overrides": [found.file for found in override_files(session.paths().overrides)],
        "docker_host": host_facts(engine, view),
        "stack": [*parts, *shared],
        "repos": repo_rows(view, verbose, repo_ids) if view else [],
        "hosts_conflicts": list(view.found.hosts_conflicts) if view else [],
        "hosts_refused": view.found.hosts_refused if view else "",
        "problems": problems(),
    }


def shared_rows() -> list[dict[str, Any]]:
    """In a world, the parts that it shares with the base, as the base's engine lists them."""
    world = session.world()
    if world is None or not world.shared_parts:
        return []
    with session.begun(session.Session(session.base_home())):
        try:
            found = reads.read_containers(Engine(session.docker_host()))
        except Failure:
            return []
    rows = []
    for name in world.shared_parts:
        container = found.get(name)
        state = state_of(None, container, {})
        rows.append(
            {
                **dict.fromkeys(("why", "image", "code", "last", "pending"), ""),
                "name": name,
                "type": container.kind if container else "service",
                "state": f"{state.text} (shared)",
                "condition": state.name,
                "since": container.since if container else "",
                "routes": [],
                "ports": [],
                "repos": [],
                "shared": True,
            }
        )
    return rows


def add_stats(engine: Engine, view: View, parts: list[dict[str, Any]]) -> None:
    """Add what each running part uses of CPU and memory now."""
    from dusty_tasks.effects.engine.stats import read_stats

    running = {
        row["name"]: container.id
        for row in parts
        if (container := view.found.containers.get(row["name"])) and container.is_running
    }
    used = read_stats(engine, list(running.values()))
    for row in parts:
        stats = used.get(running.get(row["name"], ""))
        if stats:
            row["stats"] = stats._asdict()


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
        "repos": list(wanted.repo_ids) if wanted else [],
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
    host_name = session.settings().namespace.host_name
    for route in stack.routes:
        if route.kind != "http":
            streams.setdefault(route.app_name, []).append(f"{host_name(route.host_name)}:{route.host_port}")
    return list(stack.libs), streams


def repo_rows(view: View, verbose: bool, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Per repo of the stack, or of those with an id in `only`: where its code comes from, the commit, and whether the copy is up to date; with `verbose` git's own word."""
    from dusty_tasks.effects.code.working_tree import read_branch, read_commit
    from dusty_tasks.operations.code.sources import source_of

    found = []
    names = shown_names(entry.id for entry in view.wanted.repos)
    for entry in view.wanted.repos:
        if only is not None and entry.id not in only:
            continue
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
