"""Which repo a word means: an id, the repo as the specs write it, or a short name that only one repo has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from dusty_tasks.console import say
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.effects.doors.failures import Failure

Thing = TypeVar("Thing")


def found_entries(words: Sequence[str], entries: Sequence[RepoEntry]) -> list[RepoEntry]:
    """The entries that `words` mean, each once. Raises Failure."""
    found = [found_repo(word, entries, lambda entry: entry.id) for word in words]
    return [entry for index, entry in enumerate(found) if entry not in found[:index]]


def found_repo(word: str, repos: Iterable[Thing], id_of: Callable[[Thing], str]) -> Thing:
    """The one of `repos` that `word` means. Raises Failure: none ("did you mean"), or several of this short name."""
    by_id = {id_of(repo): repo for repo in repos}
    wanted = word.rstrip("/")
    if wanted in by_id:
        return by_id[wanted]
    try:
        if (repo_id := repo_of(wanted).id) in by_id:
            return by_id[repo_id]
    except ValueError:
        pass
    matching = [repo_id for repo_id in by_id if repo_id.rsplit("/", 1)[-1] == wanted]
    if len(matching) == 1:
        return by_id[matching[0]]
    if matching:
        raise Failure(f'"{word}" is the short name of {len(matching)} repos', f"one of {', '.join(sorted(matching))}")
    known = {*by_id, *(repo_id.rsplit("/", 1)[-1] for repo_id in by_id)}
    raise Failure(f'no repo named "{word}"', did_you_mean(wanted, known))


def say_dropped(bundle_names: Sequence[str]) -> None:
    """Tell of the bundles that went with the former specs repo."""
    if bundle_names:
        say(
            f"no longer active, because they belong to the previous specs repo: {', '.join(bundle_names)}\n    hint: {DUSTY} bundles activate <name>"
        )


def source_text(row: dict[str, Any]) -> str:
    """Where a repo's code is taken from; a managed clone lies where it always does."""
    return "managed" if row["source"] == "managed" else f"{row['source']} {under_home(row['path'])}"


def under_home(path: str) -> str:
    """`/home/me/src/web` as `~/src/web`."""
    home = os.path.expanduser("~")
    return path.replace(home, "~", 1) if path.startswith(f"{home}/") else path
