"""`dusty dev`: bring the stack up, then send each edit as it is saved, and let containers follow, until interrupted."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import check_reader, say, warn
from dusty_tasks.core.code.reloading import is_editors_file
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.code.watching import Owed, after_sync, notice_lines
from dusty_tasks.core.plan.change import Change
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.working_tree import is_git_at_work
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.watch.folders import Batch, Watch, Watched
from dusty_tasks.operations.code.sync_outcome import SYNCED, SyncOutcome
from dusty_tasks.operations.code.watching import TICK, chosen_now, config_state, settled_config_state
from dusty_tasks.operations.history.deaths import Deaths
from dusty_tasks.operations.history.noting import kept_journal
from dusty_tasks.operations.launch.printed import Printed
from dusty_tasks.operations.launch.reporter import Outcome
from dusty_tasks.operations.live.acting import Actor
from dusty_tasks.operations.live.edits import Edit
from dusty_tasks.operations.names import refuse_unknown
from dusty_tasks.operations.up.before_plan import refuse_unknown_names
from dusty_tasks.operations.up.bring_up import bring_up
from dusty_tasks.operations.up.run import Run, UpOptions

if TYPE_CHECKING:
    from dusty_tasks.core.plan.wanted import Wanted

SPECS = "the specs"
"""Key of the folder of the specs among those that are watched; no repo id has a blank in it."""
HELD_TICK = 0.02
"""Seconds until containers may follow what was sent, if nothing more has come by then and git has ended."""
LAST_WORDS = 5.0
"""Seconds for what is under way in containers when dev is interrupted."""


class Again:
    """A Reporter of further runs of `up`: their plans are printed, and what failed; where nothing was to be done, nothing."""

    voice = None

    def __init__(self) -> None:
        self._has_failed = False

    def wrote(self, word: str, paths: Sequence[str]) -> None:
        """Nobody asks for that here."""

    def begun(self, change: Change) -> None:
        say(str(change))

    def done(self, change: Change) -> None:
        """Said at the end."""

    def failed(self, failure: Failure) -> None:
        """Said at the end."""

    def stop(self) -> None:
        """Nothing moves."""

    def finished(self, outcome: Outcome) -> None:
        for failure in outcome.failures:
            warn(str(failure))
        if not outcome.is_whole:
            warn("the stack is unchanged; the next save tries again")
        elif outcome.done:
            say(f"{counted(len(outcome.done), 'change')} made in {outcome.seconds:.2f} s")
        elif self._has_failed:
            say("fixed: the stack needs no change")
        self._has_failed = not outcome.is_whole


def run_dev(names: Sequence[str], options: UpOptions) -> int:
    """Until interrupted. Raises Failure if nothing was ever compiled, or a name is unknown; KeyboardInterrupt."""
    if names:
        refuse_unknown_names(Run(replace(options, names=tuple(names)), Printed()))
    outcome = bring_up(options, Printed(), home=session.home())
    session.forget()
    try:
        session.wanted()
    except Failure:
        return outcome.code or 1
    with kept_journal(Engine(session.docker_host()), Deaths(session.home())):
        Dev(names).run()
    return 0


class Dev:
    """The loop: it watches and sends; what containers do about it is the actor's."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.config = settled_config_state()
        self.watching = chosen_now(self._choose)
        self.owed = Owed()
        self.due_again = False
        self.bound: dict[str, str] = {}
        """Of working trees that containers mount themselves: repo id -> the fingerprint that was seen last."""
        self.again = Again()
        self.actor = Actor(self.watching.settings, self._up_again, self._wake)

    def run(self) -> None:
        self.actor.start()
        try:
            with Watch(self._folders()) as watch:
                # To find out what changed takes a while in a burst, in which containers are not to be touched.
                watch.on_woken = lambda: self.actor.hold(True)
                self._say_watching(watch)
                batch = Batch({}, (), {})
                due = {entry.id for entry in self.watching.chosen}
                while True:
                    self._send(due, batch)
                    longest = HELD_TICK if self.actor.is_held else TICK
                    batch = watch.wait(min(longest, max(0.0, self.owed.due - time.monotonic())))
                    due = self._noticed(watch, batch)
        finally:
            self.actor.stop(LAST_WORDS)
            self.watching.close_line()

    def _choose(self) -> tuple[Sequence[RepoEntry], Sequence[RepoEntry]]:
        wanted = session.wanted()
        ids = repos_of(self.names, wanted)
        return [entry for entry in wanted.repos if entry.id in ids], wanted.repos

    def _folders(self) -> list[Watched]:
        try:
            specs = [Watched(SPECS, str(session.specs_root()), (".git",))]
        except Failure:
            specs = []
        return [*self.watching.folders, *specs]

    def _noticed(self, watch: Watch, batch: Batch) -> set[str]:
        """The repos to send now."""
        if self.actor.bug:
            raise self.actor.bug
        for line in notice_lines(batch.notices, {**self.watching.names, SPECS: SPECS}):
            warn(line)
        check_reader()
        if any(not is_editors_file(os.fsencode(path)) for path in batch.changed.get(SPECS, ())):
            self.actor.post(up=True)
        due = {key for key in batch.changed if key != SPECS}
        due |= self.owed.keys_due(time.monotonic()) - watch.gone
        if self.due_again:
            self.due_again = False
            due |= {entry.id for entry in self.watching.chosen} - watch.gone
        if config_state() != self.config:
            state = settled_config_state()
            is_config = state[0] != self.config[0]
            self.config = state
            self._follow(watch)
            if is_config:
                self.actor.post(up=True)
        return due

    def _follow(self, watch: Watch) -> None:
        """Watch what the settings and the stack say now; with settings that cannot be used what was watched so far."""
        session.forget()
        before = self.watching
        with suppress(Failure):
            session.settings()
        if not session.settings.is_read():
            return  # The `up` that follows says what is wrong with config.yml.
        try:
            self.watching = chosen_now(self._choose)
        except Failure as failure:
            warn(f"{failure}\nstill watching")
            return
        before.close_line()
        if self.watching != before:
            watch.set(self._folders())
            self.due_again = True

    def _send(self, due: set[str], batch: Batch) -> None:
        if not due:
            self._release()
            return
        began = batch.began or time.monotonic()
        if self.watching.settings.sync_mode == "bind":
            self._follow_trees(due, batch, began)
            return
        self.actor.hold(True)
        outcomes, failure = self.watching.sync(due, batch.sources, allow_empty=False, is_live=True)
        failed = [outcome.repo_id for outcome in outcomes if outcome.failure]
        self.owed, said = after_sync(self.owed, due, failed, str(failure or ""), time.monotonic())
        if said:
            warn(said)
        for outcome in outcomes:
            for line in str(outcome).splitlines()[1:] if not outcome.failure else ():
                say(line)
        if edits := [Edit(began, outcome.sent_at, outcome) for outcome in outcomes if outcome.status == SYNCED]:
            self.actor.post(edits)

    def _release(self) -> None:
        """Let containers follow; but not in the midst of a switch of branches, which may pause for longer than a burst."""
        is_at_work = self.actor.is_held and any(is_git_at_work(each.path) for each in self.watching.folders)
        self.actor.hold(is_at_work)

    def _follow_trees(self, due: set[str], batch: Batch, began: float) -> None:
        """Containers see the working trees: nothing is sent."""
        from dusty_tasks.operations.code.bound import bound_receipts

        entries = [entry for entry in self.watching.chosen if entry.id in due]
        edits = []
        for repo_id, receipt in bound_receipts(entries, self.watching.settings).items():
            before = self.bound.get(repo_id, "")
            self.bound[repo_id] = receipt["fingerprint"]
            if before and before != receipt["fingerprint"]:
                paths = frozenset(map(os.fsencode, batch.changed.get(repo_id, ()))) or None
                outcome = SyncOutcome(
                    repo_id, self.watching.names[repo_id], SYNCED, receipt=receipt, before=before, paths=paths
                )
                edits.append(Edit(began, time.monotonic(), outcome))
        if edits:
            self.actor.post(edits)

    def _up_again(self) -> None:
        """An incremental `up`, in the actor's thread."""
        bring_up(UpOptions(no_pull=True), self.again, home=session.home())

    def _wake(self, _why: str) -> None:
        """After a sleep, or when the engine is back: connections may be dead, and containers ended."""
        self.watching.close()
        self.due_again = True
        self.actor.post(up=True)

    def _say_watching(self, watch: Watch) -> None:
        there = len(self.watching.folders) - len(watch.gone - {SPECS})
        say(f"watching {counted(there, 'repo')} and the specs; ^C stops watching and leaves the stack running")


def repos_of(names: Sequence[str], wanted: Wanted) -> set[str]:
    """The ids of the repos whose code is in these containers, in all without names. Raises Failure for a name that no app has."""
    by_name = {each.name: each for each in wanted.containers}
    refuse_unknown(names, by_name)
    chosen = [by_name[name] for name in names] or list(by_name.values())
    return {repo_id for each in chosen for repo_id in each.repo_ids}
