"""The part of `up` that changes containers: it does what the plan says, batch by batch, and records what was started with what.

More than 300 lines: one run of changes, whose records and containers all its parts keep up to date.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

from dusty_tasks.console import mention
from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.plan.batches import Batch, batches, made_instead, stop_seconds_of
from dusty_tasks.core.plan.change import (
    CLEAR,
    CREATE,
    RECREATE,
    RELOAD_CODE,
    REMOVE,
    RESTART,
    START,
    STOP,
    UNPAUSE,
    Change,
)
from dusty_tasks.core.plan.conditions import COMPLETED, awaited_by, conditions_of, longest_start, stopped_by
from dusty_tasks.core.plan.container_state import not_started
from dusty_tasks.core.plan.found import GOING, FoundContainer
from dusty_tasks.core.plan.push_changes import aliases_of
from dusty_tasks.core.plan.restarts import owed_in
from dusty_tasks.core.plan.started import (
    MadeOf,
    StartedRecord,
    code_reloaded,
    last_good,
    loaded,
    mounting_anew,
    not_begun,
    owing_restart,
    reconnected,
    record_of,
    seen_finished,
    seen_ready,
    still_mounting,
    troubled,
)
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.compose_values import named_volumes
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.paths import COMPOSE_FILE, SPEC_FILES
from dusty_tasks.effects.code.copy_states import read_inodes
from dusty_tasks.effects.docker_host.files import PRIVATE, read_host_json, write_host_json
from dusty_tasks.effects.docker_host.started_records import write_started
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.compose import run_compose_up
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.observe.docker_host import VOLUMES
from dusty_tasks.operations.launch.reporter import Deeds
from dusty_tasks.operations.look import View

HEALTH_INTERVAL = 0.2
TELL_AFTER = 1.0
"""Seconds that a job runs before it is said that it is waited for."""


class Launcher:
    """Changes containers as a plan says. `failures` holds what went wrong by container name; the others are brought up all the same."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        view: View,
        deeds: Deeds,
        receipts: Mapping[str, dict[str, Any]] = MappingProxyType({}),
        lock: int | None = None,
    ) -> None:
        self.engine, self.settings, self.view = engine, settings, view
        self.lock = lock
        self.receipts = receipts
        """What lies on the Docker host now, after this run's syncs."""
        self.started = dict(view.found.started)
        self.containers = dict(view.found.containers)
        self.wanted = {container.name: container for container in view.wanted.containers}
        self.deeds = deeds
        """The caller's, in which what was done is noted."""
        self.failures: dict[str, Failure] = {}
        self.stopped: dict[str, str] = {}
        """Those that were not started since a job failed, with the reason."""
        self._told_waiting: set[str] = set()
        """Containers whose health check was said to be waited for."""

    def launch(self) -> None:
        """Leftovers and removals, then everything else in batches."""
        self._clear(self.view.plan.of(CLEAR))
        self._remove(self.view.plan.of(REMOVE, STOP))
        remaining = batches(self.view.plan.of(CREATE, RECREATE, RESTART, START, UNPAUSE), self.view.wanted)
        while remaining:
            batch = self._without_stopped(remaining.pop(0))
            if not batch.changes:
                continue
            for change in batch.changes:
                self.deeds.begin(change)
            if batch.is_made_by_compose:
                with self._noting_volumes(batch):
                    self._make(batch)
            else:
                self._ask_engine(batch)
            if remaining:
                self._wait_for({change.name for change in batch.changes}, remaining)
        self._reload_code(self.view.plan.of(RELOAD_CODE))
        failed = {
            self.wanted[name].container_name: failure
            for name, failure in self.failures.items()
            if name in self.wanted and name not in self.view.plan.names(RELOAD_CODE)
        }
        if failed:
            self.started = {
                **self.started,
                **{
                    name: not_begun(self.started.get(name, {}), not_started(str(failure.what)))
                    for name, failure in failed.items()
                },
            }
            self.write_records()

    def _wait_for(self, begun: set[str], remaining: list[Batch]) -> None:
        """What is later waits for the health or the end of those that have just begun."""
        awaited = awaited_by((change.name for batch in remaining for change in batch.changes), self.view.wanted)
        wait_until_healthy(
            self.engine,
            begun & awaited.healthy,
            longest_start((self.wanted[name] for name in begun & awaited.healthy), self.settings.up_wait),
            lambda name: self._tell_waiting(self.wanted[name].container_name),
        )
        wait_until_ended(self.engine, begun & awaited.ended, lambda name: mention(f"waiting for the exit of {name}"))

    def _without_stopped(self, batch: Batch) -> Batch:
        """The batch without those that wait for a job that failed: they are not started, and that is said."""
        if (
            not any(COMPLETED in conditions_of(self.wanted[change.name]).values() for change in batch.changes)
            and not self.stopped
        ):
            return batch
        found = reads.read_containers(self.engine)
        changes = []
        for change in batch.changes:
            reason = stopped_by(self.wanted[change.name], found, self.stopped)
            if reason:
                self.stopped[change.name] = reason
                self.failures[change.name] = Failure(f"{change.name} is not started: {reason}", code=1)
            else:
                changes.append(change)
        return batch._replace(changes=tuple(changes))

    def _clear(self, changes: list[Change]) -> None:
        """Take away what a broken-off recreation left. Its anonymous volumes stay: they may be those of the container that it replaces."""
        leftovers = {
            leftover.container_name: leftover
            for container in self.containers.values()
            for leftover in container.leftovers
        }

        def away(change: Change) -> None:
            self._take_away(leftovers[change.name], keep_volumes=True)

        for change in changes:
            self.deeds.begin(change)
        self._each(changes, away)

    def _take_away(self, container: FoundContainer, *, keep_volumes: bool = False) -> None:
        if container.is_stoppable:
            acts.run_stop(self.engine, container.id, stop_seconds_of(container.kind))
        acts.run_remove(self.engine, container.id, keep_volumes=keep_volumes)

    def _remove(self, changes: list[Change]) -> None:
        def away(change: Change) -> None:
            container = self.containers[change.name]
            if change.kind == REMOVE:
                self._take_away(container)
            elif container.is_stoppable:
                acts.run_stop(self.engine, container.id, stop_seconds_of(container.kind))

        for change in changes:
            self.deeds.begin(change)
        self._each(changes, away)
        gone = {self.containers[change.name].container_name for change in self.deeds.done if change.kind == REMOVE}
        if gone & self.started.keys():
            self.started = {name: record for name, record in self.started.items() if name not in gone}
            self.write_records()

    def _make(self, batch: Batch) -> None:
        # Compose stops and renames what it replaces, which the engine refuses for a container that is on its way out.
        going = [
            container
            for change in batch.changes
            if (container := self.containers.get(change.name)) and container.state in GOING
        ]
        acts.each_at_once([partial(self._take_away, container, keep_volumes=True) for container in going])
        before = {name: container.id for name, container in self.containers.items()}
        failure = self._compose([change.name for change in batch.changes], batch)
        self.containers = reads.read_containers(self.engine)
        undone = [change for change in batch.changes if not self._is_made(change.name, before)]
        if failure and len(batch.changes) > 1:
            # One that cannot be made stops Compose; the others shall be up all the same.
            for change in undone:
                failure = self._compose([change.name], batch)
                if failure:
                    self.failures[change.name] = failure
            self.containers = reads.read_containers(self.engine)
        elif failure:
            self.failures[batch.changes[0].name] = failure
        self._record(change for change in batch.changes if self._is_made(change.name, before))

    def _compose(self, names: list[str], batch: Batch) -> ToolFailed | None:
        return run_compose_up(
            self.engine.host,
            self.settings.paths.artifact(COMPOSE_FILE),
            names,
            batch.stop_seconds,
            self.lock,
            self._tell_waiting,
        )

    @contextmanager
    def _noting_volumes(self, batch: Batch) -> Iterator[None]:
        """Note which named volumes are made in here: a later `uninstall --purge` takes those alone, and none that was there before."""
        if not any(named_volumes(self.wanted[change.name].mapping) for change in batch.changes):
            yield
            return
        before = reads.read_volumes(self.engine)
        try:
            yield
        finally:
            made = {
                name: time_text
                for name, time_text in reads.read_volumes(self.engine).items()
                if before.get(name) != time_text
            }
            if made:
                write_host_json(
                    self.engine.host, VOLUMES, {**read_host_json(self.engine.host, VOLUMES), **made}, PRIVATE
                )

    def _tell_waiting(self, container_name: str) -> None:
        if container_name not in self._told_waiting:
            self._told_waiting.add(container_name)
            name = next(
                (wanted.name for wanted in self.wanted.values() if wanted.container_name == container_name),
                container_name,
            )
            mention(f"waiting for the health check of {name}")

    def _is_made(self, name: str, before: dict[str, str]) -> bool:
        container = self.containers.get(name)
        return container is not None and container.id != before.get(name) and container.state != "created"

    def _ask_engine(self, batch: Batch) -> None:
        """Start, restart or unpause all of a batch at once."""
        restarts = [self.wanted[change.name].container_name for change in batch.changes if change.kind == RESTART]
        if restarts:
            for name in restarts:
                self.started[name] = owing_restart(self.started.get(name, {}))
            self.write_records()

        def begin(change: Change) -> None:
            container = self.containers[change.name]
            if change.kind == RESTART:
                acts.run_restart(self.engine, container.id, stop_seconds_of(container.kind))
            elif change.kind == UNPAUSE:
                acts.run_unpause(self.engine, container.id)
            else:
                acts.run_start(self.engine, container.id)

        self._each(batch.changes, begin, note=False)
        self._record(change for change in batch.changes if change.name not in self.failures)
        refusals = {
            change.name: str(self.failures[change.name].what)
            for change in batch.changes
            if change.name in self.failures
        }
        for instead in made_instead(batch.changes, refusals, self.view.wanted):
            for change in instead.changes:
                self.deeds.begin(change)
                del self.failures[change.name]
            self._make(instead)

    def _reload_code(self, changes: list[Change]) -> None:
        """Signals and commands for those that go on running with changed code; what fails is owed until it succeeds."""
        if not changes:
            return
        from dusty_tasks.operations.launch.code_reload import reload_code

        def tell(change: Change) -> None:
            wanted = self.wanted[change.name]
            owed = owed_in(wanted, self.started.get(wanted.container_name, {}), self.view.found)
            reload_code(self.engine, wanted, self.containers[change.name].id, owed)

        for change in changes:
            self.deeds.begin(change)
        self._each(changes, tell)
        for change in changes:
            if change.name not in self.failures:
                name = self.wanted[change.name].container_name
                self.started[name] = code_reloaded(self.started[name], self.wanted[change.name], self.receipts)
        self.write_records()

    def _each(self, changes: Iterable[Change], act: Callable[[Change], None], note: bool = True) -> None:
        changes = list(changes)
        for change, failure in zip(
            changes, acts.each_at_once([partial(act, change) for change in changes]), strict=True
        ):
            if failure:
                self.failures[change.name] = failure
            elif note:
                self.deeds.end(change)

    def _inodes(self, changes: Iterable[Change]) -> dict[str, int]:
        """Of what these containers mount, as it lay there before they were started: what was replaced meanwhile counts as replaced.

        What did not lie there the engine has made.
        """
        before = self.view.found.inodes
        # A push gives files of the specs to the container as new ones: what was read before it is not what lies there.
        pushed = self.engine.host.path(SPEC_FILES)
        made = [
            path
            for path in bind_sources(self.wanted[change.name].mapping for change in changes)
            if path not in before or path.startswith(f"{pushed}/")
        ]
        return {**before, **read_inodes(self.engine.host, made)}

    def _record(self, changes: Iterable[Change]) -> None:
        """What each container was started with, kept on the Docker host; only now that it was."""
        changes = list(changes)
        inodes = self._inodes(change for change in changes if change.kind != UNPAUSE)
        for change in changes:
            container, wanted = self.containers[change.name], self.wanted[change.name]
            before = self.started.get(wanted.container_name)
            now = record_of(
                wanted,
                container,
                change,
                MadeOf(self.view.sources, self.receipts, inodes),
                before if change.kind not in (CREATE, RECREATE) else None,
                time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            )
            now = {"good": last_good(before or {}), **now}
            self.started[wanted.container_name] = still_mounting(now, before or {}) if change.kind == UNPAUSE else now
            self.deeds.end(change)
        self.write_records()

    def write_records(self) -> None:
        write_started(self.engine.host, self.started)

    def note_states(
        self,
        finished: Iterable[str] = (),
        ready: Iterable[str] = (),
        troubles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Keep in mind what was seen of containers: who exited with status 0 by himself, which the engine forgets; who is ready; who is in trouble."""
        notes: dict[str, Callable[[StartedRecord], StartedRecord]] = {
            **dict.fromkeys(finished, seen_finished),
            **dict.fromkeys(ready, seen_ready),
            **{name: partial(troubled, trouble=trouble) for name, trouble in troubles.items()},
        }
        before = self.started
        self.started = {
            **before,
            **{
                container.container_name: notes[name](before[container.container_name])
                for name, container in self.wanted.items()
                if name in notes and container.container_name in before
            },
        }
        if self.started != before:
            self.write_records()

    def reconnect(self, change: Change) -> None:
        """Give the proxy its names on the project's network; it keeps running."""
        self.deeds.begin(change)
        wanted = self.wanted[PROXY]
        acts.reconnect(
            self.engine,
            self.containers[PROXY].id,
            self.engine.host.namespace.network,
            [wanted.name, wanted.container_name, *aliases_of(wanted.mapping)],
        )
        self.started[wanted.container_name] = reconnected(self.started[wanted.container_name], wanted.mapping)
        self.write_records()
        self.deeds.end(change)

    def note_loaded(self, change: Change, *, is_seen: bool = True) -> None:
        """The proxy has been told to load the config that lies there now; with `is_seen` False it was restarted, and mounts anew."""
        proxy = self.wanted[PROXY]
        record = loaded(self.started.get(proxy.container_name, {}), self.view.sources.nginx_digest)
        if not is_seen:
            record = mounting_anew(record, proxy, read_inodes(self.engine.host, bind_sources([proxy.mapping])))
        self.started[proxy.container_name] = record
        self.write_records()
        self.deeds.end(change)


def wait_until_ended(engine: Engine, names: set[str], tell: Callable[[str], None]) -> None:
    """Jobs are waited for as long as they run: what needs their work cannot start without. `tell` hears each once, if it takes a while."""
    told: set[str] = set()
    begin = time.monotonic()
    while names:
        found = reads.read_containers(engine)
        names = {name for name in names if name in found and (found[name].is_running or found[name].state == "created")}
        if names and time.monotonic() - begin > TELL_AFTER:
            for name in sorted(names - told):
                tell(name)
            told |= names
        if names:
            time.sleep(HEALTH_INTERVAL)


def wait_until_healthy(engine: Engine, names: set[str], seconds: float, tell: Callable[[str], None]) -> None:
    """Those with a healthcheck are waited for before what depends on them starts; at most so long, then it starts all the same.

    `tell` hears each name that is waited for, over and over.
    """
    end = time.monotonic() + seconds
    while names and time.monotonic() < end:
        found = reads.read_containers(engine)
        names = {
            name for name in names if name in found and found[name].is_running and found[name].health == "starting"
        }
        for name in sorted(names):
            tell(name)
        if names:
            time.sleep(HEALTH_INTERVAL)
