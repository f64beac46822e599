"""Digests by which a container knows that what ran once in its life need not run again (docs/specs.md, "Apps")."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from dusty_tasks.core.code.repo_entry import RepoEntry


def lib_digests(repo_entries: Iterable[RepoEntry], fingerprints: Mapping[str, str]) -> dict[str, str]:
    """`<app>/libs/<lib>` -> the digest of the code of this lib and of the libs it depends on.

    `repo_entries` are those of the whole stack (core/plan/wanted), `fingerprints` repo id -> fingerprint and id of the copy: what an install
    made in a copy is gone when that is made anew. A lib with a repo that was never synced has none yet: without a digest it is installed
    at every start.
    """
    digests = {}
    for entry in repo_entries:
        for app_name, lib_names in entry.lib_of.items():
            for lib_name in lib_names:
                needed = entry.lib_repos.get(lib_name) or [entry.id]
                if all(repo_id in fingerprints for repo_id in needed):
                    seen = "\n".join(f"{repo_id} {fingerprints[repo_id]}" for repo_id in sorted(needed))
                    digests[f"{app_name}/libs/{lib_name}"] = hashlib.sha256(seen.encode()).hexdigest()
    return digests


COPIES = ".copies"
"""The file beside the digests of libs that tells which copies an app has; no lib is called so."""


def copy_digests(repo_entries: Iterable[RepoEntry], copies: Mapping[str, str]) -> dict[str, str]:
    """`<app>/libs/.copies` -> the digest of the ids of all copies in its container: `once` may have left something in each.

    `copies` is repo id -> id of its copy. An app with a repo that was never synced has none yet.
    """
    by_app: dict[str, list[str]] = {}
    for entry in repo_entries:
        for app_name in entry.used_by:
            by_app.setdefault(app_name, []).append(entry.id)
    return {
        f"{app_name}/libs/{COPIES}": hashlib.sha256(
            "\n".join(f"{repo_id} {copies[repo_id]}" for repo_id in sorted(ids)).encode()
        ).hexdigest()
        for app_name, ids in by_app.items()
        if all(repo_id in copies for repo_id in ids)
    }
