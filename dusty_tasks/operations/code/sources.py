"""The working trees that repos are synced from: where each is, what is in it, and whether it may be sent."""

from __future__ import annotations

import functools
import os
import pwd
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.code.guards import refused_source
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.code.fingerprint import Source, read_rules, read_source
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.code.excludes import Rule
    from dusty_tasks.core.settings.model import Settings


def source_of(entry: RepoEntry, settings: Settings) -> tuple[str, str]:
    """(folder on this machine, kind of source: override, local, managed) of a repo."""
    kind = "override" if settings.repo_overrides.get(entry.id) else "local" if entry.local_path else "managed"
    return settings.path_of(entry.id, entry.local_path), kind


def read_sources(repo_entries: Iterable[RepoEntry], settings: Settings) -> dict[str, Source | OSError]:
    """Repo id -> the state of its source, or why it cannot be read."""
    if settings.sync_mode == "bind":
        return {}
    return {entry.id: _source_at(source_of(entry, settings)[0], settings) for entry in repo_entries}


def _source_at(path: str, settings: Settings) -> Source | OSError:
    try:
        return read_source(path, read_rules(path, settings.sync_exclude))
    except OSError as error:
        return error


def rules_at(path: str, settings: Settings) -> tuple[Rule, ...]:
    """The exclude rules of the repo at `path`. Raises Failure for a .dustyignore that cannot be read to an end."""
    try:
        return read_rules(path, settings.sync_exclude)
    except OSError as error:
        raise Failure(
            f"{error.filename or path} cannot be read: {error.strerror}", "it is a small file with one pattern a line"
        ) from error


def read_state_of(path: str, rules: Sequence[Rule]) -> Source:
    """The state of the source at `path`. Raises Failure if it cannot be read."""
    try:
        return read_source(path, rules)
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def check_source(path: str, home: str) -> None:
    """Raise Failure if `path` is missing, or is a folder that must never be copied."""
    if not os.path.isdir(path):
        what = "is not a folder" if os.path.exists(path) else "does not exist"
        hint = (
            f"{DUSTY} repos update clones it"
            if path.startswith(f"{Paths(home).repos}/")
            else f"{DUSTY} repos list shows where each repo is taken from"
        )
        raise Failure(f"the source {path} {what}", hint)
    refused = refused_source(os.path.realpath(path), os.path.realpath(home), _user_home())
    if refused:
        raise Failure(f"refused to sync {path}: {refused}", f"{DUSTY} repos override <repo> <the repo's own folder>")


@functools.cache
def _user_home() -> str:
    """The caller's home folder by the user database, whatever HOME says."""
    try:
        return os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return os.path.realpath(os.path.expanduser("~"))


def stack_repos() -> list[RepoEntry]:
    """The repos of the stack as compiled last, [] if nothing was; reads no YAML and never raises."""
    from dusty_tasks import session

    try:
        return list(session.wanted().repos)
    except Failure:
        return []
