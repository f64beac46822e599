"""What a person did where the YAML parser gave up: libyaml tells what it expected, and often a line or more too late. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.safe import shown


class Trouble(NamedTuple):
    """Of which kind it is, what is said, where (from 1), and how to mend it."""

    code: Code
    what: str
    line: int = 1
    column: int = 1
    hint: str = ""


QUOTED = 'in YAML, text that begins with * & ! @ ` or % must be quoted, for example "*.log"'
_OF_UNQUOTED_TEXT = {
    "while scanning an alias",
    "while scanning an anchor",
    "found undefined alias",
    "found character that cannot start any token",
}
"""What the parser says of such text."""
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|>{7})(?= |$)", re.MULTILINE)
_TAB = re.compile(r"^ *\t[\t ]*(?=\S)", re.MULTILINE)
_NO_BLANK = re.compile(r"^(?P<key>[ ]*(?:- +)?[A-Za-z_][\w-]*:)(?P<value>[^\s:/][^\n]*|/(?!/)[^\n]*)$")


def conflict_in(text: str) -> Trouble | None:
    """The first marker of an unresolved merge."""
    found = _CONFLICT.search(text)
    if not found:
        return None
    return Trouble(
        Code.MERGE_CONFLICT,
        "a merge conflict is not resolved",
        text.count("\n", 0, found.start()) + 1,
        1,
        "keep one side, and delete the lines that begin with <<<<<<<, ======= and >>>>>>>",
    )


def of_parser(text: str, error: Any) -> Trouble:
    """What is wrong with a text that the parser refused with `error`."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = error.context_mark.line + 1 if error.context_mark else line
    return (
        _open_quote(text, error)
        or _tab(text, line)
        or _missing_blank(text, (context, line, line - 1))
        or _after_quote(text, line, column)
        or _open_bracket(text, error)
        or Trouble(
            Code.YAML_SYNTAX,
            ", ".join(part for part in (error.context, error.problem) if part),
            line,
            column,
            QUOTED if {error.context, error.problem} & _OF_UNQUOTED_TEXT else "",
        )
    )


def of_no_mapping(text: str) -> Trouble | None:
    """What may be wrong with a text that is one value: its only key has no blank after the colon."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.lstrip()[0] != "#"]
    return _missing_blank(text, lines[:1])


def without_blank(text: str) -> tuple[str, str] | None:
    """Key and value of `key:value`, which YAML takes for one word; None for anything else."""
    found = _NO_BLANK.match(text)
    return (found["key"].strip().removeprefix("- ").strip(), found["value"]) if found else None


def _missing_blank(text: str, numbers: tuple[int, ...] | list[int]) -> Trouble | None:
    lines = text.splitlines()
    for number in dict.fromkeys(numbers):
        found = _NO_BLANK.match(lines[number - 1]) if 0 < number <= len(lines) else None
        if found:
            key = found["key"].strip().removeprefix("- ").strip()
            return Trouble(
                Code.NO_BLANK_AFTER_COLON,
                f"a space is missing after {shown(key)}",
                number,
                len(found["key"]) + 1,
                f"{key} {found['value']}"[:80],
            )
    return None


def _tab(text: str, line: int) -> Trouble | None:
    """A tab in the indentation of the line where the parser stopped, or of the one before."""
    lines = text.splitlines()
    for number in (line, line - 1, line + 1):
        found = _TAB.match(lines[number - 1]) if 0 < number <= len(lines) else None
        if found:
            return Trouble(
                Code.TAB,
                "a tab in the indentation: YAML allows spaces only",
                number,
                found.group().index("\t") + 1,
                "replace the tab with spaces",
            )
    return None


def _open_quote(text: str, error: Any) -> Trouble | None:
    """The quote that was not closed: the parser notices it at the next one, or at the end of the file."""
    if error.context == "while scanning a quoted scalar" and "end of stream" in (error.problem or ""):
        start = error.context_mark
    else:
        line = (error.problem_mark or error.context_mark).line if error.problem_mark or error.context_mark else -1
        spread = [token for token in _tokens(text) if token.style in ("'", '"') and _is_a_mishap(token, text)]
        last = next((token for token in reversed(spread) if token.end_mark.line in (line, line - 1)), None)
        if last is None:
            return None
        start = last.start_mark
    lines = text.splitlines()
    quote = (
        lines[start.line][start.column] if start.line < len(lines) and start.column < len(lines[start.line]) else '"'
    )
    return Trouble(
        Code.OPEN_QUOTE,
        f"the text that begins with {quote} is never closed",
        start.line + 1,
        start.column + 1,
        f"close it with {quote} on this line",
    )


def _after_quote(text: str, line: int, column: int) -> Trouble | None:
    """Text right after a closing quote: the quote was meant as a part of the text."""
    ends = {(token.end_mark.line + 1, token.end_mark.column + 1): token.style for token in _tokens(text)}
    quote = ends.get((line, column))
    if quote not in ("'", '"'):
        return None
    twice = "''" if quote == "'" else '\\"'
    what = f"the quoted text ends here, at the second {quote}"
    return Trouble(Code.YAML_SYNTAX, what, line, column, f"a quote inside {quote}…{quote} is written {twice}")


def _open_bracket(text: str, error: Any) -> Trouble | None:
    """The bracket that was not closed on its line."""
    start, end = error.context_mark, error.problem_mark
    if not (start and end and start.line < end.line and (error.context or "").startswith("while parsing a flow")):
        return None
    bracket = text.splitlines()[start.line][start.column]
    return Trouble(
        Code.YAML_SYNTAX,
        f"the {bracket} that opens here is not closed before line {end.line + 1}",
        start.line + 1,
        start.column + 1,
        "close it, or put a comma between its items",
    )


def _is_a_mishap(token: Any, text: str) -> bool:
    """True for a quoted text over several lines that swallowed a key of the lines below."""
    lines = text.splitlines()[token.start_mark.line + 1 : token.end_mark.line + 1]
    return any(re.match(r"\s*(?:- +)?[\w-]+:(?:\s|$)", line) for line in lines)


def _tokens(text: str) -> Iterator[Any]:
    """The scalars of a text as far as it can be read."""
    import yaml

    loader = (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)(text)
    try:
        while loader.check_token():
            token = loader.get_token()
            if isinstance(token, yaml.ScalarToken):
                yield token
    except yaml.YAMLError:
        return
    finally:
        loader.dispose()
