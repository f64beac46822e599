"""Which copies on the Docker host are not what their sources are, and why: what a receipt tells, beside a look at the source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.core.code.changed_paths import changed_paths, difference_text
from dusty_tasks.core.code.excludes import filter_text
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.code.fingerprint import Manifest, Source, kept_manifest
from dusty_tasks.effects.code.receipts import Receipt, identity_of
from dusty_tasks.operations.code.disguised import disguised, is_of
from dusty_tasks.operations.code.sources import Looks, source_of

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.docker_host.host import DockerHost

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.docker_host.host import DockerHost


class Stale(NamedTuple):
    """How a copy differs from its source."""

    reason: str
    paths: frozenset[bytes] | None = None
    """Where, as `a/b`; None where nobody knows, or more than files differs."""


def stale_repos(
    repo_entries: Iterable[RepoEntry],
    receipts: Mapping[str, Receipt],
    settings: Settings,
    host: DockerHost,
    looks: Looks | None = None,
) -> list[tuple[RepoEntry, Stale]]:
    """The repos whose copy on the Docker host is not what their source is, each with the reason. Never raises.

    `looks` has the sources that were looked at already; those that have to be for this are there then, too.
    """
    if settings.sync_mode == "bind":
        return []
    looks = looks or Looks(settings)
    found = ((entry, how_stale(entry, receipts.get(entry.id), looks, host)) for entry in repo_entries)
    return [(entry, stale) for entry, stale in found if stale]


def how_stale(entry: RepoEntry, receipt: Receipt | None, looks: Looks, host: DockerHost) -> Stale | None:
    """How the copy differs from its source, None if it does not."""
    settings = looks.settings
    path, kind = source_of(entry, settings)
    if receipt is None:
        return Stale("not on the Docker host yet")
    if receipt.get("source") != path:
        return Stale(f"its source is {path} ({kind}) now, and was {receipt.get('source')}")
    source = looks.at(entry)
    if isinstance(source, OSError):
        return Stale(f"its source cannot be read: {printable(os.fsdecode(source.filename or path))}: {source.strerror}")
    if is_of(receipt, source.fingerprint):
        found = disguised(host, settings, entry.id, path, source, receipt)
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        if found:
            return Stale(
                f"{printable(found[0])} changed{more}, though not in size and time", frozenset(map(os.fsencode, found))
            )
        rule = other_rule(entry, receipt, settings)
        return Stale(rule) if rule else None
    before = _sent_before(entry.id, receipt, settings, host)
    if before is None:
        return Stale("its source or its excludes changed")
    paths = frozenset(changed_paths(before.folders, source.folders))
    return Stale(
        difference_text(paths, before.folders, source.folders) or "its source or its excludes changed", paths or None
    )


def _sent_before(repo_id: str, receipt: Receipt, settings: Settings, host: DockerHost) -> Manifest | None:
    """What was sent for this receipt; None if that is not remembered."""
    before = kept_manifest(settings.home, repo_id)
    is_that = before and before.fingerprint == receipt.get("fingerprint") and before.host == identity_of(host)
    return before if is_that else None


def other_rule(entry: RepoEntry, receipt: Receipt, settings: Settings) -> str:
    """Why a copy of an unchanged source is to be looked at all the same: another rule holds for what is in it."""
    if receipt.get("delete", settings.sync_delete) != settings.sync_delete:
        return f"sync.delete is {settings.sync_delete} now, and was {receipt['delete']}"
    barred = receipt.get("barred")
    if barred and isinstance(barred, list):
        from dusty_tasks.effects.home.assets import set_keys
        from dusty_tasks.operations.code.copy_of_repo import points_of

        keys = set_keys(settings.paths.base)
        still = {point.path for point in points_of(entry) if not point.asset or point.asset in keys}
        return next((f"nothing is mounted at {name} any more" for name in barred if name not in still), "")
    return ""


def rules_digest(source: Source) -> str:
    return blake2b(filter_text(source.rules), digest_size=8).hexdigest()
