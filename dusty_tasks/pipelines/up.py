"""The doit steps of `up`: the phases of operations/up, each after the one before it. Each looks at the one plan; what has nothing to do is up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.compile.steps import compiling
from dusty_tasks.operations.launch.printed import Printed
from dusty_tasks.operations.up.bring_up import bring_up
from dusty_tasks.operations.up.ending import conclude
from dusty_tasks.operations.up.journal import note_end
from dusty_tasks.operations.up.phases import AFTER_COMPILE, BEFORE_COMPILE, Phase
from dusty_tasks.operations.up.run import Run, StartOver, UpOptions
from dusty_tasks.pipelines.compile import step_names as compiling_steps


def up_steps(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sub-tasks of `up`."""
    printed = Printed(verbose=bool(options.get("verbose")))
    run = Run(UpOptions.of(options), printed)
    run.bring_up = bring_up

    def is_done(phase: Phase) -> bool:
        # Asked when `up` has begun, which is not said of the tasks that doit makes: it may have been asked for `compile` alone.
        compiling().tell = printed.wrote
        return phase.is_done(run)

    before = ""
    for phase in (*BEFORE_COMPILE, *AFTER_COMPILE):
        needs = compiling_steps() if phase is AFTER_COMPILE[0] else []
        yield {
            "name": phase.name,
            "doc": phase.doc,
            "actions": [partial(_act, run, phase.act)],
            "task_dep": [*([f"up:{before}"] if before else []), *needs],
            "uptodate": [partial(is_done, phase)],
        }
        before = phase.name
    yield {
        "name": "receipt",
        "doc": "say what was done",
        "actions": [partial(_act, run, _conclude)],
        "task_dep": [f"up:{before}"],
        "uptodate": [False],
    }


def _act(run: Run, act: Callable[[Run], None]) -> None:
    """Do one phase. Where all is to be done again, a second run does it, and this one ends as that does: raises SystemExit."""
    try:
        with _still_at_the_end(run):
            act(run)
    except Failure as failure:
        note_end(run, failure)
        raise
    except StartOver as again:
        run.close()
        say(str(again))
        raise SystemExit(_once_more(run)) from None


@contextmanager
def _still_at_the_end(run: Run) -> Iterator[None]:
    """What breaks a phase off leaves nothing that moves on the terminal."""
    try:
        yield
    except BaseException:
        if isinstance(run.reporter, Printed):
            run.reporter.stop()
        raise


def _conclude(run: Run) -> None:
    """Print the receipt; raises SystemExit where the run's exit code is not 0."""
    from dusty_tasks.effects.machine.called import seconds_since_start

    outcome = conclude(run, seconds_since_start())
    run.reporter.finished(outcome)
    note_end(run)
    if run.starts_over:
        raise StartOver(run.starts_over)
    if outcome.code:
        raise SystemExit(outcome.code)


def _once_more(run: Run) -> int:
    return bring_up(run.options, run.reporter, home=session.current().home, consent=run.consent, is_again=True).code
