"""`validate --fix`: the safe fixes of a specs repo, each proved by checking the specs with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.check.fixes import SAFE_RENAMES, fixed_text
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.doors.source_lines import learn_root
from dusty_tasks.effects.specs.states import KIND_BY_FOLDER, VARIABLES, names_in

HIDING = (Code.TAB, Code.NO_BLANK_AFTER_COLON)
"""Kinds of problems that keep the rest of a file from being checked."""
MOST_ROUNDS = 20
"""One mended file can show what could not be seen before."""


class Change(NamedTuple):
    """What becomes of one file: its bytes before and after, its name after."""

    file: str
    before: bytes
    after: bytes
    new_file: str


class Fixed(NamedTuple):
    """All changes, and the problems that they mend."""

    changes: list[Change]
    mended: list[Problem]


def find_fixes(root: str) -> Fixed:
    """The changes that mend what can be mended without a doubt, tried on a copy: nothing is written to `root`."""
    with tempfile.TemporaryDirectory(prefix="dusty-fix-") as folder:
        _copy_specs(root, folder)
        names = {file: file for file in _spec_files(folder)}
        mended: list[Problem] = []
        for _ in range(MOST_ROUNDS):
            found = _mend_once(folder, names)
            if not found:
                break
            mended += found
        changes = []
        for file, new_file in sorted(names.items()):
            before, after = read_bytes(f"{root}/{file}") or b"", read_bytes(f"{folder}/{new_file}") or b""
            if before != after or file != new_file:
                changes.append(Change(file, before, after, new_file))
    learn_root(root)
    return Fixed(changes, mended)


def apply(root: str, changes: list[Change]) -> None:
    """Write the changes. Raises Failure, before anything is written, if a file is no longer what the changes were made of."""
    for change in changes:
        path = f"{root}/{change.file}"
        if read_bytes(path) != change.before or (
            change.new_file != change.file and os.path.lexists(f"{root}/{change.new_file}")
        ):
            raise Failure(f"{change.file} has changed in the meantime; nothing was written", "run it again")
    for change in changes:
        path = f"{root}/{change.file}"
        if change.before != change.after:
            write_atomically(path, change.after, os.stat(path).st_mode & 0o777)
        if change.new_file != change.file:
            os.rename(path, f"{root}/{change.new_file}")


def _copy_specs(root: str, folder: str) -> None:
    for file in _spec_files(root):
        Path(folder, file).parent.mkdir(exist_ok=True)
        shutil.copyfile(f"{root}/{file}", f"{folder}/{file}")


def _spec_files(root: str) -> Iterator[str]:
    """The regular files that are specs, or may become some. What is behind a link is left to whoever owns it."""
    for kind in KIND_BY_FOLDER:
        for name in names_in(f"{root}/{kind}"):
            path = f"{root}/{kind}/{name}"
            if name.endswith((".yml", ".yaml")) and os.path.isfile(path) and not os.path.islink(path):
                yield f"{kind}/{name}"
    if os.path.isfile(f"{root}/{VARIABLES}") and not os.path.islink(f"{root}/{VARIABLES}"):
        yield VARIABLES


def _mend_once(folder: str, names: dict[str, str]) -> list[Problem]:
    """Try every proposal on the copy, one after the other; the problems of those that held."""
    mended = []
    _specs, problems = session.read_specs(folder)
    for problem in reversed(problems):  # from the end: the places before stay as they are
        undo = _try(folder, names, problem)
        if undo is None:
            continue
        _specs, now = session.read_specs(folder)
        if _is_proved(problem, problems, now):
            mended.append(problem)
            problems = now
        else:
            _undo(folder, names, *undo)
    return mended


def _try(folder: str, names: dict[str, str], problem: Problem) -> tuple[str, str, bytes] | None:
    """Apply what is proposed for a problem: (file as it is called now, its name before, its bytes before), None if nothing is."""
    file = problem.place.file
    data = read_bytes(f"{folder}/{file}")
    if data is None or file not in names.values():
        return None
    if problem.code in SAFE_RENAMES:
        old, new = SAFE_RENAMES[problem.code]
        new_file = file.removesuffix(old) + new
        if os.path.lexists(f"{folder}/{new_file}"):
            return None
        os.rename(f"{folder}/{file}", f"{folder}/{new_file}")
        _rename(names, file, new_file)
        return new_file, file, data
    bom = data.startswith(b"\xef\xbb\xbf")
    try:
        text = fixed_text(data.decode("utf-8-sig"), problem)
    except (UnicodeDecodeError, ValueError):
        return None
    if text is None:
        return None
    Path(folder, file).write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
    return file, file, data


def _undo(folder: str, names: dict[str, str], now: str, before: str, data: bytes) -> None:
    if now != before:
        os.rename(f"{folder}/{now}", f"{folder}/{before}")
        _rename(names, now, before)
    Path(folder, before).write_bytes(data)


def _rename(names: dict[str, str], old: str, new: str) -> None:
    names.update({file: new for file, called in names.items() if called == old})


def _is_proved(problem: Problem, before: list[Problem], after: list[Problem]) -> bool:
    """True if the problem is gone and no other came, except in a file that could not be read until now."""
    known = {_without_place(one) for one in before}
    was_hidden = {one.place.file for one in before if one.code in HIDING} | {problem.place.file} & {
        one.place.file for one in before if one.code in SAFE_RENAMES
    }
    hidden = was_hidden | {file.removesuffix(".yaml") + ".yml" for file in was_hidden}
    new = [one for one in after if _without_place(one) not in known and one.place.file not in hidden]
    return not new and [_without_place(one) for one in after].count(_without_place(problem)) < [
        _without_place(one) for one in before
    ].count(_without_place(problem))


def _without_place(problem: Problem) -> tuple[str, str, str, str]:
    return problem.place.file, problem.path, str(problem.code), problem.what
