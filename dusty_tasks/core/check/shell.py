"""Commands of specs that no shell can read. The shell itself is the judge (effects/specs/shell_syntax); here is what it is asked, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.artifacts.commands import joined, setting_arguments, with_arguments
from dusty_tasks.core.specs.documents import place_of
from dusty_tasks.core.specs.model import App, Lib, Specs
from dusty_tasks.core.specs.reload import ReloadRule
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath, path_text
from dusty_tasks.core.text.problems import Place, Problem

_QUOTED = re.compile(r"""\"[^"\\$`]*"|'[^']*'|\$\w+|\$\{\w+\}""", re.ASCII)
_PLAIN = re.compile(r"[\w./:=@%+,~^ \t\n-]*", re.ASCII)
_RESERVED = re.compile(
    r"^[ \t]*(?:if|then|else|elif|fi|do|done|case|esac|while|until|for|in|function|select|time|coproc)\b", re.MULTILINE
)


class Command(NamedTuple):
    """One command as it will stand in a command file."""

    file: str
    path: KeyPath
    text: str


class Refusal(NamedTuple):
    """What a shell says of a text that it cannot read."""

    line: int
    what: str
    is_bash: bool
    """bash can read it."""


def commands_of(specs: Specs) -> Iterator[Command]:
    """The commands of all specs that are more than plain words: those no shell refuses."""
    both: tuple[App | Lib, ...] = (*specs.apps.values(), *specs.libs.values())
    for spec in both:
        for path, text in _texts(spec):
            if not is_plain(text):
                yield Command(spec.file, path, text)


def is_plain(text: str) -> bool:
    """True for lines of words, variables and quoted text: no shell refuses those."""
    words = _QUOTED.sub("q", text)
    return bool(_PLAIN.fullmatch(words)) and not _RESERVED.search(words)


def _texts(spec: App | Lib) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(spec, App):
        yield ("commands", "once"), joined(spec.once)
        yield ("commands", "always"), joined(spec.always)
        for index, script in enumerate(spec.scripts):
            yield ("scripts", index, "command"), with_arguments(script.command)
    else:
        yield ("install",), joined(spec.install)
    for path, lines in reload_lines(spec.reload):
        yield path, joined(lines)
    if spec.tests:
        yield ("test", "once"), joined(spec.tests.once)
        for index, suite in enumerate(spec.tests.suites):
            yield ("test", "suites", index, "command"), with_arguments(suite.command)
            yield (
                ("test", "suites", index, "default_args"),
                f"set -- {suite.default_args}" if setting_arguments(suite.default_args) else "",
            )


def reload_lines(rules: Sequence[ReloadRule]) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """The shell lines of `reload`; where the list of rules is one action the path leads to nothing, and the place is that of the key."""
    for index, rule in enumerate(rules):
        if rule.action.lines:
            yield (
                (("reload", "run") if len(rules) == 1 and not rule.paths else ("reload", index, "do", "run")),
                rule.action.lines,
            )


def shell_problems(specs: Specs, commands: Sequence[Command], refusals: Mapping[str, Refusal]) -> list[Problem]:
    """One problem for each command that was refused: a warning where bash can read it, for a container's sh may be bash."""
    found = []
    for file, path, text in commands:
        refusal = refusals.get(text)
        if refusal:
            place = place_of(file, specs.places[file][path]) if path in specs.places.get(file, {}) else Place(file)
            lines = text.splitlines()
            hint = (
                f"line {refusal.line} of it: {lines[refusal.line - 1].strip()}"
                if 0 < refusal.line <= len(lines)
                else "fix it; `sh -n` reports the same"
            )
            code = Code.BASH_ONLY if refusal.is_bash else Code.SHELL_SYNTAX
            what = (
                f"only bash understands this; it fails where the container's sh is another shell: {refusal.what}"
                if refusal.is_bash
                else f"sh cannot parse it: {refusal.what}"
            )
            found.append(Problem(place, path_text(path), code, what, hint, refusal.is_bash))
    return found
