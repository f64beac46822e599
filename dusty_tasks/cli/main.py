"""`dusty …` and `python -m dusty_tasks …`: words to a verb, or to doit for the pipelines."""
from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A start makes modules and tables by the ten thousand and next to no garbage: looking for some costs a tenth of it."""

DOIT_COMMANDS = ("list", "info", "clean", "forget")
"""What doit itself does well with our tasks; its other commands are reached by plain doit."""


def console() -> None:
    """The `dusty` command of an installed wheel. A reader that has gone (`dusty logs | head`) ends it in silence, 141."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from dusty_tasks.cli import verbs as cli

    def run() -> int:
        code = main(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
        return code
    code = cli.ending(run)
    if sys.argv[1:2] == ["compile"]:
        # All is written, and no thread or child is left: to take a stack of hundreds of apps apart would take a fifth of the run.
        os._exit(code)
    raise SystemExit(code)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; its exit code (design.md section 7)."""
    from dusty_tasks.cli import doit_state as state
    from dusty_tasks.cli import verbs as cli
    from dusty_tasks.effects.doors.files import narrow_umask
    from dusty_tasks.effects.machine.called import learn_name
    from dusty_tasks.verbs.table import ALIASES, BY_NAME

    learn_name()
    narrow_umask()
    _open_closed_streams()
    _print_what_a_locale_lacks()
    state.catch_signals()
    name, *words = arguments or ["help"]
    name = ALIASES.get(name, name)
    if name in ("help", "-h", "--help"):
        verb = BY_NAME.get(ALIASES.get(words[0], words[0])) if words else None
        if words and verb is None:
            return cli.unknown_verb(words[0])
        print(cli.page(verb) if verb else cli.overview())
        return 0
    if not _is_somewhere():
        print("the folder that this was started in is gone\n    hint: cd to another one, and run it again", file=sys.stderr)
        return 1
    if name in ("up", "compile"):
        return run_pipeline(name, words)
    if name.startswith("sync:"):
        if not words and is_sync_task(name):
            return run_doit([name])
        # doit would only say that there is no such task or option: the verb knows what was meant.
        return cli.run_verb(BY_NAME["sync"], [word.removeprefix("sync:") for word in (name, *words)])
    if name in DOIT_COMMANDS or name.startswith(("compile:", "up:")):
        return cli.ending(lambda: check_words_of_doit(name, words)) or run_doit([name, *words])
    if name not in BY_NAME:
        return cli.unknown_verb(name)
    return cli.run_verb(BY_NAME[name], words)


def is_sync_task(name: str) -> bool:
    """True for `sync:<repo>` of a repo of the stack as compiled last."""
    from dusty_tasks.operations.code.sync import stack_repos, task_names

    return name.removeprefix("sync:") in task_names(entry["id"] for entry in stack_repos()).values()


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
            _options, named = DoitMain().get_cmds().get_plugin(name)(task_loader=ModuleTaskLoader({})).cmdparser.parse(words)
        except CmdParseError as error:
            what, _, _innards = str(error).removeprefix("Error parsing Command: ").partition(" (parsing options")
            raise Failure(what, f"doit help {name}") from None
    known = doit_tasks() if named else []
    for word in named:
        if word not in known:
            raise Failure(f'no task named "{word}"', did_you_mean(word, known))


def doit_tasks() -> list[str]:
    """Every task that doit can be asked for: the verbs, and the steps of the pipelines."""
    from dusty_tasks.operations.code import sync
    from dusty_tasks.pipelines import compile as compiling
    from dusty_tasks.pipelines import up
    from dusty_tasks.verbs.table import BY_NAME

    steps = {"compile": compiling.compile_steps(), "sync": sync.sync_steps(), "up": up.up_steps({})}
    return [*BY_NAME, *(f"{name}:{task['name']}" for name, tasks in steps.items() for task in tasks)]


def run_pipeline(name: str, arguments: Sequence[str]) -> int:
    """`up` and `compile`: the verb's options are parsed here, then doit runs the steps."""
    from dusty_tasks.cli import verbs as cli
    from dusty_tasks.verbs.table import BY_NAME

    try:
        words, options = cli.parse(BY_NAME[name], arguments)
        if words:
            raise cli.UsageError(f'{name} takes no words, and got "{words[0]}"')
    except cli.UsageError as error:
        return cli.misused(BY_NAME[name], error)
    special = options.pop("help") or (name == "compile" and any(map(cli.is_given, options.values())))
    return cli.run_verb(BY_NAME[name], arguments) if special else run_doit(["run", name], {name: {**options, "help": False}})


def run_doit(words: Sequence[str], task_options: dict[str, Any] | None = None) -> int:
    """Hand words to doit with our tasks; no config file of the current folder has a say."""
    from dusty_tasks.cli import verbs as cli

    def run() -> int:
        from doit.cmd_base import ModuleTaskLoader
        from doit.doit_cmd import DoitMain

        from dusty_tasks import dodo

        class Dusty(DoitMain):  # type: ignore[misc]
            BIN_NAME = "dusty"

            def process_args(self, cmd_args: list[str]) -> list[str]:
                """No doit variables: `a=b` stays a word."""
                super().process_args([])
                return cmd_args

        # `compile` and `up` need no task of another pipeline or verb: with many repos, making those takes its time.
        wanted = {"compile": ("task_compile",), "up": ("task_compile", "task_up")}.get(next(iter(task_options or {}), ""))
        loader = ModuleTaskLoader({name: getattr(dodo, name) for name in ("DOIT_CONFIG", *wanted)} if wanted else dodo)
        if task_options:
            loader.task_opts = task_options
        return int(Dusty(loader, config_filenames=()).run(list(words)) or 0)
    return cli.ending(run)


def _is_somewhere() -> bool:
    """False in a folder that was removed: neither a relative path nor a dodo.py of a specs repo can be looked for there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _open_closed_streams() -> None:
    """A closed stdin, stdout or stderr (`<&-`) reads as empty, or goes nowhere, instead of failing somewhere inside."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _print_what_a_locale_lacks() -> None:
    """A character that stdout cannot encode becomes an escape, as it does on stderr, instead of an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
