"""What `up` fetches: managed repos that are due, and clones that nobody made yet. Says nothing where nothing is to be done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.settings.model import Settings

if TYPE_CHECKING:
    from dusty_tasks.operations.code.repos import RepoOutcome


def is_due() -> bool:
    """True if there is a managed repo to clone or fetch, by what was compiled last; reads no specs. Raises Failure."""
    from dusty_tasks.core.specs.repo_ids import repo_of

    settings = session.settings()
    paths = [settings.path_of(entry.id) for entry in session.wanted().repos if is_managed(entry, settings)]
    if settings.specs_repo and session.local_specs_root() is None:
        specs = repo_of(settings.specs_repo)
        paths += (
            [settings.path_of(specs.id)] if not specs.local_path and not settings.repo_overrides.get(specs.id) else []
        )
    return bool(paths) and (settings.repos_pull != "never" or not all(map(os.path.isdir, paths)))


def is_managed(entry: RepoEntry, settings: Settings) -> bool:
    """True for a repo of the stack that Dusty clones itself."""
    return bool(entry.url) and not entry.local_path and not settings.repo_overrides.get(entry.id)


def fetch_all(*, is_reset_wanted: bool) -> int:
    """The specs repo first, then the repos of the stack; how many were fetched. Raises Failure for those that could not be had."""
    from dusty_tasks.operations.code.repos import pull_all

    return _count(pull_all(is_reset_wanted=is_reset_wanted, say=say, warn=warn, verb="up"))


def fetch_missing() -> int:
    """Clones that the compiled stack needs and that are not there, for example of an app that was written just now."""
    settings = session.settings()
    missing = [
        entry
        for entry in session.wanted().repos
        if is_managed(entry, settings) and not os.path.isdir(settings.path_of(entry.id))
    ]
    if not missing:
        return 0
    from dusty_tasks.core.specs.repo_ids import Repo
    from dusty_tasks.operations.code.repos import pull_repos

    repos = [Repo(entry.written, entry.id, entry.url) for entry in missing]
    return _count(pull_repos(repos, settings, always=True, say=say, warn=warn, verb="up"))


def _count(outcomes: Sequence[RepoOutcome]) -> int:
    from dusty_tasks.operations.code.repos import failure_of

    if failure := failure_of(outcomes):
        raise failure
    return sum(outcome.was_fetched for outcome in outcomes)
