"""What `validate --fix` writes: the text of a spec with one problem less, byte for byte as it was everywhere else. Pure.

A fix is a proposal. Whoever applies it checks the specs again, and drops it unless its problem is gone and no other came (operations/fix_specs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Problem

SAFE_RENAMES = {Code.YAML_SUFFIX: (".yaml", ".yml")}
"""Code -> how the name of a file ends, and how it is to end."""
TAB_AS = "  "


def fixed_text(text: str, problem: Problem) -> str | None:
    """`text` without the problem; None if there is more than one way to mend it."""
    lines = text.split("\n")
    line, column = problem.place.line - 1, problem.place.column - 1
    if not line < len(lines):
        return None
    if problem.code is Code.NO_BLANK_AFTER_COLON:
        return _joined(lines, line, f"{lines[line][:column]} {lines[line][column:]}")
    if problem.code is Code.TAB:
        return _without_tabs(lines)
    if problem.code is Code.MISPLACED_KEY:
        return _below_compose(lines, line) if problem.instead else None
    if not problem.instead:
        return None
    start = sum(len(other) + 1 for other in lines[:line]) + column
    end = _end_of_scalar(text, start)
    return None if end is None else text[:start] + problem.instead + text[end:]


def _joined(lines: list[str], line: int, changed: str) -> str:
    return "\n".join([*lines[:line], changed, *lines[line + 1 :]])


def _without_tabs(lines: list[str]) -> str | None:
    """Two spaces for each tab, if nothing but tabs indents: otherwise only a person knows what belongs below what."""
    indents = [re.match(r"[ \t]*", line).group() for line in lines if line.strip()]  # type: ignore[union-attr]
    if any(set(indent) == {" ", "\t"} for indent in indents) or any(set(indent) == {" "} for indent in indents):
        return None
    return "\n".join(re.sub(r"^\t+", lambda tabs: TAB_AS * len(tabs.group()), line) for line in lines)


def _below_compose(lines: list[str], line: int) -> str | None:
    """A key at the top and what is below it, moved to a new `compose:` in its place; None where there is one already."""
    if any(re.match(r"[\"']?compose[\"']?\s*:", other) for other in lines):
        return None
    end = line + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " \t-"):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    if any("|" in other or ">" in other for other in lines[line:end]):
        return None  # the lines of a text may not be indented more
    moved = [f"{TAB_AS}{other}" if other.strip() else other for other in lines[line:end]]
    return "\n".join([*lines[:line], "compose:" + ("\r" if lines[line].endswith("\r") else ""), *moved, *lines[end:]])


def _end_of_scalar(text: str, start: int) -> int | None:
    """Where the plain or quoted text that begins at `start` ends; None if there is none on one line."""
    for token in _scalars(text):
        if token.start_mark.index == start and token.style in (None, "'", '"', ""):
            end: int = token.end_mark.index
            return end if token.start_mark.line == token.end_mark.line else None
    return None


def _scalars(text: str) -> Iterator[Any]:
    import yaml

    # Not libyaml: it counts an index in bytes, Python's own in characters.
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken):
                yield token
    except yaml.YAMLError:
        return
