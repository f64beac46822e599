"""What follows from edits in containers: a thread of its own does it, so that further edits are sent meanwhile.

It alone takes the lock for changes here. What each container owes is read from its record (core/plan/started), so what another
`up` has done already is not done again, and what this one leaves undone the next `up` does.

More than 300 lines: one thread, and all that it may do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.code.live import Told, change_line, has_slept, seconds_to_quiet
from dusty_tasks.core.code.reloading import leaves
from dusty_tasks.core.plan.container_state import has_healthcheck
from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.restarts import owed_in
from dusty_tasks.core.plan.started import StartedRecord, code_reloaded, seen_ready, troubled
from dusty_tasks.core.specs.reload import NONE, RECREATE, RESTART
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.started_records import read_started, write_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.code.owed import noted
from dusty_tasks.operations.history.noting import note
from dusty_tasks.operations.launch import ready
from dusty_tasks.operations.launch.code_reload import reload_code
from dusty_tasks.operations.launch.preconditions import check_containers_are_ours
from dusty_tasks.operations.launch.restarting import restart
from dusty_tasks.operations.live.edits import Edit
from dusty_tasks.voices import speaking_to

if TYPE_CHECKING:
    from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.docker_host.host import DockerHost

LONGEST_WAIT = 3600.0
"""Seconds to wait for another run that changes containers."""
GLANCE, GLANCE_OVER_SSH = 1.0, 15.0
"""Seconds between two looks at whether the engine is there."""
STEP = 0.02


class Silent:
    """Hears what others print while they work for us: the line of the change says it."""

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        warn(text)

    def progress(self, title: str, total: int | None) -> Any:
        from contextlib import nullcontext

        return nullcontext(lambda _text: None)


class Actor(threading.Thread):
    """Does what edits call for, a burst at a time. `bring_up` runs the incremental `up`; `wake` is called when the engine, or the machine, is back."""

    def __init__(self, settings: Settings, bring_up: Callable[[], None], wake: Callable[[str], None]) -> None:
        super().__init__(name="dusty-dev-actor", daemon=True)
        self.home, self._settings, self._bring_up, self._wake = settings.home, settings, bring_up, wake
        self._condition = threading.Condition()
        self._edits: list[Edit] = []
        self._wants_up = self._is_stopped = self.is_held = False
        self._first = self._last = 0.0
        self._engine_is_away = False
        self._next_glance = 0.0
        self._clocks = time.monotonic(), time.time()
        self.bug: BaseException | None = None

    def post(self, edits: Iterable[Edit] = (), *, up: bool = False) -> None:
        """Let it act on these, once nothing more has come for a moment."""
        edits = list(edits)
        with self._condition:
            now = time.monotonic()
            if not (self._edits or self._wants_up):
                self._first = min([now, *(edit.began for edit in edits)])
            self._last = now
            self._edits += edits
            self._wants_up = self._wants_up or up
            self._condition.notify()

    def hold(self, is_held: bool) -> None:
        """While further edits are on their way, it waits for them."""
        with self._condition:
            if not (is_held or self.is_held):
                return
            self.is_held, self._last = is_held, time.monotonic()
            self._condition.notify()

    def stop(self, seconds: float) -> None:
        """Let it end what it does, for at most so long."""
        with self._condition:
            self._is_stopped = True
            self._condition.notify()
        self.join(seconds)

    def run(self) -> None:
        try:
            while not self._is_stopped:
                edits, wants_up = self._taken()
                if edits or wants_up:
                    self._do(edits, wants_up)
                else:
                    self._look_around()
        except BaseException as bug:
            self.bug = bug

    def _taken(self) -> tuple[list[Edit], bool]:
        """What to do now; nothing after a while without work."""
        with self._condition:
            if not (self._edits or self._wants_up):
                self._condition.wait(STEP * 25)
            while self._edits or self._wants_up:
                now = time.monotonic()
                left = seconds_to_quiet(self._first, now if self.is_held else self._last, now)
                if left <= 0 or self._is_stopped:
                    break
                self._condition.wait(left)
            edits, wants_up = self._edits, self._wants_up
            self._edits, self._wants_up = [], False
            return ([], False) if self._is_stopped else (edits, wants_up)

    def _do(self, edits: Sequence[Edit], wants_up: bool) -> None:
        with self._session():
            try:
                if edits:
                    wants_up = Acting(self, edits).run() or wants_up
            except Failure as failure:
                warn(str(failure))
        if wants_up:
            self._bring_up()

    @contextmanager
    def _session(self) -> Iterator[None]:
        """A session of its own, with the last good settings while config.yml is broken: the `up` after its save has said so."""
        with session.begun(session.Session(self.home)):
            try:
                self._settings = session.settings()
            except Failure:
                session.settings.use(self._settings)
            yield

    def is_superseded(self, repo_ids: Iterable[str]) -> bool:
        """True once one of these repos was edited again."""
        with self._condition:
            return self._is_stopped or bool({edit.repo_id for edit in self._edits} & set(repo_ids))

    def _look_around(self) -> None:
        """Notice that the machine slept, or that the engine went and came back."""
        before, self._clocks = self._clocks, (time.monotonic(), time.time())
        if has_slept(self._clocks[0] - before[0], self._clocks[1] - before[1]):
            say("the clock jumped, as after a sleep: comparing everything again")
            self._wake("slept")
        if self._clocks[0] < self._next_glance:
            return
        with self._session():
            self._glance_at_engine()

    def _glance_at_engine(self) -> None:
        try:
            host = session.docker_host()
            self._next_glance = time.monotonic() + (GLANCE_OVER_SSH if host.is_far else GLANCE)
            Engine(host).request("GET", "/_ping")
        except EngineDown as failure:
            if not self._engine_is_away:
                self._engine_is_away = True
                warn(f"{failure.what}; dev continues once it answers again")
        except Failure:
            pass
        else:
            if self._engine_is_away:
                self._engine_is_away = False
                say("the Docker engine answers again: bringing up what it stopped")
                self._wake("engine")


class Acting:
    """One burst of edits, in the containers that have the code."""

    def __init__(self, actor: Actor, edits: Sequence[Edit]) -> None:
        self.actor, self.edits = actor, edits
        self.wanted: Wanted = session.wanted()
        self.engine = Engine(session.docker_host())
        self.repo_ids = {edit.repo_id for edit in edits}
        self.began = min(edit.began for edit in edits)
        self.users = [each for each in self.wanted.containers if self.repo_ids & set(each.repo_ids)]
        self.told: list[Told] = []

    @property
    def host(self) -> DockerHost:
        return self.engine.host

    def run(self) -> bool:
        """Do it and tell; True if some containers are to be recreated by `up`."""
        with held("up", verb="dev", home=session.home(), wait=LONGEST_WAIT):
            found = reads.read_containers(self.engine)
            check_containers_are_ours(self.host, found.values())
            acted, recreated = self._act(found)
        self._tell_of(acted)
        self._print(recreated)
        return bool(recreated)

    def _act(self, found: Mapping[str, FoundContainer]) -> tuple[list[WantedContainer], list[WantedContainer]]:
        """(those that were told to load the code, and are waited for; those to recreate)."""
        receipts = self._receipts()
        before = read_started(self.host)
        records = noted(before, self.wanted.containers, [edit.outcome for edit in self.edits])
        looked = Found(containers=dict(found), started=records, receipts=receipts)
        by_kind: dict[str, list[WantedContainer]] = {}
        for each in self.users:
            record = records.get(each.container_name)
            owed = owed_in(each, record or {}, looked)
            if each.name not in found or record is None:
                self.told.append(Told((each.name,), "", trouble="it has no container that up created"))
            elif not found[each.name].is_running and (record.get("stopped") or record.get("finished")):
                self.told.append(Told((each.name,), "", trouble="left alone: it is not running"))
            elif owed.kind in (NONE, RESTART, RECREATE):
                by_kind.setdefault(owed.kind, []).append(each)
            elif not found[each.name].is_running:
                by_kind.setdefault(RESTART, []).append(each)
            else:
                self._reload(each, found[each.name].id, records, receipts, looked)
        if records != before:
            write_started(self.host, records)
        restarted = by_kind.get(RESTART, [])
        if restarted:
            self._restart(restarted, found, receipts)
        if by_kind.get(NONE):
            self.told.append(Told(tuple(each.name for each in by_kind[NONE]), ""))
        return restarted, by_kind.get(RECREATE, [])

    def _receipts(self) -> dict[str, dict[str, Any]]:
        from dusty_tasks.effects.code.receipts import read_receipts

        if session.settings().sync_mode == "bind":
            from dusty_tasks.operations.code.bound import bound_receipts

            return bound_receipts(self.wanted.repos, session.settings())
        return read_receipts(self.host, [entry.id for entry in self.wanted.repos])

    def _reload(
        self,
        each: WantedContainer,
        container_id: str,
        records: dict[str, StartedRecord],
        receipts: dict[str, dict[str, Any]],
        looked: Found,
    ) -> None:
        """Commands and signals; the record tells of it only where all of it went well."""
        owed = owed_in(each, records[each.container_name], looked)
        deeds = [*(["ran its commands"] if owed.commands else []), *(f"sent {name}" for name in owed.signals)]
        try:
            reload_code(self.engine, each, container_id, owed)
        except Failure as failure:
            self.told.append(Told((each.name,), "", trouble=str(failure)))
            return
        records[each.container_name] = code_reloaded(records[each.container_name], each, receipts)
        self.told.append(Told((each.name,), " and ".join(deeds), time.monotonic() - self.began))

    def _restart(
        self,
        chosen: list[WantedContainer],
        found: Mapping[str, FoundContainer],
        receipts: dict[str, dict[str, Any]],
    ) -> None:
        shown = shown_names(entry.id for entry in self.wanted.repos)
        cause = f"repo {', '.join(sorted(shown.get(repo_id, repo_id) for repo_id in self.repo_ids))} was edited"
        with speaking_to(Silent()):
            restart(chosen, self.wanted, self.engine, found, receipts, cause)

    def _tell_of(self, restarted: list[WantedContainer]) -> None:
        """Wait until those that were restarted serve, or fail, or the next edit comes."""
        if not restarted:
            return
        settings = session.settings()
        watch = ready.Watch(self.engine, restarted, settings.hosts_address, settings.up_wait, {})
        served: dict[str, float] = {}
        with watch.probes:
            while watch.pending and not self.actor.is_superseded(self.repo_ids):
                watch.look()
                for name in watch.ready.keys() - served.keys():
                    served[name] = time.monotonic() - self.began
                if watch.pending:
                    time.sleep(STEP)
        troubles = {trouble.name: trouble for trouble in watch.outcome.troubles}
        self._note(served, {name: trouble.state.what for name, trouble in troubles.items()})
        if fine := [each for each in restarted if each.name in served and each.name not in troubles]:
            asked = all(each.route_ports or has_healthcheck(each.mapping) for each in fine)
            last = max(served[each.name] for each in fine)
            self.told.append(Told(tuple(each.name for each in fine), "restarted", last if asked else None))
        for each in restarted:
            if each.name in troubles:
                self.told.append(Told((each.name,), "restarted", trouble=troubles[each.name].words))
            elif each.name not in served:
                is_finished = each.name in watch.outcome.finished
                trouble = "it has finished" if is_finished else "not served before the next change"
                self.told.append(Told((each.name,), "restarted", trouble=trouble))

    def _note(self, served: Iterable[str], troubles: Mapping[str, str]) -> None:
        """What was seen of them, for the next `up` and for `status`; not worth waiting for."""
        from dusty_tasks.effects.doors.lock import Busy

        names = {each.name: each.container_name for each in self.users}
        try:
            with held("up", verb="dev", home=session.home(), wait=1.0):
                before = read_started(self.host)
                now = dict(before)
                for name in served:
                    if names[name] in now:
                        now[names[name]] = seen_ready(now[names[name]])
                for name, trouble in troubles.items():
                    if names[name] in now:
                        now[names[name]] = troubled(now[names[name]], trouble)
                if now != before:
                    write_started(self.host, now)
        except Busy:
            pass

    def _print(self, recreated: list[WantedContainer]) -> None:
        if recreated:
            self.told.append(Told(tuple(each.name for each in recreated), "to be recreated"))
        shown = shown_names(entry.id for entry in self.wanted.repos)
        files = files_of(self.edits)
        if not files and not any(each.deed or each.trouble for each in self.told):
            return  # an editor's swap files
        names = [each.name for each in self.users]
        own = {each.name: each.repo_ids[0] for each in self.users if each.code and each.repo_ids}
        foreign = [repo_id for repo_id in sorted(self.repo_ids) if not names or repo_id not in own.values()]
        of = " and ".join(shown.get(repo_id, repo_id) for repo_id in foreign)
        visible = max(edit.visible - edit.began for edit in self.edits)
        line = change_line(names, files, of, visible, self.told)
        say(line)
        note(self.engine, line)


def files_of(edits: Iterable[Edit]) -> int:
    """How many files they are about; a folder that goes after what was in it is none."""
    by_repo: dict[str, set[bytes]] = {}
    for edit in edits:
        by_repo.setdefault(edit.repo_id, set()).update(edit.files)
    return sum(len(list(leaves(paths))) for paths in by_repo.values())
