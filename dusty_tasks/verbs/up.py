"""`dusty up --json`: the same run in this process, with what came of it as JSON. Without it the steps of pipelines/up do the work."""

from __future__ import annotations

from typing import Any

from dusty_tasks import session
from dusty_tasks.console import warn
from dusty_tasks.core.text.looks import plain
from dusty_tasks.operations.launch.receipt import names_of_what_is_up
from dusty_tasks.operations.launch.reporter import Outcome
from dusty_tasks.operations.up.bring_up import bring_up
from dusty_tasks.operations.up.run import UpOptions
from dusty_tasks.verbs.shared.aside import Aside
from dusty_tasks.verbs.shared.words import say_json


def run(words: list[str], json: bool = False, **options: Any) -> int:
    """The exit code of the run. Raises Failure where it ended before it had done anything."""
    heard = Aside()
    outcome = bring_up(UpOptions.of({**options, "names": words}), heard, home=session.home())
    if not outcome.is_whole and not outcome.done and outcome.failures:
        raise outcome.failures[-1]
    for failure in outcome.failures:
        warn(str(failure))
    say_json(facts_of(outcome, heard.warnings))
    return outcome.code


def facts_of(outcome: Outcome, warnings: list[str]) -> dict[str, Any]:
    """What came of a run, as in schemas/output/up.json."""
    done = {(change.kind, change.name) for change in outcome.done}
    view = outcome.view
    return {
        "ok": outcome.code == 0,
        "exit_code": outcome.code,
        "changes": [change._asdict() for change in outcome.done],
        "left": [change._asdict() for change in outcome.plan.changes if (change.kind, change.name) not in done],
        "pending": [change._asdict() for change in view.plan.pending] if view else [],
        "problems": [problem for failure in outcome.failures for problem in failure.to_json()["problems"]],
        "warnings": [*warnings, *map(plain, outcome.warnings)],
        "troubles": [{"name": name, "what": what} for name, what in outcome.troubles.items()],
        "urls": [
            {"name": name, "url": url}
            for name in (names_of_what_is_up(outcome, view) if view else ())
            for url in outcome.urls[name]
        ],
        "seconds": round(outcome.seconds, 2),
    }
