"""From words to a verb's run(): parsing, usage, and what becomes of what it raises (docs/verbs.md)."""

from __future__ import annotations

import functools
import importlib
import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any

from dusty_tasks.cli.endings import ending, report_bug, trouble_of_the_machine
from dusty_tasks.cli.help_pages import page
from dusty_tasks.cli.parsing import GLOBAL, NO_COLOR, UsageError, parse
from dusty_tasks.console import warn, without_colours
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.once import home_folder
from dusty_tasks.verbs.table import BY_NAME, Verb


def run_verb(verb: Verb, arguments: Sequence[str], already: dict[str, Any] | None = None) -> int:
    """Parse and run a verb; its exit code. `already` holds what doit parsed before the first word."""
    if (already or {}).get(NO_COLOR.name):
        without_colours()
    try:
        words, options = parse(verb, arguments)
    except UsageError as error:
        return misused(verb, error)
    options = {name: value or (already or {}).get(name, value) for name, value in options.items()}
    if options.pop("help"):
        print(page(verb))
        return 0
    if verb.is_of_a_world and (code := enter_world(verb.name, options, words)):
        return code
    if verb.asks_engine:
        _join_docker_group()
    module = importlib.import_module(f"dusty_tasks.verbs.{verb.name}")
    return ending(lambda: module.run(words, **options), in_json=bool(options.get("json")))


def enter_world(name: str, options: dict[str, Any], words: Sequence[str] = ()) -> int:
    """Let the run be about the world that is meant; its exit code if there is no such world. `options` have no world any more."""
    chosen = options.pop("world", None)

    def enter() -> int:
        from dusty_tasks.operations.worlds.meaning import enter

        enter(chosen, name, words, in_json=bool(options.get("json")))
        return 0

    return ending(enter, in_json=bool(options.get("json"))) if chosen is not None or may_mean_a_world() else 0


def may_mean_a_world() -> bool:
    """False where there are no worlds and none is named."""
    return "DUSTY_WORLD" in os.environ or os.path.isdir(Paths(home_folder()).worlds)


def misused(verb: Verb, error: UsageError) -> int:
    """Say what is wrong with the words of a verb, and how it is used; exit code 1."""
    warn(f"{error}\n{f'usage: {DUSTY} {verb.name} {verb.usage}'.rstrip()}\nMore: {DUSTY} {verb.name} --help")
    return 1


def _join_docker_group(socket: str = "/var/run/docker.sock") -> None:
    """`up` may have put this account into the group docker in a session that does not know it: the other verbs go on, too."""
    if os.path.exists(socket) and not os.access(socket, os.W_OK):
        from dusty_tasks.operations.machine.preflight import join_docker_group

        join_docker_group()


def guarded(task: dict[str, Any]) -> dict[str, Any]:
    """A doit task whose Python actions may raise Failure: what a user can cause becomes one line, a bug a log file."""
    task["actions"] = [_guarded_action(action) if callable(action) else action for action in task.get("actions", ())]
    task.setdefault("verbosity", 2)
    task.setdefault("io", {"capture": False})
    return task


def _guarded_action(action: Callable[..., Any]) -> Callable[..., Any]:
    from dusty_tasks.effects.doors.failures import Failure

    @functools.wraps(action)
    def acted(*args: Any, **named: Any) -> Any:
        from doit.exceptions import TaskError, TaskFailed

        try:
            return action(*args, **named)
        except Failure as failure:
            return (TaskFailed if failure.code == 1 else TaskError)(str(failure))
        except Exception as error:  # doit would print its traceback; see cli/endings
            code = trouble_of_the_machine(error) or report_bug()
            raise SystemExit(code) from None

    return acted


def verb_task(verb: Verb) -> dict[str, Any]:
    """The doit task of a verb, for `doit <verb> …`; with `dusty <verb> …` doit is not in the way."""

    def action(words: list[str], **already: Any) -> None:
        code = run_verb(verb, words, already)
        if code:
            raise SystemExit(code)

    params = [
        {
            "name": option.name,
            "long": option.long,
            "short": option.short,
            "default": option.default,
            "type": option.type,
            "help": option.help,
        }
        for option in (*verb.options, *GLOBAL)
    ]
    return {
        "basename": verb.name,
        "doc": verb.summary,
        "actions": [action],
        "pos_arg": "words",
        "params": params,
        "verbosity": 2,
        "io": {"capture": False},
        "uptodate": [False],
    }


def refuse_what_doit_would_not_explain(argv: Sequence[str], pipelines: Sequence[str]) -> None:
    """Plain doit answers a wrong option with its own innards, and takes a word after `sync` for another task.

    If `argv` is a call of plain doit, say these things as `dusty` does. Raises SystemExit.
    """
    program, *arguments = argv
    if "doit" not in program.split(os.sep)[-2:]:
        return
    words = list(itertools.dropwhile(lambda word: word not in BY_NAME, arguments))
    if not words:
        return
    verb, words = BY_NAME[words[0]], words[1:]
    if verb.name in pipelines:
        # Words after a task with steps are further tasks, with options of their own.
        words = list(itertools.takewhile(lambda word: word not in BY_NAME and ":" not in word, words))
    try:
        words, _options = parse(verb, words)
    except UsageError as error:
        raise SystemExit(misused(verb, error)) from None
    for word in words if verb.name == "sync" else ():
        if "=" not in word:
            warn(f"doit takes {word} for a task: doit sync:{word}, or dusty sync {word}")
            raise SystemExit(1)
