"""`dusty restart`: sync the code of apps and restart them; nothing is recreated, and changed specs wait for `up`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.plan.change import CREATE, RECREATE, REMOVE, RESTART, Change
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.called import DUSTY, PLAIN
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.code.receipts import Receipt, read_receipts
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.history.noting import note_run
from dusty_tasks.operations.launch.page_states import note_found
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.launch.restarting import Restarted, restart
from dusty_tasks.operations.names import not_in_the_stack
from dusty_tasks.verbs.shared.repo_words import found_entries
from dusty_tasks.verbs.shared.words import misuse


def run(
    words: list[str],
    repo: list[str] | None = None,
    repos: list[str] | None = None,
    no_sync: bool = False,
    all: bool = False,
    json: bool = False,
) -> int:
    """The named containers, the apps that use one of the repos (with --repo every word is one), all apps, or with --all the whole stack."""
    if not json:
        return restart_asked(words, repo, repos, no_sync, all).code
    from dusty_tasks.verbs.shared.aside import aside
    from dusty_tasks.verbs.shared.words import say_json

    with aside() as heard:
        done = restart_asked(words, repo, repos, no_sync, all)
    say_json(
        {
            "ok": done.code == 0,
            "exit_code": done.code,
            "restarted": list(done.names),
            "absent": [{"name": name, "needed_by": user} for name, user in done.absent],
            "warnings": heard.warnings,
        }
    )
    return done.code


class Ended(NamedTuple):
    """What came of it."""

    code: int
    names: Sequence[str]
    absent: Sequence[tuple[str, str]]
    """(what has no container, the part that needs it or '')."""


def restart_asked(words: list[str], repo: list[str] | None, repos: list[str] | None, no_sync: bool, all: bool) -> Ended:
    """Sync and restart, and say so. Raises Failure."""
    repo_words = [*(repo or []), *(repos or [])]
    if all and (words or repo_words):
        raise misuse("restart", "--all takes no names: it is the whole stack")
    wanted = session.wanted()
    chosen = chosen_containers(words, repo_words, wanted, is_all=all)
    engine, began = Engine(session.docker_host()), time.time()
    with held("up", verb="restart", home=session.home()):
        found = reads.read_containers(engine)
        check_containers_are_ours(engine.host, found.values())
        receipts = sync(wanted, chosen if words or repo_words else None, no_sync)
        done = restart(chosen, wanted, engine, found, receipts)
        note_found(engine, "restart", starting=done.names)
    note_run(engine.host, "restart", began, [(restart_of(name), time.time()) for name in done.names])
    if not (words or repo_words or all):
        tell_left_alone(chosen, wanted, found, done)
    tell_proxy(chosen, found, done)
    absent = [(container.name, "") for container in chosen if container.name not in found] + [
        (name, user) for user, name in done.absent
    ]
    for name, user in absent:
        warn(f"{f'{user} needs {name}, which' if user else name} has no container\n    hint: {DUSTY} up creates it")
    tell_pending(engine)
    return Ended(max(done.code, 1 if absent else 0), done.names, absent)


def restart_of(name: str) -> Change:
    """The change that the journal holds."""
    return Change(RESTART, name, f"{PLAIN} restart")


def chosen_containers(
    words: list[str], repo_words: list[str], wanted: Wanted, *, is_all: bool
) -> list[WantedContainer]:
    """Which containers are to be restarted. Raises Failure."""
    if repo_words:
        return users_of([*repo_words, *words], wanted)
    if words:
        return named(words, wanted)
    return [container for container in wanted.containers if is_all or container.kind == "app"]


def tell_left_alone(
    chosen: list[WantedContainer], wanted: Wanted, found: dict[str, FoundContainer], done: Restarted
) -> None:
    """Databases and the proxy go on running, which people who type `restart` may not expect."""
    left = [
        container
        for container in wanted.containers
        if container.kind != "app" and container.name in found and container.name not in done.names
    ]
    if not chosen:
        say("there is no app in the stack")
    if left:
        names = ", ".join("the proxy" if container.kind == "proxy" else container.name for container in left)
        say(f"left alone: {names} ({DUSTY} restart --all covers the whole stack)")


def tell_proxy(chosen: list[WantedContainer], found: dict[str, FoundContainer], done: Restarted) -> None:
    """A proxy that does not run leaves the apps without their names."""
    routed = [container.name for container in chosen if container.http_urls and container.name in done.names]
    proxy = found.get(PROXY)
    if routed and PROXY not in done.names and not (proxy and proxy.is_running):
        warn(f"the proxy is not running, so no name reaches {', '.join(routed)}\n    hint: {DUSTY} up starts it")


def users_of(repo_words: list[str], wanted: Wanted) -> list[WantedContainer]:
    """The apps whose container holds one of these repos. Raises Failure, before anything is restarted, if a repo has none."""
    entries = found_entries(repo_words, list(wanted.repos))
    ids = {entry.id for entry in entries}
    apps = [container for container in wanted.containers if ids & set(container.repo_ids)]
    if not apps:
        raise Failure(f"no app of the stack uses {', '.join(sorted(ids))}")
    return apps


def named(words: list[str], wanted: Wanted) -> list[WantedContainer]:
    """The containers of these names. Raises Failure for one that nobody knows."""
    by_name = {container.name: container for container in wanted.containers}
    by_name.update({container.container_name: container for container in wanted.containers})
    for word in words:
        if word not in by_name:
            raise not_in_the_stack(word, (container.name for container in wanted.containers))
    return list({by_name[word].name: by_name[word] for word in words}.values())


def sync(wanted: Wanted, chosen: list[WantedContainer] | None, is_left_out: bool) -> Mapping[str, Receipt]:
    """Sync the repos in these containers (None: all of the stack); the receipts that lie on the Docker host then. Raises Failure."""
    from dusty_tasks.operations.code.sync import How, sync_repos
    from dusty_tasks.operations.code.sync_outcome import failure_of

    host = session.docker_host()
    if session.settings().sync_mode == "bind":
        from dusty_tasks.operations.code.bound import bound_receipts

        return bound_receipts(wanted.repos, session.settings())
    ids = None if chosen is None else {repo_id for container in chosen for repo_id in container.repo_ids}
    entries = [] if is_left_out else [entry for entry in wanted.repos if ids is None or entry.id in ids]
    if not entries:
        return read_receipts(host, [entry.id for entry in wanted.repos]) if wanted.repos else {}
    synced = sync_repos(entries, host, session.settings(), How(say, "restart", is_locked=True), wanted.repos)
    if failure := failure_of(synced):
        raise failure
    return synced.receipts


def tell_pending(engine: Engine) -> None:
    """Changed specs are not applied by a restart; say so."""
    from dusty_tasks.operations.look import look_ahead

    view = look_ahead(engine)
    if view and view.plan.of(CREATE, RECREATE, REMOVE):
        say(f"pending changes: run {DUSTY} up")
