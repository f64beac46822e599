"""wanted x found -> plan: the small operations that make reality what the specs say, each with its cause.

Pure: it asks nobody and prints nothing; the executor (operations/up) decides nothing. Rules: docs/architecture.md,
and docs/verbs.md on `up`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dusty_tasks.core.plan.change import (
    CLEAR,
    CREATE,
    HOSTS,
    RECREATE,
    REMOVE,
    START,
    STOP,
    SYNC,
    Change,
    Kind,
    Options,
    PlaceOf,
    Plan,
)
from dusty_tasks.core.plan.conditions import jobs_in
from dusty_tasks.core.plan.container_state import FINISHED, states
from dusty_tasks.core.plan.found import (
    Found,
    Sources,
)
from dusty_tasks.core.plan.image_changes import plan_images
from dusty_tasks.core.plan.push_changes import plan_nginx, plan_pushes
from dusty_tasks.core.plan.recreations import recreation
from dusty_tasks.core.plan.restarts import restart
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.specs.repo_ids import shown_names


def plan(
    wanted: Wanted,
    sources: Sources,
    found: Found,
    options: Options = Options(),  # noqa: B008 - immutable
    place_of: PlaceOf = lambda _name, _path: "",
) -> Plan:
    """Everything to do, in order: what can fail first, then containers, the proxy's config, and the hosts section when all is up."""
    containers, pending = plan_containers(wanted, sources, found, options, place_of)
    early, late = plan_nginx(wanted, sources, found, containers)
    whole = Plan(
        (
            *plan_images(wanted, sources, found, options, containers, place_of),
            *plan_pushes(wanted, sources, found),
            *_plan_syncs(wanted, found),
            *early,
            *containers,
            *late,
            *(() if found.hosts_refused else _plan_hosts(found)),
        ),
        (*pending, *(_plan_hosts(found) if found.hosts_refused else ())),
    )
    if not options.names:
        return whole
    from dusty_tasks.core.plan.chosen import narrowed

    return narrowed(whole, wanted, options.names, found.namespace)


def plan_here(found: Found) -> Plan:
    """What is to be done on this machine, where nobody can tell what is on the Docker host."""
    changes = tuple(_plan_hosts(found))
    return Plan((), changes) if found.hosts_refused else Plan(changes)


def _plan_hosts(found: Found) -> list[Change]:
    return (
        []
        if found.hosts_section_is_in_place
        else [Change(HOSTS, "", found.hosts_refused or "it differs from the compiled one")]
    )


def _plan_syncs(wanted: Wanted, found: Found) -> Iterator[Change]:
    shown = shown_names(entry.id for entry in wanted.repos)
    for repo_id, reason in sorted(found.stale_repos.items()):
        yield Change(SYNC, repo_id, reason, shown=shown.get(repo_id, ""))


def plan_containers(
    wanted: Wanted, sources: Sources, found: Found, options: Options, place_of: PlaceOf
) -> tuple[list[Change], list[Change]]:
    """Leftovers and removals first, then each wanted container that cannot be left alone, dependencies first; and what stays pending."""
    removals, pending = _plan_strangers(wanted, found, options)
    changes = [*_plan_leftovers(found), *removals]
    decided: dict[str, Kind] = {}
    told = states(wanted, found)
    jobs = jobs_in(wanted)
    for container in _proxy_last(wanted.containers):
        state = told[container.name]
        remade = recreation(container, state, sources, found, decided, place_of)
        if remade and remade.kind == RECREATE and options.no_recreate:
            pending.append(remade)
            remade = None
        change = remade or restart(container, state, sources, found, decided, place_of)
        if change is None and state.name == FINISHED and container.name in jobs:
            change = _job_again(container, decided)
        if change:
            decided[container.name] = change.kind
            changes.append(change)
    return changes, pending


def _job_again(job: WantedContainer, decided: dict[str, Kind]) -> Change | None:
    """What a job did may be gone with the containers that it needs: it runs again when one of them is made anew."""
    anew = [name for name in job.after if decided.get(name) in (CREATE, RECREATE)]
    return Change(START, job.name, f"its work may have been lost with the previous {', '.join(anew)}") if anew else None


def _proxy_last(containers: Iterable[WantedContainer]) -> list[WantedContainer]:
    return sorted(containers, key=lambda container: container.kind == "proxy")


def _plan_leftovers(found: Found) -> Iterator[Change]:
    """Compose would trip over them: it takes the first of two for the container, and finds the name for the next one taken."""
    for _, container in sorted(found.containers.items()):
        for leftover in container.leftovers:
            yield Change(CLEAR, leftover.container_name, "left by an interrupted recreation")


def _plan_strangers(wanted: Wanted, found: Found, options: Options) -> tuple[list[Change], list[Change]]:
    """Containers of Dusty's that the stack no longer has."""
    names = {container.name for container in wanted.containers}
    gone = [container for name, container in sorted(found.containers.items()) if name not in names]
    cause = "nothing active needs it"
    removals = [Change(REMOVE, container.name, cause) for container in gone]
    if not options.no_recreate:
        return removals, []
    return [Change(STOP, container.name, cause) for container in gone if container.is_running], removals
