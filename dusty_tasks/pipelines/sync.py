"""The doit steps sync:<repo>: one a repo of the stack."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.effects.code.receipts import Receipt, read_receipts
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.once import Once
from dusty_tasks.operations.code.sources import stack_repos
from dusty_tasks.operations.code.stale import stale_repos
from dusty_tasks.operations.code.sync import How, sync_repos
from dusty_tasks.operations.code.sync_outcome import failure_of

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings


def task_names(repo_ids: Iterable[str]) -> dict[str, str]:
    """Repo id -> the name of its sub-task of `sync`: the short name where only one repo has it, else the id."""
    # doit takes `=` for a variable and `*` for a pattern.
    return {repo_id: name.replace("=", "_").replace("*", "_") for repo_id, name in shown_names(repo_ids).items()}


def sync_steps() -> Iterator[dict[str, Any]]:
    """A doit sub-task a repo of the stack: `sync:<short name or id>`."""
    entries = stack_repos()
    names = task_names(entry.id for entry in entries)
    for entry in entries:
        yield {
            "name": names[entry.id],
            "doc": f"copy {entry.id} to the Docker host",
            "actions": [functools.partial(_sync_action, entry)],
            "uptodate": [functools.partial(_is_up_to_date, entry)],
        }


def _sync_action(entry: RepoEntry) -> None:
    from dusty_tasks import session
    from dusty_tasks.console import say

    outcomes = sync_repos([entry], session.docker_host(), session.settings(), How(say), stack_repos())
    if failure := failure_of(outcomes):
        raise failure


def _is_up_to_date(entry: RepoEntry) -> bool:
    """True if the receipt on the Docker host equals the source; what cannot be read is not up to date, and the step says why."""
    from dusty_tasks import session

    try:
        return not stale_repos([entry], _receipts_of_stack(), _settings(), session.docker_host())
    except (Failure, OSError):
        return False


@Once
def _receipts_of_stack() -> dict[str, Receipt]:
    from dusty_tasks import session

    return read_receipts(session.docker_host(), [entry.id for entry in stack_repos()])


def _settings() -> Settings:
    from dusty_tasks import session

    return session.settings()
