"""`up` as a function: it compiles, compares and makes reality match, and can be called in one process as often as one likes.

    from dusty_tasks.operations.up.bring_up import bring_up
    from dusty_tasks.operations.up.run import UpOptions

    outcome = bring_up(UpOptions(no_pull=True), reporter, home="/home/me/.dusty")

Every call reads all anew, in a session of its own (effects/doors/once). It raises nothing that a user can cause, ends no process and
becomes no other one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.change import Change
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.reporter import Outcome, Reporter
from dusty_tasks.operations.up.ending import conclude, outcome_of
from dusty_tasks.operations.up.journal import note_end
from dusty_tasks.operations.up.phases import AFTER_COMPILE, BEFORE_COMPILE
from dusty_tasks.operations.up.run import Run, StartOver, UpOptions
from dusty_tasks.voices import speaking_to

if TYPE_CHECKING:
    from dusty_tasks.operations.machine.consent import Consent


def bring_up(
    options: UpOptions,
    reporter: Reporter,
    *,
    home: str = "",
    consent: Consent | None = None,
    is_again: bool = False,
) -> Outcome:
    """Compile what is active and make reality match it; what came of it, which `reporter` has heard by then, too.

    `home` is the DUSTY_HOME ('' for that of the environment); `consent` is what was agreed to already, and `is_again` says that this
    follows a run that wanted to start over. What ends a run early is the last failure of the outcome. Raises what is a bug of ours,
    and KeyboardInterrupt; the lock is free then, and the next run continues where this one stopped.
    """
    began, done_before = time.monotonic(), list[Change]()
    with speaking_to(reporter.voice):
        while True:
            with session.begun(session.Session(home)):
                run = Run(options, reporter, consent, is_again=is_again, in_own_process=False)
                run.bring_up = bring_up
                try:
                    outcome, why_again = _end_of(run, began)
                finally:
                    run.close()
                if outcome and not why_again:
                    outcome = outcome._replace(done=(*done_before, *outcome.done))
                    with speaking_to(None):
                        reporter.finished(outcome)
                    return outcome
                say(why_again)
                done_before += run.deeds.done
                consent, is_again = run.consent, True


def _end_of(run: Run, began: float) -> tuple[Outcome | None, str]:
    """How it ended, and why all of it is to be done again ('' if it is not)."""
    try:
        _go_through(run)
        outcome = conclude(run, time.monotonic() - began)
        note_end(run)
        return outcome, run.starts_over
    except StartOver as again:
        return None, str(again)
    except Failure as failure:
        return _ended_early(run, failure, time.monotonic() - began), ""


def _go_through(run: Run) -> None:
    from dusty_tasks.operations.compile.in_process import compile_now

    for phase in BEFORE_COMPILE:
        if not phase.is_done(run):
            phase.act(run)
    compile_now()
    for phase in AFTER_COMPILE:
        if not phase.is_done(run):
            phase.act(run)


def _ended_early(run: Run, failure: Failure, seconds: float) -> Outcome:
    run.fail(failure)
    note_end(run)
    try:
        return outcome_of(run, seconds)
    except Failure:
        # Settings that cannot be used: there is no Docker host to tell of.
        return Outcome(failure.code, tuple(run.failures), seconds=seconds)
