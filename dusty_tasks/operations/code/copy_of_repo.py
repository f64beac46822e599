"""The copy of a repo on the Docker host: what it consists of, what a sync may do to it, and what is kept of what was made there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from dusty_tasks.core.artifacts.mount_points import merged, of_records, through_links
from dusty_tasks.core.code.copies import (
    SENT,
    UNIGNORED,
    Guard,
    MountPoint,
    State,
    Tree,
)
from dusty_tasks.core.code.excludes import Matcher
from dusty_tasks.core.code.replaced import Kept, made_there, superfluous
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.effects.code import kept as kept_sets
from dusty_tasks.effects.code import owners
from dusty_tasks.effects.code.fingerprint import (
    BEGUN,
    BROKEN,
    Manifest,
    Source,
    kept_manifest,
)
from dusty_tasks.effects.code.ignore_files import read_ignores
from dusty_tasks.effects.code.receipts import identity_of
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.started_records import read_started, with_spare
from dusty_tasks.effects.home.assets import set_keys


class CopyOfRepo:
    """The copy of one repo, and all that decides what a sync may do to it."""

    def __init__(
        self,
        host: DockerHost,
        settings: Settings,
        entry: RepoEntry,
        source_path: str,
        source: Source,
    ) -> None:
        self.host, self.settings, self.source_path, self.source = host, settings, source_path, source
        self.rules = source.rules
        self.repo_id: str = entry.id
        self.below = f"{COPIES}/{self.repo_id}"
        self.tree = Tree(source.folders)
        self.matcher = Matcher(source.rules)
        self.points = points_of(entry)

    @cached_property
    def identity(self) -> str:
        """Which Docker host it lies on."""
        return identity_of(self.host)

    @cached_property
    def last_manifest(self) -> Manifest | None:
        """What was sent to it last; None if that is not remembered."""
        manifest = kept_manifest(self.settings.home, self.repo_id)
        return manifest if manifest and manifest.host == self.identity else None

    @property
    def last_fingerprint(self) -> str:
        """Of the source as it was sent last; '' if that is not remembered."""
        return self.last_manifest.fingerprint if self.last_manifest else ""

    @cached_property
    def sent(self) -> list[Tree]:
        """What was sent to it, as far as that is remembered."""
        home = self.settings.home
        broken = [kept_manifest(home, self.repo_id, suffix) for suffix in (BROKEN, BEGUN)]
        return [
            Tree(folders)
            for manifest in (self.last_manifest, *broken)
            if manifest and manifest.host == self.identity
            for folders in (manifest.folders, manifest.late)
            if folders
        ]

    def guard(self, started: Mapping[str, StartedRecord]) -> Guard:
        """What a sync must leave alone; `started` are the records of containers, of which some may be of former specs."""
        recorded = of_records(started, self.host.path(COPIES), [self.repo_id], self.host.namespace).get(
            self.repo_id, ()
        )
        points = [point._replace(path=self._resolved(point.path)) for point in merged(self.points, recorded)]
        ignores = read_ignores(self.source_path) if self.settings.sync_delete == UNIGNORED else None
        keys = set_keys(self.settings.paths.base) if any(point.asset for point in points) else ()

        def was_sent(path: bytes) -> bool:
            return any(tree.at(path) is not None for tree in self.sent)

        return Guard(
            self.matcher,
            points,
            ignores,
            self.settings.sync_delete,
            was_sent if self.settings.sync_delete == SENT else lambda _path: False,
            keys,
        )

    def _resolved(self, path: str) -> str:
        def link_at(below: bytes) -> bytes | None:
            entry = self.tree.at(b"/" + below)
            return entry[2] if entry and len(entry) == 3 and isinstance(entry[2], bytes) else None

        return os.fsdecode(through_links(os.fsencode(path), link_at))

    def records(self, read: object = None) -> dict[str, StartedRecord]:
        """The records of containers, of what was `read` of them already, if anything was."""
        return read_started(self.host) if read is None else with_spare(self.host, read)


def points_of(entry: RepoEntry) -> tuple[MountPoint, ...]:
    """The mount points that the stack is known to have in the copy of a repo."""
    return tuple(MountPoint(*point) for point in entry.mounts)


def with_mounts(entry: RepoEntry, points: Iterable[MountPoint]) -> RepoEntry:
    """A repo with further mount points in its copy."""
    return entry._replace(mounts=tuple(merged(points_of(entry), points)))


def keep_what_was_made(
    copy: CopyOfRepo,
    names: Iterable[str],
    sent: Sequence[Tree],
    told: Mapping[str, dict[bytes, State]] = MappingProxyType({}),
    drop: Callable[[], None] | None = None,
) -> list[Kept]:
    """Keep what was made there of all that was moved aside, also by syncs that were interrupted; drop the rest. Raises Failure.

    `names` are those of the sets, `sent` is all that syncs have sent, `told` what is known to be in some of the sets: those that
    `drop` takes away, where it is given.
    """
    kept = []
    is_after_a_break = kept_manifest(copy.settings.home, copy.repo_id, BROKEN) is not None
    for name in sorted(names):
        states = told[name] if name in told else kept_sets.read_set(copy.host, copy.repo_id, name)
        found = made_there(states, sent, copy.tree, is_after_a_break=is_after_a_break)
        overwritten = [file.path for file in found if not file.is_deleted]
        same = kept_sets.equal_files(copy.host, copy.repo_id, name, overwritten) if overwritten else set()
        files = tuple(file for file in found if file.path not in same)
        if drop and name in told and not files:
            drop()
        else:
            kept_sets.settle(copy.host, copy.repo_id, name, states.keys() - {file.path for file in files}, bool(files))
        if files:
            kept.append(Kept(name.removesuffix(kept_sets.PART), files))
    if kept:
        sizes = {one.time: one.size for one in kept_sets.read_sets(copy.host, copy.repo_id) if not one.is_part}
        kept_sets.remove_sets(copy.host, copy.repo_id, superfluous(sizes))
    return kept


def taking_over(host: DockerHost, folder: str, nginx_image: str, copy: Callable[[], Any]) -> Any:
    """What `copy` gives; where files are in its way that a container left as root in `folder`, they are given to the receiver, and it is tried again."""
    try:
        return copy()
    except owners.NotOurs as failure:
        if host.is_root or not owners.take_over(host, failure.folder or folder, images_with_chown(host, nginx_image)):
            raise
    return copy()


def images_with_chown(host: DockerHost, nginx_image: str) -> list[str]:
    """Images that surely have it, those most likely to be there first."""
    from dusty_tasks.effects.doors import process

    listed = process.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], env=host.engine_environment()
    )
    return list(dict.fromkeys([nginx_image, *(name for name in listed.out.split() if "<none>" not in name)]))[:5]
