"""The working trees that repos are synced from: where each is, what is in it, and whether it may be sent."""

from __future__ import annotations

import functools
import os
import pwd
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.core.code.guards import refused_source
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.code.fingerprint import Source, read_rules, read_source
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import last_taken

if TYPE_CHECKING:
    from dusty_tasks.core.code.excludes import Rule
    from dusty_tasks.core.settings.model import Settings


def source_of(entry: RepoEntry, settings: Settings) -> tuple[str, str]:
    """(folder on this machine, kind of source: override, local, managed) of a repo."""
    kind = "override" if settings.repo_overrides.get(entry.id) else "local" if entry.local_path else "managed"
    return settings.path_of(entry.id, entry.local_path), kind


class Looked(NamedTuple):
    """What a look saw of a source, and which sync of that repo was the last one then."""

    source: Source | OSError
    taken: int = 0


class Looks:
    """The sources of repos, each looked at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seen: dict[str, Looked] = {}
        """By repo id."""

    def at(self, entry: RepoEntry) -> Source | OSError:
        """The state of the source of a repo, or why it cannot be read."""
        if entry.id not in self.seen:
            # Noted first: a sync that comes meanwhile makes this look an old one.
            taken = last_taken(lock_of(entry.id), self.settings.home)
            self.seen[entry.id] = Looked(_source_at(source_of(entry, self.settings)[0], self.settings), taken)
        return self.seen[entry.id].source

    def kept(self, repo_ids: Iterable[str]) -> dict[str, Looked]:
        """What was seen of these, as far as it was looked at and could be read."""
        return {
            repo_id: self.seen[repo_id]
            for repo_id in repo_ids
            if repo_id in self.seen and isinstance(self.seen[repo_id].source, Source)
        }


def lock_of(repo_id: str) -> str:
    """The name of the lock under which a repo is synced."""
    return f"repo:{repo_id}"


def look_at_sources(repo_entries: Iterable[RepoEntry], settings: Settings) -> Looks:
    """A look at all of them; at none where containers see the working trees themselves."""
    looks = Looks(settings)
    for entry in repo_entries if settings.sync_mode != "bind" else ():
        looks.at(entry)
    return looks


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
            f"{error.filename or path} cannot be read: {error.strerror}",
            "it must be a small file with one pattern per line",
        ) from error


def read_state(path: str, settings: Settings) -> Source:
    """The state of the source at `path`. Raises Failure if it cannot be read."""
    rules = rules_at(path, settings)
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
