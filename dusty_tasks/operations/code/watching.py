"""Sync at every change: what `sync --watch` does, and what a verb that acts on changes builds on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import check_reader, say, warn
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.code.watching import Owed, after_sync, notice_lines
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.line import Line
from dusty_tasks.effects.code.receipts import Receipt, read_receipts
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import state_of
from dusty_tasks.effects.doors.lock import is_at_work, last_taken
from dusty_tasks.effects.watch.folders import Batch, Watch, Watched
from dusty_tasks.operations.code.sources import Looked, lock_of, source_of
from dusty_tasks.operations.code.sync import How, Known, sync_repos
from dusty_tasks.operations.code.sync_outcome import FAILED, SyncOutcome, failure_of
from dusty_tasks.operations.launch.preconditions import check_data_is_ours

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.code.fingerprint import Source
    from dusty_tasks.effects.docker_host.host import DockerHost

SETTLING, LONGEST_SETTLING = 0.02, 1.0
"""Seconds that config.yml has to stay as it is before it is read, and after which it is read all the same."""
TICK = 1.0
"""Seconds between two looks at config.yml, and at whether anybody still reads what is printed."""


@dataclass(frozen=True)
class Watching:
    """What is watched: the chosen repos, all repos of the stack, and the settings by which they are synced."""

    chosen: tuple[RepoEntry, ...]
    stack: tuple[RepoEntry, ...]
    settings: Settings
    host: DockerHost = field(compare=False)
    taken: dict[str, int] = field(default_factory=dict, compare=False)
    """Repo id -> its last sync of ours, as long as none of others came after it."""
    receipts: dict[str, Receipt] = field(default_factory=dict, compare=False)
    """Those of the whole stack as they were at `taken`; {} where nobody knows."""

    @property
    def folders(self) -> list[Watched]:
        return [
            Watched(entry.id, source_of(entry, self.settings)[0], tuple(self.settings.sync_exclude))
            for entry in self.chosen
        ]

    @property
    def names(self) -> Mapping[str, str]:
        return shown_names(entry.id for entry in self.stack)

    def sync(
        self, keys: Iterable[str], sources: Mapping[str, Source], *, allow_empty: bool, is_live: bool = False
    ) -> tuple[list[SyncOutcome], Failure | None]:
        """Sync the repos of these ids; what became of each, and the failure of any as one.

        `is_live`: the changes alone are sent; whoever calls says what was done, and notes what it calls for in containers.
        """
        wanted = set(keys)
        entries = [entry for entry in self.chosen if entry.id in wanted]
        looked = {repo_id: Looked(source, self.taken.get(repo_id, 0)) for repo_id, source in sources.items()}
        known = self._known_receipts() if is_live and wanted <= looked.keys() else None
        self.receipts.clear()
        before = self._last_taken()
        may_remember = is_live and (
            known is not None or not any(is_at_work(lock_of(repo_id), self.settings.home) for repo_id in before)
        )
        try:
            outcomes = sync_repos(
                entries,
                self.host,
                self.settings,
                How(
                    _nobody if is_live else say,
                    allow_empty=allow_empty,
                    notes_owed=not is_live,
                    is_live=is_live,
                    line=self.line if is_live else None,
                ),
                self.stack,
                Known(known, looked),
            )
        except Failure as failure:
            return [SyncOutcome(entry.id, self.names[entry.id], FAILED, failure=failure) for entry in entries], failure
        self.taken.update({outcome.repo_id: outcome.taken or before[outcome.repo_id] for outcome in outcomes})
        if may_remember and not any(outcome.failure for outcome in outcomes):
            self._remember(known, outcomes, before)
        return outcomes, failure_of(outcomes)

    @cached_property
    def line(self) -> Line | None:
        """What small edits go to a far host by, opened ahead of the first."""
        if not self.host.is_far:
            return None
        line = Line(self.host)
        line.open()
        return line

    def close_line(self) -> None:
        if (line := self.__dict__.pop("line", None)) is not None:
            line.close()

    def close(self) -> None:
        """Give up what is kept open to the Docker host."""
        self.close_line()
        self.host.close()

    def _last_taken(self) -> dict[str, int]:
        return {entry.id: last_taken(lock_of(entry.id), self.settings.home) for entry in self.stack}

    def _known_receipts(self) -> dict[str, Receipt] | None:
        """The receipts of the stack, as long as nobody else has synced since they were read: a round trip saved at each edit.

        What is sent is compared with the receipt on the Docker host all the same (copy_repo).
        """
        is_known = bool(self.receipts) and self._last_taken() == {
            entry.id: self.taken.get(entry.id) for entry in self.stack
        }
        return dict(self.receipts) if is_known else None

    def _remember(
        self, known: Mapping[str, Receipt] | None, outcomes: Sequence[SyncOutcome], before: Mapping[str, int]
    ) -> None:
        """Keep the receipts of all repos in mind; `before` are the locks before the first of them was read."""
        ours = {outcome.repo_id: outcome.receipt for outcome in outcomes}
        if known is None:
            others = sorted(before.keys() - ours.keys())
            self.taken.update({repo_id: before[repo_id] for repo_id in others})
            known = read_receipts(self.host, others) if others else {}
        self.receipts.update({**known, **ours})


def _nobody(_line: str) -> None:
    """Hears what is not to be said."""


Choose = Callable[[], tuple[Sequence[RepoEntry], Sequence[RepoEntry]]]
"""(the repos to watch, all of the stack), as the settings and specs say now. Raises Failure."""


def synced_changes(choose: Choose, *, allow_empty: bool = False) -> Iterator[tuple[DockerHost, list[SyncOutcome]]]:
    """Sync at once, then once per burst of changes, until interrupted; after each sync (where it went, what became of it).

    A failed sync is said once, and tried again until it succeeds. Changed settings (an override, another stack, sync.exclude) are
    followed. Ends where nothing is copied (sync.mode bind). Raises Failure if no source is there, BrokenPipeError when the reader of
    stdout has gone.
    """
    config = settled_config_state()
    watching = chosen_now(choose)
    owed = Owed()
    with Watch(watching.folders) as watch:
        is_first = True
        batch = Batch({}, (), {})
        due = {entry.id for entry in watching.chosen}
        while True:
            if due:
                outcomes, failure = watching.sync(due, batch.sources, allow_empty=allow_empty)
                failed = [outcome.repo_id for outcome in outcomes if outcome.failure]
                owed, said = after_sync(owed, due, failed, str(failure or ""), time.monotonic())
                if said:
                    warn(said)
                yield watching.host, outcomes
            if watching.settings.sync_mode == "bind":
                return
            if is_first:
                is_first = False
                _say_watching(watching, watch)
            batch = watch.wait(min(TICK, max(0.0, owed.due - time.monotonic())))
            for line in notice_lines(batch.notices, watching.names):
                warn(line)
            check_reader()
            due = set(batch.changed) | (owed.keys_due(time.monotonic()) - watch.gone)
            if config_state() != config:
                config, before = settled_config_state(), watching
                watching = _followed(choose, watching)
                if watching != before:
                    watch.set(watching.folders)
                    batch = batch._replace(sources={})  # as other excludes, or another source, had it
                    due = {entry.id for entry in watching.chosen}


def chosen_now(choose: Choose) -> Watching:
    chosen, stack = choose()
    host = session.docker_host()
    check_data_is_ours(host)
    return Watching(tuple(chosen), tuple(stack), session.settings(), host)


def _followed(choose: Choose, watching: Watching) -> Watching:
    """What is to be watched now that the settings or the stack changed; what was watched so far if they cannot be used."""
    session.forget()
    try:
        return chosen_now(choose)
    except Failure as failure:
        warn(f"{failure}\nstill watching")
        return watching


def config_state() -> tuple[tuple[int, ...], ...]:
    """The state of the files that say which repos there are, and where each comes from."""
    states = []
    for path in (session.paths().config, session.paths().wanted):
        try:
            states.append(state_of(os.stat(path)))
        except OSError:
            states.append(())
    return tuple(states)


def settled_config_state() -> tuple[tuple[int, ...], ...]:
    """The same once nobody writes them: an editor may empty config.yml before it writes it, and for that moment no override would hold."""
    state, end = config_state(), time.monotonic() + LONGEST_SETTLING
    while time.monotonic() < end:
        time.sleep(SETTLING)
        before, state = state, config_state()
        if state == before and not is_empty(state[0]):
            break
    return state


def is_empty(state: tuple[int, ...]) -> bool:
    """True for the state of a file with nothing in it."""
    return bool(state) and state[1] == 0


def _say_watching(watching: Watching, watch: Watch) -> None:
    there = len(watching.folders) - len(watch.gone)
    if not there:
        raise Failure("there is no source to watch")
    say(f"watching {counted(there, 'repo')}; press ^C to stop")
