"""The key `reload` of apps and libs, beyond what the schema can say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dusty_tasks.core.code.reloading import can_match
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.reload import SIGNALS, WORDS, signal_name
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem, edit_distance, nearest
from dusty_tasks.core.text.safe import shown

_FORMS = "restart, none, recreate, {signal: HUP} or {run: [./reload.sh]}"


def check_reload(documents: Iterable[Document]) -> Iterator[Problem]:
    """Unknown actions and signals, two actions in one, globs that match nothing, rules that nothing gets to."""
    for document in documents:
        value = document.value.get("reload") if document.kind in ("app", "lib") and document.is_readable else None
        if isinstance(value, list):
            yield from _rules(document, value)
        elif value is not None:
            yield from _action(document, ("reload",), value)


def _rules(document: Document, rules: list[Any]) -> Iterator[Problem]:
    is_caught: int | None = None
    for index, rule in enumerate(rules):
        if not isinstance(rule, dict):
            continue
        path: KeyPath = ("reload", index)
        if is_caught is not None:
            yield document.problem(
                path,
                Code.IGNORED_KEY,
                f"this rule is never reached: reload[{is_caught}] matches every path",
                "put the rule without paths last",
                is_warning=True,
            )
        if rule.get("paths") is None and is_caught is None:
            is_caught = index
        yield from _paths(document, (*path, "paths"), rule.get("paths"))
        if rule.get("do") is not None:
            yield from _action(document, (*path, "do"), rule["do"])


def _paths(document: Document, path: KeyPath, patterns: Any) -> Iterator[Problem]:
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        if isinstance(pattern, str) and pattern and not can_match(pattern):
            yield document.problem(
                (*path, index),
                Code.GLOB,
                f"{shown(pattern)} cannot match any path",
                "a glob from the top of the repo, for example static/** or requirements*.txt",
            )


def _action(document: Document, path: KeyPath, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and value not in WORDS:
        yield document.problem(
            path, Code.NOT_ONE_OF, f"{shown(value)} is not an action", _guess(value, WORDS) or f"write {_FORMS}"
        )
    if not isinstance(value, dict):
        return
    given = [key for key in ("signal", "run") if value.get(key) is not None]
    if len(given) > 1:
        yield document.problem(
            path, Code.BOTH_GIVEN, "signal and run are both given", "keep one of them; `run` can send signals itself"
        )
    elif not given and not value.keys() - {"signal", "run"}:
        yield document.problem(path, Code.NEITHER_GIVEN, "no action is given", f"write {_FORMS}")
    name = value.get("signal")
    if isinstance(name, str) and not signal_name(name):
        hint = _guess(name.upper().removeprefix("SIG"), sorted(SIGNALS)) or "for example HUP or USR1"
        yield document.problem((*path, "signal"), Code.NOT_ONE_OF, f"{shown(name)} is not a signal", hint)


def _guess(word: str, known: Iterable[str]) -> str:
    guess = nearest(word, list(known))
    return f'did you mean "{guess}"?' if guess and 2 * edit_distance(word, guess) < len(word) else ""
