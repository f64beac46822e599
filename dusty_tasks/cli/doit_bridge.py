"""Runs that doit does: a pipeline, or one of doit's own commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DOIT_COMMANDS = ("list", "info", "clean", "forget")
"""What doit itself does well with our tasks; its other commands are reached by plain doit."""


def is_sync_task(name: str) -> bool:
    """True for `sync:<repo>` of a repo of the stack as compiled last."""
    from dusty_tasks.operations.code.sources import stack_repos
    from dusty_tasks.pipelines.sync import task_names

    return name.removeprefix("sync:") in task_names(entry.id for entry in stack_repos()).values()


def check_words_of_doit(name: str, words: Sequence[str]) -> None:
    """Raise Failure for an option or a task that doit does not have: it would answer with its innards."""
    from doit.cmd_base import ModuleTaskLoader
    from doit.cmdparse import CmdParseError
    from doit.doit_cmd import DoitMain

    from dusty_tasks.core.text.problems import did_you_mean
    from dusty_tasks.effects.doors.failures import Failure

    named = [name, *words]
    if name in DOIT_COMMANDS:
        try:
            _options, named = (
                DoitMain().get_cmds().get_plugin(name)(task_loader=ModuleTaskLoader({})).cmdparser.parse(words)
            )
        except CmdParseError as error:
            what, _, _innards = str(error).removeprefix("Error parsing Command: ").partition(" (parsing options")
            raise Failure(what, f"doit help {name}") from None
    known = doit_tasks() if named else []
    for word in named:
        if word not in known:
            raise Failure(f'no task named "{word}"', did_you_mean(word, known))


def doit_tasks() -> list[str]:
    """Every task that doit can be asked for: the verbs, and the steps of the pipelines."""
    from dusty_tasks.pipelines import compile as compiling
    from dusty_tasks.pipelines import sync, up
    from dusty_tasks.verbs.table import BY_NAME

    steps = {"compile": compiling.compile_steps(), "sync": sync.sync_steps(), "up": up.up_steps({})}
    return [*BY_NAME, *(f"{name}:{task['name']}" for name, tasks in steps.items() for task in tasks)]


def run_pipeline(name: str, arguments: Sequence[str]) -> int:
    """`up` and `compile`: the verb's options are parsed here, then doit runs the steps."""
    from dusty_tasks.cli import parsing
    from dusty_tasks.cli import verbs as cli
    from dusty_tasks.verbs.table import BY_NAME

    try:
        words, options = parsing.parse(BY_NAME[name], arguments)
        if words and name != "up":
            raise parsing.UsageError(f'unexpected argument "{words[0]}"')
    except parsing.UsageError as error:
        return cli.misused(BY_NAME[name], error)
    special = (
        options.pop("help")
        or options.get("json")
        or (name == "compile" and any(map(parsing.is_given, options.values())))
    )
    if special:
        return cli.run_verb(BY_NAME[name], arguments)
    if BY_NAME[name].is_of_a_world and (code := cli.enter_world(name, options, words)):
        return code
    return run_doit(["run", name], {name: {**options, "help": False, **({"names": words} if words else {})}})


def run_doit(words: Sequence[str], task_options: dict[str, Any] | None = None) -> int:
    """Hand words to doit with our tasks; no config file of the current folder has a say."""
    from dusty_tasks.cli import endings

    def run() -> int:
        from doit.cmd_base import ModuleTaskLoader
        from doit.doit_cmd import DoitMain

        from dusty_tasks import dodo

        class Dusty(DoitMain):
            BIN_NAME = "dusty"

            def process_args(self, cmd_args: list[str]) -> list[str]:
                """No doit variables: `a=b` stays a word."""
                super().process_args([])
                return cmd_args

        # `compile` and `up` need no task of another pipeline or verb: with many repos, making those takes its time.
        wanted = {"compile": ("task_compile",), "up": ("task_compile", "task_up")}.get(
            next(iter(task_options or {}), "")
        )
        loader = ModuleTaskLoader({name: getattr(dodo, name) for name in ("DOIT_CONFIG", *wanted)} if wanted else dodo)
        if task_options:
            loader.task_opts = task_options
        return int(Dusty(loader, config_filenames=()).run(list(words)) or 0)

    return endings.ending(run)
