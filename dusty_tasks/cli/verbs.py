"""From words to a verb's run(): parsing, usage, and what becomes of what it raises (design.md section 7)."""
from __future__ import annotations

import functools
import getopt
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from dusty_tasks.console import say_interrupted, warn
from dusty_tasks.core.text.called import DUSTY, in_called_name
from dusty_tasks.verbs.table import BY_NAME, VERBS, Option, Verb

HELP = Option("help", "this page", short="h")
WIDTH = 79
"""Columns of a help page."""


LONGEST_BUG = 500
"""Characters of a bug's own words on the terminal: some exceptions hold the whole text that they are about."""


class UsageError(Exception):
    """Words or options that the verb does not know; the text is for the user."""


def parse(verb: Verb, arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Split `arguments` into words and options, which may stand anywhere; `--` ends them, as does verb.verbatim_after.

    Every option of the verb is in the result, `help` included. Raises UsageError.
    """
    options = (*verb.options, HELP)
    short = "".join(option.short + ":" * (option.type is not bool) for option in options if option.short)
    long = [option.long + "=" * (option.type is not bool) for option in options]
    by_flag = {flag: option for option in options for flag in ("--" + option.long, "-" + (option.short or option.long))}
    chosen: dict[str, Any] = {option.name: [] if option.type is list else option.default for option in options}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        before = rest
        try:
            found, rest = getopt.getopt(before, short, long)
        except getopt.GetoptError as error:
            raise UsageError(_unknown_option(verb, error)) from error
        for flag, text in found:
            _choose(chosen, by_flag[flag], text)
        if len(rest) < len(before) and before[len(before) - len(rest) - 1] == "--":
            return words + rest, chosen
        if rest:
            words.append(rest.pop(0))
        if len(words) == verb.verbatim_after:
            return words + rest, chosen
    return words, chosen


def _choose(chosen: dict[str, Any], option: Option, text: str) -> None:
    if option.type is list:
        chosen[option.name].append(text)
    elif option.type is int:
        try:
            chosen[option.name] = int(text)
        except ValueError:
            raise UsageError(f'--{option.long}: "{text}" is not a number') from None
    else:
        chosen[option.name] = True if option.type is bool else text


def _unknown_option(verb: Verb, error: getopt.GetoptError) -> str:
    from dusty_tasks.core.text.problems import nearest

    guess = nearest(error.opt, [option.long for option in verb.options])
    return f"{error.msg}{f' (did you mean --{guess}?)' if guess and 'not recognized' in error.msg else ''}"


def run_verb(verb: Verb, arguments: Sequence[str], already: dict[str, Any] | None = None) -> int:
    """Parse and run a verb; its exit code. `already` holds what doit parsed before the first word."""
    try:
        words, options = parse(verb, arguments)
    except UsageError as error:
        return misused(verb, error)
    options = {name: value or (already or {}).get(name, value) for name, value in options.items()}
    if options.pop("help"):
        print(page(verb))
        return 0
    if verb.asks_engine:
        _join_docker_group()
    module = importlib.import_module(f"dusty_tasks.verbs.{verb.name}")
    return ending(lambda: module.run(words, **options), in_json=bool(options.get("json")))


def misused(verb: Verb, error: UsageError) -> int:
    """Say what is wrong with the words of a verb, and how it is used; exit code 1."""
    warn(f"{error}\n{f'usage: {DUSTY} {verb.name} {verb.usage}'.rstrip()}\nMore: {DUSTY} {verb.name} --help")
    return 1


def is_given(value: object) -> bool:
    """True for the value of an option that the caller wrote, be it an empty text."""
    return value not in (False, None, [])


def _join_docker_group(socket: str = "/var/run/docker.sock") -> None:
    """`up` may have put this account into the group docker in a session that does not know it: the other verbs go on, too."""
    if os.path.exists(socket) and not os.access(socket, os.W_OK):
        from dusty_tasks.operations.machine.preflight import join_docker_group

        join_docker_group()


def ending(run: Callable[[], Any], *, in_json: bool = False) -> int:
    """Run a verb or step to its exit code: Failure is one line on stderr and its code, ^C 130, anything else our bug, 3.

    `in_json`: a program reads stdout, and is told of a Failure there as well.
    """
    from dusty_tasks.effects.doors.failures import Failure

    try:
        return int(run() or 0)
    except Failure as raised:
        failure = raised
        if raised.is_absence:
            from dusty_tasks.operations.machine.docker_host import named_off

            failure = named_off(raised)
        warn(str(failure))
        if in_json:
            from dusty_tasks.verbs.shared.words import say_json

            say_json(failure.to_json())
        return failure.code
    except KeyboardInterrupt:
        say_interrupted()
        return 130
    except Exception as error:
        return _trouble_of_the_machine(error) or report_bug()


def _trouble_of_the_machine(error: Exception) -> int:
    """The exit code of what is no bug, met outside the doors; 0 for all else.

    A reader that has gone ends a run in silence, 141. A full or read-only disk, or a file where a folder should be, is said in one line, 2.
    """
    import errno

    if isinstance(error, BrokenPipeError):
        _print_to_nobody()
        return 141
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.ENOTDIR):
        return 0
    warn(f"{error.filename or 'the output'}: {error.strerror}")
    try:
        sys.stdout.flush()
    except OSError:
        _print_to_nobody()
    return 2


def _print_to_nobody() -> None:
    """What stdout still holds cannot be written: the interpreter's own last flush is not to fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def report_bug() -> int:
    """Write the current exception's traceback to a log file and name it; exit code 3."""
    import tempfile
    import traceback

    text = f"dusty {' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}"
    try:
        from dusty_tasks.session import home
        folder = os.path.join(home(), "state")
        os.makedirs(folder, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix="bug-", suffix=".log", dir=folder)
    except OSError:
        handle, path = tempfile.mkstemp(prefix="dusty-bug-", suffix=".log")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    warn(f"This is a bug in Dusty: {repr(sys.exc_info()[1])[:LONGEST_BUG]}\n    the details are in {path}")
    return 3


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
        except Exception as error:
            code = _trouble_of_the_machine(error) or report_bug()
            raise SystemExit(code) from None
    return acted


def verb_task(verb: Verb) -> dict[str, Any]:
    """The doit task of a verb, for `doit <verb> …`; with `dusty <verb> …` doit is not in the way."""
    def action(words: list[str], **already: Any) -> None:
        code = run_verb(verb, words, already)
        if code:
            raise SystemExit(code)

    params = [{"name": option.name, "long": option.long, "short": option.short, "default": option.default,
               "type": option.type, "help": option.help} for option in (*verb.options, HELP)]
    return {"basename": verb.name, "doc": verb.summary, "actions": [action], "pos_arg": "words", "params": params,
            "verbosity": 2, "io": {"capture": False}, "uptodate": [False]}


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


def page(verb: Verb) -> str:
    """The help page of one verb, for a terminal of 80 columns."""
    from textwrap import fill

    from dusty_tasks.verbs.help_texts import DETAILS

    lines = [fill(f"usage: {DUSTY} {verb.name} {verb.usage}".rstrip(), WIDTH, subsequent_indent=" " * 9), "",
             fill(f"{verb.summary[0].upper()}{verb.summary[1:]}.", WIDTH)]
    for paragraph in filter(None, in_called_name(DETAILS.get(verb.name, "")).split("\n\n")):
        lines += ["", paragraph if paragraph.startswith(" ") else fill(paragraph, WIDTH)]
    lines += ["", "Options:"]
    flags = [(", ".join(filter(None, (f"-{o.short}" if o.short else "", f"--{o.long}{' ' + o.metavar if o.metavar else ''}"))), o.help)
             for o in (*verb.options, HELP)]
    width = max(len(flag) for flag, _help in flags)
    return "\n".join(lines + [fill(f"  {flag.ljust(width)}  {text}", WIDTH, subsequent_indent=" " * (width + 4)) for flag, text in flags])


def overview() -> str:
    """The page of `dusty`, `dusty help` and a bare `doit`: verbs in groups, one line each."""
    lines = ["Dusty launches your team's whole local environment with one command.", "",
             f"usage: {DUSTY} <verb> [words and options]", ""]
    width = max(len(verb.name) for verb in VERBS)
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines.append(f"{group}:")
        lines += [f"  {verb.name.ljust(width)}  {verb.summary}" for verb in VERBS if verb.group == group]
        lines.append("")
    lines.append(f"`{DUSTY} <verb> --help` tells more. Start with: {DUSTY} up")
    return "\n".join(lines)


def unknown_verb(word: str) -> int:
    """What to say to a word that is no verb; exit code 1."""
    from dusty_tasks.core.text.problems import nearest

    guess = nearest(word, BY_NAME)
    warn(f'"{word}" is not a verb{f" (did you mean {guess}?)" if guess else ""}; `{DUSTY} help` lists them')
    return 1
