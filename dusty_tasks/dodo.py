"""The tasks and verbs: Dusty's table of contents. A specs repo's own dodo.py is `from dusty_tasks.dodo import *`.

`doit up`, `doit compile` and `doit sync:<repo>` are pipelines of steps with file dependencies; every other verb is one task.
Steps and verbs import what they need inside their functions: loading this file is part of every start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from doit import task_params

from dusty_tasks import session
from dusty_tasks.cli import doit_state as state
from dusty_tasks.cli import help_pages, parsing
from dusty_tasks.cli import verbs as cli
from dusty_tasks.cli.doit_reporter import Quiet
from dusty_tasks.console import without_colours
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.machine.called import learn_name
from dusty_tasks.verbs.table import BY_NAME, VERBS

__all__ = ["DOIT_CONFIG", "task_compile", "task_sync", "task_up", "task_usage", "task_verbs"]

try:
    HOME = session.home()
except Failure as failure:
    # Plain doit would show where it was raised.
    raise SystemExit(str(failure)) from None
DOIT_CONFIG = {
    "backend": "sqlite3",
    "dep_file": state.prepare(HOME),
    "reporter": Quiet,
    "default_tasks": ["_usage"],
    "verbosity": 2,
}

PIPELINES = ("compile", "sync", "up")

learn_name()
cli.refuse_what_doit_would_not_explain(sys.argv, PIPELINES)


def parameters(verb_name: str) -> list[dict[str, Any]]:
    """The options of a pipeline verb, as doit's @task_params wants them."""
    return [
        {"name": o.name, "long": o.long, "short": o.short, "default": o.default, "type": o.type, "help": o.help}
        for o in (*BY_NAME[verb_name].options, *parsing.GLOBAL)
    ]


def take_no_color(options: dict[str, Any]) -> None:
    """Do what `--no-color` asks for, and take it out of the options."""
    if options.pop(parsing.NO_COLOR.name, False):
        without_colours()


@task_params(parameters("compile"))
def task_compile(**options: Any) -> Iterator[dict[str, Any]]:
    """write the hosts section, nginx config, Compose file and command files"""
    from dusty_tasks.pipelines import compile as steps

    take_no_color(options)
    if any(map(parsing.is_given, options.values())):
        yield instead("compile", options)
        # `up` depends on the steps by name, so they are there, and skipped.
        yield from ({"name": name.partition(":")[2], "actions": [], "uptodate": [True]} for name in steps.step_names())
        return
    yield from map(cli.guarded, steps.compile_steps())


@task_params(parameters("sync"))
def task_sync(**options: Any) -> Iterator[dict[str, Any]]:
    """copy code to the Docker host: all repos of the stack, or sync:<repo>"""
    from dusty_tasks.pipelines import sync as steps

    take_no_color(options)
    if any(map(parsing.is_given, options.values())):
        yield instead("sync", options)
        return
    yield {"name": None, "doc": "copy code to the Docker host"}
    yield from map(cli.guarded, steps.sync_steps())


@task_params(parameters("up"))
def task_up(**options: Any) -> Iterator[dict[str, Any]]:
    """start or update everything that is active"""
    from dusty_tasks.pipelines import up as steps

    take_no_color(options)
    if options.pop("help"):
        yield instead("up", {"help": True})
        return
    if options.pop("json"):
        yield instead("up", {**options, "json": True})
        return
    yield from map(cli.guarded, steps.up_steps(options))


def task_verbs() -> Iterator[dict[str, Any]]:
    """every verb that is not a pipeline"""
    yield from (cli.verb_task(verb) for verb in VERBS if verb.name not in PIPELINES)


def task_usage() -> dict[str, Any]:
    """what a bare `doit` shows"""
    return {
        "basename": "_usage",
        "actions": [lambda: print(help_pages.overview())],
        "verbosity": 2,
        "io": {"capture": False},
    }


def instead(verb_name: str, options: dict[str, Any]) -> dict[str, Any]:
    """One sub-task that runs the verb with its options, in place of the pipeline's steps."""

    def action() -> None:
        chosen = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
            for name, value in options.items()
            if parsing.is_given(value)
        ]
        code = cli.run_verb(BY_NAME[verb_name], chosen)
        if code:
            raise SystemExit(code)

    return {"name": "with_options", "actions": [action], "verbosity": 2, "io": {"capture": False}, "uptodate": [False]}
