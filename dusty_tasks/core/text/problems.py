"""Problems: what a person can mend, each with its place and at most one hint (docs/specs.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from posixpath import commonprefix
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted

if TYPE_CHECKING:
    from dusty_tasks.core.text.codes import Code

GUESS = "did you mean "
"""How the hint for a misspelt word begins."""


class Place(NamedTuple):
    """Where something stands: `file` relative to the specs repo (or as the user knows it), line and column from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        # In a folder there are no lines.
        return self.file if self.file.endswith("/") else f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One problem: `path` is the dotted key path ('' for a whole file), `what` a sentence, `hint` how to mend it."""

    place: Place
    path: str
    code: Code
    what: str
    hint: str = ""
    is_warning: bool = False
    instead: str = ""
    """What may stand in the file in place of the token at `place` without a doubt about what was meant; '' if there is none."""

    def __str__(self) -> str:
        return self.told()

    def told(self, lines: Sequence[str] = ()) -> str:
        """For a person; `lines` are those of the file."""
        path = f"{self.path}: " if self.path else ""
        warning = "warning: " if self.is_warning else ""
        # A spec's name or a known word may hold anything a file name may; a terminal must not obey it.
        hint = f"\n    hint: {printable(self.hint)}" if self.hint else ""
        from dusty_tasks.core.text.excerpt import excerpt

        source = excerpt(lines, self.place.line, self.place.column)
        said = printable(f"{self.place}: {path}{warning}{self.what} [{self.code}]")
        return f"{said}\n{source}{hint}" if source else f"{said}{hint}"

    def to_json(self) -> dict[str, Any]:
        """For machines, in a stable form."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "path": self.path,
            "code": str(self.code),
            "what": self.what,
            "hint": self.hint,
            "warning": self.is_warning,
        }


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Only what stops a verb; warnings left out."""
    return [problem for problem in problems if not problem.is_warning]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each once, in the order of file, line and column, but for what is caused by another one, which comes after its cause."""
    from dusty_tasks.core.text.codes import Code

    of_absent_keys = (Code.MISSING_KEY, Code.NEITHER_GIVEN, Code.NEEDS_ANOTHER_KEY)
    # What leaves other specs without a name that they need.
    without_names = (Code.YAML_SUFFIX, Code.SUBFOLDER)
    found = set(problems)
    misspelt: dict[tuple[str, str], list[tuple[str, Place]]] = {}
    for problem in found:
        if problem.code is Code.UNKNOWN_KEY and problem.hint.startswith(GUESS):
            meant = problem.hint.removeprefix(GUESS).strip('"?')
            misspelt.setdefault((problem.place.file, problem.path), []).append((meant, problem.place))

    def rank(problem: Problem) -> tuple[bool, Place, bool, Problem]:
        words = {*re.split(r"[ .]", problem.what)} if problem.code in of_absent_keys else set()
        causes = [
            place for meant, place in misspelt.get((problem.place.file, problem.path), ()) if words and meant in words
        ]
        return problem.code not in without_names, max([problem.place, *causes]), bool(causes), problem

    return sorted(found, key=rank)


def report(problems: Iterable[Problem], lines_of: Callable[[str], Sequence[str]]) -> str:
    """All problems in their order, each with its line of source, then the counting line; '' when there are none.

    `lines_of` gives the lines of a file, none for one that cannot be read.
    """
    ordered = in_order(problems)
    if not ordered:
        return ""
    files = {problem.place.file for problem in ordered}
    told = [problem.told(lines_of(problem.place.file)) for problem in ordered]
    return "\n".join([*told, f"{counted(len(ordered), 'problem')} in {counted(len(files), 'file')}"])


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was most likely meant to be, or '' (edit distance at most 2, or a shared prefix)."""
    candidates = sorted(set(known))
    folded = {name.lower(): name for name in reversed(candidates)}
    if word.lower() in folded:
        return folded[word.lower()]
    close = sorted((distance, name) for name in candidates if (distance := edit_distance(word, name)) <= 2)
    if close and close[0][0] < max(len(word), 2):
        return close[0][1]
    prefixed = [name for name in candidates if len(word) >= 3 and (name.startswith(word) or word.startswith(name))]
    if prefixed:
        return prefixed[0]
    shared = [
        (-length, name)
        for name in candidates
        if name[:4] == word[:4]
        and (length := len(commonprefix((word, name)))) >= 4
        and 3 * length >= 2 * min(len(word), len(name))
    ]
    if shared:
        return min(shared)[1]
    from difflib import get_close_matches

    # A file may hold unknown words by the ten thousand, and difflib takes its time: of those alike, only few letters differ.
    letters = {*word}
    alike = [name for name in candidates if 5 * len(letters.symmetric_difference(name)) <= len(word) + len(name)]
    return next(iter(get_close_matches(word, alike, n=1, cutoff=0.8)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint for an unknown word: the nearest known one, else all that are known, else ''."""
    names = sorted(set(known))
    guess = nearest(word, names)
    if guess:
        return f'{GUESS}"{guess}"?'
    return f"known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else ""


def edit_distance(left: str, right: str) -> int:
    """Levenshtein distance, a swap of neighbours counting as one; 3 stands for "3 or more"."""
    if abs(len(left) - len(right)) > 2 or len({*left} ^ {*right}) > 4:  # each edit brings and takes one letter at most
        return 3
    if _is_one_swap(left, right):
        return 1
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, row = row, [i]
        for j, b in enumerate(right, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return min(row[-1], 3)


def _is_one_swap(left: str, right: str) -> bool:
    if len(left) != len(right):
        return False
    differing = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(differing) != 2 or differing[1] != differing[0] + 1:
        return False
    return left[differing[0]] == right[differing[1]] and left[differing[1]] == right[differing[0]]
