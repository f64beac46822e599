"""One `up`: what it was asked for, what it knows, and what became of it. Its phases stand in operations/up/phases."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.change import Options, Plan
from dusty_tasks.core.plan.container_state import State
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.reporter import Deeds, Reporter
from dusty_tasks.operations.look import View, look

if TYPE_CHECKING:
    from dusty_tasks.operations.launch.containers import Launcher
    from dusty_tasks.operations.launch.reporter import Outcome
    from dusty_tasks.operations.machine.consent import Consent, Item

ORPHANS_WAIT = 60
"""Seconds for Compose or rsync of a run that was killed to come to their end."""


@dataclass(frozen=True)
class UpOptions:
    """What may be asked for, as the options of the verb."""

    no_pull: bool = False
    no_recreate: bool = False
    pull: bool = False
    build: bool = False
    reset_repos: bool = False
    adopt: bool = False
    no_overrides: bool = False
    yes: bool = False
    names: tuple[str, ...] = ()
    """The apps and services that are asked for; none: all that is active."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> UpOptions:
        """Of the options as they were typed; others, and those that were not given, count for nothing."""
        flags = {each.name: bool(options.get(each.name)) for each in fields(cls) if each.name != "names"}
        return cls(**flags, names=tuple(options.get("names") or ()))

    @property
    def planning(self) -> Options:
        return Options(self.no_recreate, self.pull, self.build, self.names)


class StartOver(Exception):
    """What is to be compiled has changed: all of it is to be done again, by another run. Its text is what a person is told."""


class Run:
    """One run. It reads by the session that is current, and holds the lock, once it is taken, until it is closed."""

    def __init__(
        self,
        options: UpOptions,
        reporter: Reporter,
        consent: Consent | None = None,
        *,
        is_again: bool = False,
        in_own_process: bool = True,
    ) -> None:
        self.options, self.reporter = options, reporter
        if options.no_overrides:
            session.leave_out_overrides()
        self._consent = consent
        self.is_again = is_again
        """True for a run that another one wanted; it does not want a third."""
        self.in_own_process = in_own_process
        """False where others live in this process: it does not become another command."""
        self.deeds = Deeds(reporter)
        self.plan = Plan()
        """All that was to be done."""
        self.warnings: list[str] = []
        self.failures: list[Failure] = []
        """What was not done while the rest went on; the highest code is the run's."""
        self.troubles: dict[str, str] = {}
        """Containers that did not become ready, and what is wrong with each."""
        self.seen: dict[str, State] = {}
        """States that this run brought about, for the proxy's pages; all others are those of the plan's look."""
        self.printed: dict[str, str] = {}
        """Last lines of those that failed."""
        self.fetches = 0
        self.sudo_calls = 0
        self.receipts: dict[str, dict[str, Any]] = {}
        """Of the copies on the Docker host."""
        self.started_at = time.monotonic()
        self.is_noted = False
        """True once the journal holds it."""
        self.bring_up: Callable[..., Outcome] | None = None
        """An `up` of another DUSTY_HOME: the base, of which a world needs a part."""
        self.starts_over = ""
        """Why all of it is to be done again once this run is through."""
        self._lock = contextlib.ExitStack()
        self.lock_file: IO[str] | None = None
        self._view: View | None = None
        self._engine: Engine | None = None
        self._launcher: Launcher | None = None

    @property
    def consent(self) -> Consent:
        """What was agreed to of changes of this machine."""
        if self._consent is None:
            from dusty_tasks.operations.machine.consent import Consent

            self._consent = Consent(yes=self.options.yes)
        return self._consent

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(session.docker_host())
        return self._engine

    @property
    def view(self) -> View:
        """The last look; the first one is taken when it is asked for."""
        if self._view is None:
            self._view = look(self.engine, self.options.planning)
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view

    @property
    def has_looked(self) -> bool:
        return self._view is not None

    def forget_engine(self) -> None:
        """Ask the Docker host anew: it is another one, or was started."""
        self._view = self._engine = None

    @property
    def launcher(self) -> Launcher:
        """What changes containers; made with what is known when it is first asked for."""
        if self._launcher is None:
            from dusty_tasks.operations.launch.containers import Launcher

            lock = self.lock_file.fileno() if self.lock_file else None
            self._launcher = Launcher(self.engine, session.settings(), self.view, self.deeds, self.receipts, lock)
        return self._launcher

    @property
    def has_launched(self) -> bool:
        return self._launcher is not None

    def fail(self, failure: Failure) -> None:
        """Note what was not done; the rest goes on."""
        self.failures.append(failure)
        self.reporter.failed(failure)

    def take_lock(self) -> None:
        """The one lock for changes, until the end of this run. Raises Failure naming its holder."""
        from dusty_tasks.effects.doors.lock import held

        if self.lock_file is None:
            world = session.world()
            self.lock_file = self._lock.enter_context(
                held("up", verb="up", home=session.home(), orphans_wait=ORPHANS_WAIT, say=say)
            )
            session.world.forget()
            if world and session.world() is None:
                raise Failure(f"the world {world.name} was removed meanwhile", f"{DUSTY} world list")

    def ensure_tools(self, also: Sequence[Item] = ()) -> None:
        """What a run with work to do needs on this machine; `also` is agreed to with it. Raises Failure; preflight has said why."""
        from dusty_tasks.operations.machine.preflight import ensure_tools

        code = ensure_tools(
            self.consent,
            say,
            home=session.home(),
            engine_here=session.docker_host().has_engine_here,
            also=also,
            may_become=self.in_own_process,
        )
        if code:
            raise Failure("up stops here", code=code)

    def close(self) -> None:
        """Give the lock back."""
        self._lock.close()
        self.lock_file = None


Act = Callable[[Run], None]
