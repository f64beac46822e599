"""What an `up` notes of itself on the Docker host, at its end: who ran it, what it changed and why, who is in trouble, what ended it."""

from __future__ import annotations

import time

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.up.run import Run


def note_end(run: Run, failure: Failure | None = None) -> None:
    """Note the run, which `failure` may have ended early. Nothing is noted of one that had nothing to do, or that never saw the Docker host."""
    failures = [str(each) for each in (*run.failures, *([failure] if failure else ()))]
    if run.is_noted or not run.has_looked or run.view.engine_trouble or not (run.deeds.done or failures):
        return
    run.is_noted = True
    from dusty_tasks.operations.history.noting import note_run

    began = time.time() - (time.monotonic() - run.started_at)
    note_run(
        run.engine.host,
        "up",
        began,
        list(zip(run.deeds.done, run.deeds.times, strict=True)),
        troubles=run.troubles,
        failures=failures,
    )
