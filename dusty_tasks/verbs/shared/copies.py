"""The copy of a repo on the Docker host, for verbs that work on one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.sources import read_state
from dusty_tasks.verbs.shared.words import local_path

if TYPE_CHECKING:
    from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo


def copy_at(entry: RepoEntry, path: str) -> CopyOfRepo:
    """The copy of a repo whose source is at `path`. Raises Failure."""
    from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo

    return CopyOfRepo(session.docker_host(), session.settings(), entry, path, read_state(path, session.settings()))


def located(word: str, sources: Sequence[str], is_named: bool, hint: str = "") -> tuple[str, str]:
    """(source folder, path below it) of a path that the caller typed. Raises Failure if it is in no source."""
    path = local_path(word)
    for spelled in (path, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))):
        for source in sorted(sources, key=len, reverse=True):
            for root in (source, os.path.realpath(source)):
                if spelled.startswith(f"{root}/"):
                    return source, os.path.relpath(spelled, root)
    if is_named and len(sources) == 1 and not os.path.isabs(word):
        return sources[0], os.path.normpath(word)
    raise Failure(
        f"{path} is in none of the repos of the stack", hint or f"{DUSTY} sync <repo> --why <path in the repo>"
    )
