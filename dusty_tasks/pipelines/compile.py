"""The doit steps of `compile`: those of operations/compile/steps, with what doit remembers of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dusty_tasks.console import say
from dusty_tasks.core.text.paths import STACK_FILE
from dusty_tasks.operations.compile import steps
from dusty_tasks.operations.machine import first_run


def compile_steps() -> Iterator[dict[str, Any]]:
    """The sub-tasks of `compile`, and one that says `up to date` if none of them changed anything."""
    from dusty_tasks import session

    yield {
        "name": "examples",
        "doc": "choose the examples where nothing is configured",
        "actions": [first_run.choose_examples],
        "uptodate": [first_run.is_configured],
    }
    for step in steps.compile_steps():
        yield {
            "name": step.name,
            "doc": step.doc,
            "actions": [step.act],
            "targets": list(step.targets),
            "file_dep": [] if step.name == "stack" else [session.paths().artifact(STACK_FILE)],
            # Below `up`, doit keeps no order but the one it is told.
            "task_dep": ["compile:examples", *(f"compile:{name}" for name in step.after)],
            "uptodate": [step.checked],
            "clean": True,
        }
    yield {
        "name": "summary",
        "doc": "say so if nothing changed",
        "actions": [_say_up_to_date],
        "uptodate": [False],
        "task_dep": step_names(),
    }


def step_names() -> list[str]:
    """The steps that write; what `up` depends on."""
    return [f"compile:{name}" for name in steps.step_names()]


def _say_up_to_date() -> None:
    if not steps.compiling().changed:
        say("up to date")
