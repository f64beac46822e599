"""`dusty …` and `python -m dusty_tasks …`: words to a verb, or to doit for the pipelines."""

from __future__ import annotations

import gc
import io
import itertools
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks.cli.doit_bridge import DOIT_COMMANDS, check_words_of_doit, is_sync_task, run_doit, run_pipeline

if TYPE_CHECKING:
    from dusty_tasks.verbs.table import Verb

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A start makes modules and tables by the ten thousand and next to no garbage: looking for some costs a tenth of it."""


def console() -> None:
    """The `dusty` command of an installed wheel. A reader that has gone (`dusty logs | head`) ends it in silence, 141."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from dusty_tasks.cli import endings

    def run() -> int:
        code = main(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    code = endings.ending(run)
    if sys.argv[1:2] == ["compile"]:
        # All is written, and no thread or child is left: to take a stack of hundreds of apps apart would take a fifth of the run.
        os._exit(code)
    raise SystemExit(code)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; its exit code (docs/verbs.md)."""
    from dusty_tasks.cli import doit_state as state
    from dusty_tasks.cli import endings, help_pages
    from dusty_tasks.cli import verbs as cli
    from dusty_tasks.effects.doors.files import narrow_umask
    from dusty_tasks.effects.machine.called import learn_name
    from dusty_tasks.verbs.table import BY_NAME, meant

    learn_name()
    narrow_umask()
    _open_closed_streams()
    _print_what_a_locale_lacks()
    state.catch_signals()
    arguments = _without_no_color(arguments)
    name, *words = arguments or ["help"]
    name, options = meant(name)
    words = [*options, *words]
    if name in ("help", "-h", "--help"):
        verb = BY_NAME.get(meant(words[0])[0]) if words else None
        if words and verb is None:
            return help_pages.unknown_verb(words[0])
        if name == "help" and arguments and _is_shown_by_man(verb):
            return 0
        print(help_pages.page(verb) if verb else help_pages.overview())
        return 0
    if not _is_somewhere():
        print(
            "the folder that this was started in is gone\n    hint: cd to another one, and run it again",
            file=sys.stderr,
        )
        return 1
    if name in ("up", "compile"):
        return run_pipeline(name, words)
    if name.startswith("sync:"):
        if not words and is_sync_task(name):
            return run_doit([name])
        # doit would only say that there is no such task or option: the verb knows what was meant.
        return cli.run_verb(BY_NAME["sync"], [word.removeprefix("sync:") for word in (name, *words)])
    if name in DOIT_COMMANDS or name.startswith(("compile:", "up:")):
        return endings.ending(lambda: check_words_of_doit(name, words)) or run_doit([name, *words])
    if name not in BY_NAME:
        return help_pages.unknown_verb(name)
    return cli.run_verb(BY_NAME[name], words)


def _is_shown_by_man(verb: Verb | None) -> bool:
    from dusty_tasks.cli.manual import show

    return show(verb)


def _without_no_color(arguments: Sequence[str]) -> Sequence[str]:
    """The words without a `--no-color` that stands before the verb, or behind what is no verb (`help`, what doit does); it is done here."""
    from dusty_tasks.cli.parsing import NO_COLOR
    from dusty_tasks.console import without_colours

    flag = f"--{NO_COLOR.long}"
    if flag not in arguments:
        return arguments
    behind = len(list(itertools.takewhile(flag.__eq__, arguments)))
    rest = list(arguments[behind:])
    from dusty_tasks.verbs.table import BY_NAME, meant

    if rest[:1] and meant(rest[0])[0] not in BY_NAME:
        rest = [word for word in rest if word != flag]
    if len(rest) < len(arguments):
        without_colours()
    return rest


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
