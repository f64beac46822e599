"""One look at reality and the plan that follows from it: what `up`, `plan`, `status` and `why` have in common.

More than 300 lines: what one look reads, and in which order, is told in one place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.core.code.bind_sources import bind_sources, replaced_sources
from dusty_tasks.core.plan.batches import in_order_of_doing
from dusty_tasks.core.plan.change import CREATE, RECREATE, RESTART, START, Options, Plan
from dusty_tasks.core.plan.container_state import State, may_loop, states, unseen_states
from dusty_tasks.core.plan.found import Found, Sources
from dusty_tasks.core.plan.plan import plan, plan_here
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.code.sources import Looked, Looks, look_at_sources
from dusty_tasks.operations.places import place_finder, read_origins

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.effects.observe.docker_host import Reading


SLACK = 2
"""Seconds between an engine's note of a start and ours."""


class View(NamedTuple):
    """What should be, what is, and what is to be done."""

    wanted: Wanted
    sources: Sources
    found: Found
    plan: Plan
    """Where the engine did not answer, only what concerns this machine."""
    engine_trouble: str = ""
    """Why the engine did not answer; what is on it is then unknown."""
    is_off: bool = False
    """The Docker host is known to be off: what manages the machine says so."""
    states: Mapping[str, State] = MappingProxyType({})
    """Name -> the state of each wanted container."""
    looked: Mapping[str, Looked] = MappingProxyType({})
    """Repo id -> what was seen of its source, of those that are to be synced."""


class Compiled(NamedTuple):
    """What was compiled: the wanted containers and the artifacts that are pushed."""

    wanted: Wanted
    artifacts: Mapping[str, bytes]
    """Path below build/ -> bytes."""
    origins: Callable[[], Mapping[str, Any]]
    """The content of origins.json, read only where a cause needs its place."""


def compiled() -> Compiled:
    """The last compile, as it lies in build/ and state/. Raises Failure if there is none."""
    from dusty_tasks.effects.observe.this_machine import read_build

    settings = session.settings()
    return Compiled(session.wanted(), read_build(settings.build), lambda: read_origins(settings))


def compiled_now() -> Compiled:
    """What compile would write now, made in memory; nothing is written. Raises Failure for broken specs, or with nothing active."""
    from dusty_tasks.core.artifacts.rendering import Rendering
    from dusty_tasks.core.artifacts.table import Form, Whole, rows
    from dusty_tasks.core.check.assembled import nothing_active
    from dusty_tasks.core.plan.wanted import from_json
    from dusty_tasks.core.text.paths import COMPOSE_FILE
    from dusty_tasks.effects.specs.schemas import read_templates
    from dusty_tasks.operations.compile.sliced_files import SlicedFiles

    made, problems = session.assembled()
    refuse_errors(problems)
    if not made.stack.bundles:
        raise Failure(*nothing_active())
    settings = session.settings_for(made.stack.repos.values())
    whole = Whole(made.stack, settings, str(session.specs_root()))
    rendering = Rendering(whole, read_templates(), session.kept_texts())
    files = [SlicedFiles(row, rendering) for row in sorted(rows(Form.FILES), key=lambda row: row.path)]
    return Compiled(
        from_json(json.loads(rendering.wanted)),
        {path: data for each in files for path, data in each.contents().items()} | {COMPOSE_FILE: rendering.compose},
        lambda: json.loads(
            rendering.origins(session.specs().places, [spans for each in files for spans in each.traced()])
        ),
    )


def look_ahead(engine: Engine) -> View | None:
    """What `up` would do with the specs as they are; with broken ones, with those compiled last; None if nothing ever was."""
    try:
        return look(engine, made=compiled_now())
    except Failure:
        pass
    try:
        return look(engine)
    except Failure:
        return None


