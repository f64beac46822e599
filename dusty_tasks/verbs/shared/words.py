"""What verbs share: the words they get (paths of the caller, unknown names, wrong use, answers), and JSON out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from dusty_tasks.console import ask, may_ask, say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.core.text.safe import in_json
from dusty_tasks.effects.doors.failures import Failure


def local_path(word: str) -> str:
    """A path as its caller meant it, absolute: `~` expanded, relative to the folder the verb was typed in.

    Raises Failure for an empty word: what a shell makes of a variable that is not set does not mean the current folder.
    """
    if not word:
        raise Failure("the path is empty")
    doit = sys.modules.get("doit")
    # Plain doit changes to the folder of dodo.py before a verb runs.
    caller = (doit.get_initial_workdir() if doit else None) or os.getcwd()
    return os.path.normpath(os.path.join(caller, os.path.expanduser(word)))


def repo_as_stored(word: str) -> str:
    """A repo string as it is written; a folder of the caller's as its absolute path.

    `team/specs` is such a folder if it exists, while `git.team/specs` names a host and stays as it is.
    """
    if word.startswith((".", "~", "/")):
        return local_path(word)
    names_a_host = not word or any(character in word.partition("/")[0] for character in ".:@")
    return word if names_a_host or not os.path.isdir(local_path(word)) else local_path(word)


def answer(question: str, present: str) -> str:
    """What a person answers; `present` for a blank answer, and where there is no terminal."""
    if not may_ask():
        return present
    try:
        return ask(f"{question}{f' [{present}]' if present else ''}: ").strip() or present
    except EOFError:
        return present


def unknown(kind: str, name: str, known: Iterable[str]) -> Failure:
    """The failure for a name nobody knows, with the likeliest known one."""
    return Failure(f'no {kind} named "{name}"', did_you_mean(name, known))


def misuse(verb_name: str, what: str) -> Failure:
    """The failure for words a verb cannot use: what is wrong, and the verb's usage."""
    from dusty_tasks.verbs.table import BY_NAME

    return Failure(what, f"usage: {DUSTY} {verb_name} {BY_NAME[verb_name].usage}".rstrip())


def action_of(verb_name: str, words: list[str], actions: Iterable[str], default: str = "list") -> tuple[str, list[str]]:
    """The first word as one of `actions`, and the words after it; no word is `default`. Raises Failure."""
    if not words:
        return default, []
    known = list(actions)
    if words[0] not in known:
        guess = did_you_mean(words[0], known)
        raise misuse(verb_name, f'unknown argument "{words[0]}"; {guess}')
    return words[0], words[1:]


def exactly(verb_name: str, action: str, words: list[str], *names: str) -> list[str]:
    """`words`, being as many as `names`. Raises Failure naming what is missing or too much."""
    typed = f"{verb_name} {action}".rstrip()
    if len(words) < len(names):
        raise misuse(verb_name, f"{typed} needs {names[len(words)]}")
    if len(words) > len(names):
        raise misuse(verb_name, f'{typed}: unexpected argument "{words[len(names)]}"')
    return words


def json_line(value: Any) -> bytes:
    """`value` as one line for machines, where many follow each other."""
    import json

    return f"{in_json(json.dumps(value, ensure_ascii=False))}\n".encode("utf-8", "replace")


def say_json(value: Any) -> None:
    """Print `value` for machines."""
    import json

    say(in_json(json.dumps(value, indent=2, ensure_ascii=False)), as_is=True)
