"""The words of a command line, read by the table of verbs."""

from __future__ import annotations

import getopt
from collections.abc import Sequence
from typing import Any

from dusty_tasks.console import without_colours
from dusty_tasks.verbs.table import Option, Verb

HELP = Option("help", "this page", short="h")
NO_COLOR = Option("no-color", "no colours and no links, as with NO_COLOR=1 or in a pipe")
GLOBAL = (HELP, NO_COLOR)
"""What every verb takes; `--no-color` may stand before the verb, too."""


class UsageError(Exception):
    """Words or options that the verb does not know; the text is for the user."""


def parse(verb: Verb, arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Split `arguments` into words and options, which may stand anywhere; `--` ends them, as does verb.verbatim_after.

    Every option of the verb is in the result, `help` included; `--no-color` is done here. Raises UsageError.
    """
    options = (*verb.options, *GLOBAL)
    short = "".join(option.short + ":" * (option.type is not bool) for option in options if option.short)
    long = [option.long + "=" * (option.type is not bool) for option in options]
    by_flag = {flag: option for option in options for flag in ("--" + option.long, "-" + (option.short or option.long))}
    chosen: dict[str, Any] = {
        option.name: [] if option.type is list else option.default for option in options if option is not NO_COLOR
    }
    words: list[str] = []
    rest = list(arguments)
    while rest:
        before = rest
        try:
            found, rest = getopt.getopt(before, short, long)
        except getopt.GetoptError as error:
            raise UsageError(_unknown_option(verb, error)) from error
        for flag, text in found:
            if by_flag[flag] is NO_COLOR:
                without_colours()
            else:
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

    guess = nearest(error.opt, [option.long for option in (*verb.options, *GLOBAL)])
    return f"{error.msg}{f' (did you mean --{guess}?)' if guess and 'not recognized' in error.msg else ''}"


def is_given(value: object) -> bool:
    """True for the value of an option that the caller wrote, be it an empty text."""
    return value not in (False, None, [])