def look(engine: Engine, options: Options = Options(), made: Compiled | None = None) -> View:  # noqa: B008 - immutable
    """Read reality once and plan for what is compiled. Raises Failure.

    The images are asked for only if containers are to be made, the network only if ended ones are to be started.
    """
    from dusty_tasks.effects.observe.docker_host import found_of
    from dusty_tasks.effects.observe.this_machine import read_sources

    settings, (wanted, artifacts, origins) = session.settings(), made or compiled()
    reading, looks = _read_both_sides(engine, wanted, settings)
    specs_root = str(session.specs_root()) if any(container.spec_files for container in wanted.containers) else ""
    sources = read_sources(settings, wanted, artifacts, os.environ, specs_root)
    is_in_place, conflicts, refused = look_at_hosts(settings, artifacts)
    found = found_of(reading, engine)._replace(
        hosts_section_is_in_place=is_in_place, hosts_conflicts=conflicts, hosts_refused=refused
    )
    if settings.sync_mode == "bind":
        from dusty_tasks.operations.code.bound import bound_receipts

        found = found._replace(receipts=bound_receipts(wanted.repos, settings))
    if not reading.is_away:
        found = with_stale_repos(wanted, found, settings, engine.host, looks)
    if reading.engine_trouble:
        return unseen(engine, wanted, sources, found, reading.engine_trouble)
    found = found._replace(
        answers=read_answers(engine, wanted.containers, found, settings),
        looping=read_looping(engine, wanted.containers, found),
        sees_what_is_there=read_started_since(engine, wanted.containers, found),
    )
    place_of = place_finder(origins)
    planned = plan(wanted, sources, found, options, place_of)
    if any(not found.containers[change.name].is_running for change in planned.of(START, RESTART)):
        from dusty_tasks.effects.engine.reads import read_network_id

        found = found._replace(network_id=read_network_id(engine))
        planned = plan(wanted, sources, found, options, place_of)
    if planned.of(CREATE, RECREATE) or options.pull or options.build:
        from dusty_tasks.effects.engine.reads import read_images

        found = found._replace(images=read_images(engine))
        planned = plan(wanted, sources, found, options, place_of)
    return View(
        wanted,
        sources,
        found,
        in_order_of_doing(planned, wanted),
        states=states(wanted, found),
        looked=looks.kept(found.stale_repos),
    )


def unseen(engine: Engine, wanted: Wanted, sources: Sources, found: Found, trouble: str) -> View:
    """The view of a Docker host whose engine did not answer: nothing is known of it, least of all that it is empty."""
    from dusty_tasks.effects.docker_host.vm import is_known_off

    is_off = is_known_off(engine.host)
    return View(wanted, sources, found, plan_here(found), trouble, is_off, unseen_states(wanted, is_off=is_off))


def read_looping(engine: Engine, containers: Iterable[WantedContainer], found: Found) -> frozenset[str]:
    """The names of running containers that the engine started again a moment ago. Asked of those alone that have run for moments."""
    asked = [
        container.name
        for container in containers
        if container.name in found.containers and may_loop(container, found.containers[container.name])
    ]
    if not asked:
        return frozenset()
    from dusty_tasks.effects.engine.reads import read_restart_count

    return frozenset(name for name in asked if read_restart_count(engine, found.containers[name].id))


def read_started_since(engine: Engine, containers: Iterable[WantedContainer], found: Found) -> frozenset[str]:
    """The names of containers that others than Dusty started after what they mount was replaced: `docker restart`, a restart policy, a boot.
    Asked of those alone that mount something else than is recorded.
    """
    suspects = [
        (container.name, record, replaced)
        for container in containers
        if container.name in found.containers
        and (
            replaced := replaced_sources(
                container.mapping,
                (record := found.started.get(container.container_name) or {}).get("inodes", {}),
                found.inodes,
            )
        )
    ]
    if not suspects:
        return frozenset()
    from dusty_tasks.core.of_verbs.findings import seconds_of
    from dusty_tasks.effects.code.copy_states import read_last_change
    from dusty_tasks.effects.engine.reads import read_started_at

    seen = set()
    for name, record, paths in suspects:
        started_at = read_started_at(engine, found.containers[name].id)
        try:
            noted_at = seconds_of(record.get("time", ""))
        except ValueError:
            continue
        # What came with a folder further up keeps its own time, so that is believed only of a start that is not the recorded one.
        if started_at > noted_at + SLACK and started_at > read_last_change(engine.host, paths) + 1:
            seen.add(name)
    return frozenset(seen)


def with_fresh_inodes(engine: Engine, view: View, options: Options) -> View:
    """The view and its plan after something was put in place that containers mount."""
    from dusty_tasks.effects.code.copy_states import read_inodes

    found = view.found._replace(
        inodes=read_inodes(engine.host, bind_sources(container.mapping for container in view.wanted.containers))
    )
    found = found._replace(sees_what_is_there=read_started_since(engine, view.wanted.containers, found))
    planned = plan(view.wanted, view.sources, found, options, place_finder(lambda: read_origins(session.settings())))
    return view._replace(found=found, plan=in_order_of_doing(planned, view.wanted))


