"""`dusty restart`: sync the code of apps and restart them; nothing is recreated, and changed specs wait for `up`."""
from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.alike import Report, sentences
from dusty_tasks.core.batches import levels, stop_seconds_of
from dusty_tasks.core.changes import CREATE, RECREATE, REMOVE, RESTART, Change, shared_with
from dusty_tasks.core.found import FoundContainer
from dusty_tasks.core.records import last_change, started_anew, synced
from dusty_tasks.core.wanted import Wanted, WantedContainer
from dusty_tasks.effects import docker
from dusty_tasks.effects.docker import Engine
from dusty_tasks.effects.failures import Failure
from dusty_tasks.effects.host_files import PRIVATE, read_host_json, write_host_json
from dusty_tasks.effects.lock import held
from dusty_tasks.effects.observe import STARTED
from dusty_tasks.effects.receipts import Receipt, read_receipts
from dusty_tasks.steps.page_states import note_found
from dusty_tasks.steps.preconditions import check_containers_are_ours
from dusty_tasks.verbs.repo_words import found_entries
from dusty_tasks.verbs.running import not_in_the_stack


def run(words: list[str], repo: list[str] | None = None, repos: list[str] | None = None, no_sync: bool = False) -> int | None:
    """With --repo every word is a repo, and the apps that use one of them are restarted."""
    repo_words = [*(repo or []), *(repos or [])]
    wanted = session.wanted()
    chosen = users_of([*repo_words, *words], wanted) if repo_words else named(words, wanted) if words else list(wanted.containers)
    engine = Engine(session.docker_host())
    with held("up", verb="restart", home=session.home()):
        found = docker.read_containers(engine)
        check_containers_are_ours(engine.host, found.values())
        receipts = sync(wanted, chosen if words or repo_words else None, no_sync)
        code = restart([container for container in chosen if container.name in found], wanted, engine, found, receipts)
        note_found(engine, "restart", starting=[container.name for container in chosen])
    absent = [container.name for container in chosen if container.name not in found]
    for name in absent:
        warn(f"{name} has no container\n    hint: dusty up makes it")
    tell_pending(engine)
    return max(code, 1 if absent else 0)


def users_of(repo_words: list[str], wanted: Wanted) -> list[WantedContainer]:
    """The apps whose container holds one of these repos. Raises Failure, before anything is restarted, if a repo has none."""
    entries = found_entries(repo_words, list(wanted.repos))
    ids = {entry["id"] for entry in entries}
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


def sync(wanted: Wanted, chosen: list[WantedContainer] | None, is_left_out: bool) -> dict[str, Receipt]:
    """Sync the repos in these containers (None: all of the stack); the receipts that lie on the Docker host then. Raises Failure."""
    from dusty_tasks.steps.sync import failure_of, sync_repos

    host = session.docker_host()
    if not is_left_out:
        ids = None if chosen is None else {repo_id for container in chosen for repo_id in container.repo_ids}
        entries = [entry for entry in wanted.repos if ids is None or entry["id"] in ids]
        failure = failure_of(sync_repos(entries, host=host, settings=session.settings(), say=say, verb="restart", stack_repos=wanted.repos))
        if failure:
            raise failure
    return read_receipts(host, [entry["id"] for entry in wanted.repos]) if wanted.repos else {}


def restart(chosen: list[WantedContainer], wanted: Wanted, engine: Engine, found: dict[str, FoundContainer],
            receipts: dict[str, Receipt]) -> int:
    """Restart containers, dependencies first, independent ones at once, each with those that share its network; the exit code."""
    everyone = with_sharers(chosen, wanted, found)
    started = read_host_json(engine.host, STARTED)
    failures: list[Report] = []
    for level in levels(everyone, wanted):
        calls = [partial(docker.run_restart, engine, found[each.name].id, stop_seconds_of(each.kind)) for each in level]
        for each, failure in zip(level, docker.each_at_once(calls), strict=True):
            if failure:
                failures.append(Report(each.name, str(failure), (each.container_name, found[each.name].id)))
                continue
            say(f"restarted {each.name}")
            record = started.get(each.container_name)
            if record and record.get("container_id") == found[each.name].id:
                started[each.container_name] = {
                    **started_anew(record), **last_change(Change(RESTART, each.name, "dusty restart"), time.strftime("%Y-%m-%dT%H:%M:%S%z")),
                    **synced(each, receipts),
                    "stopped": False, "finished": False, "restart_owed": False}
        write_host_json(engine.host, STARTED, started, PRIVATE)
    for sentence, _code in sentences(failures):
        warn(sentence)
    return 2 if failures else 0


def with_sharers(chosen: Iterable[WantedContainer], wanted: Wanted, found: dict[str, FoundContainer]) -> list[WantedContainer]:
    """`chosen` and every running container that lives in the network of one of them, in stack order."""
    names = {container.name for container in chosen}
    for container in wanted.containers:
        if set(shared_with(container)) & names and container.name in found and found[container.name].is_running:
            names.add(container.name)
    return [container for container in wanted.containers if container.name in names]


def tell_pending(engine: Engine) -> None:
    """Changed specs are not applied by a restart; say so."""
    from dusty_tasks.steps.reality import look_ahead

    view = look_ahead(engine)
    if view and view.plan.of(CREATE, RECREATE, REMOVE):
        say("pending changes: run dusty up")