def read_answers(
    engine: Engine, containers: Iterable[WantedContainer], found: Found, settings: Settings
) -> dict[str, bool]:
    """Name -> whether it answers now, for running ones with routes that nobody has seen ready since their last start."""
    asked = [
        container
        for container in containers
        if container.route_ports
        and (found.started.get(container.container_name) or {}).get("ready") is False
        and container.name in found.containers
        and found.containers[container.name].state == "running"
    ]
    if not asked:
        return {}
    from dusty_tasks.operations.launch.ready import read_answers as read

    return read(engine, asked, found.containers, settings.hosts_address)


def _read_both_sides(engine: Engine, wanted: Wanted, settings: Settings) -> tuple[Reading, Looks]:
    """The Docker host, and while its answer comes over ssh the sources of the repos; on this machine only those that are asked for later."""
    from dusty_tasks.effects.observe.docker_host import CERTIFICATES_PUSHED, read_host

    def read() -> Reading:
        mounted = bind_sources(container.mapping for container in wanted.containers)
        # With https off again, what was pushed before is to be removed.
        has_https = wanted.https is not None or os.path.isdir(session.paths().https)
        also = (CERTIFICATES_PUSHED,) if has_https else ()
        return read_host(engine.host, engine, [entry.id for entry in wanted.repos], mounted, also)

    if not engine.host.is_far:
        return read(), Looks(settings)
    from dusty_tasks.effects.doors.parallel import beside

    return beside(read, lambda: look_at_sources(wanted.repos, settings))


def with_stale_repos(wanted: Wanted, found: Found, settings: Settings, host: DockerHost, looks: Looks) -> Found:
    """With the repos whose copy on the Docker host is not what the source is; with `sync.mode: bind` there are no copies."""
    if settings.sync_mode == "bind" or not wanted.repos:
        return found
    from dusty_tasks.operations.code.stale import stale_repos

    stale = {entry.id: stale for entry, stale in stale_repos(wanted.repos, found.receipts, settings, host, looks)}
    return found._replace(
        stale_repos={repo_id: each.reason for repo_id, each in stale.items()},
        changed_paths={repo_id: each.paths for repo_id, each in stale.items() if each.paths is not None},
    )


def after_syncs(view: View, receipts: dict[str, dict[str, Any]], started: dict[str, Any], options: Options) -> View:
    """The view and its plan once repos were synced: `receipts` are theirs, by repo id, `started` the records after that."""
    stale = view.found.stale_repos
    found = view.found._replace(
        started=started,
        receipts={**view.found.receipts, **receipts},
        stale_repos={repo_id: reason for repo_id, reason in stale.items() if repo_id not in receipts},
        sent_because={repo_id: stale[repo_id] for repo_id in receipts if repo_id in stale},
    )
    planned = plan(view.wanted, view.sources, found, options, place_finder(lambda: read_origins(session.settings())))
    return view._replace(found=found, plan=in_order_of_doing(planned, view.wanted))


def look_at_hosts(settings: Settings, artifacts: Mapping[str, bytes]) -> tuple[bool, tuple[str, ...], str]:
    """Whether the hosts file holds the compiled section or is not to hold it (`hosts.mode`); which names it cannot hold, each with the
    reason; and, where it does not hold it, why that is not to be tried again.
    """
    if settings.hosts_mode != "file" or "hosts" not in artifacts:
        return True, (), ""
    from dusty_tasks.effects.hosts.section import possible_section, read_hosts_file, section_is_in_place
    from dusty_tasks.operations.worlds.others import section_of_all

    found = read_hosts_file()
    section, conflicts = possible_section(found, section_of_all(artifacts["hosts"].decode()))
    is_in_place = section_is_in_place(found, section)
    return is_in_place, tuple(map(str, conflicts)), "" if is_in_place else why_it_is_left(settings.paths.base)


def why_it_is_left(home: str) -> str:
    """Why the hosts section is not tried again at each run, and how it is; '' if it is tried."""
    from dusty_tasks.effects.hosts.refusal import read_refusal

    refusal = read_refusal(home)
    return f"{refusal.why} ({refusal.when}); {DUSTY} hosts apply tries again" if refusal else ""
