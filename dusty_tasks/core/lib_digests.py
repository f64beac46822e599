"""Digests of lib code, by which a container knows that a lib is installed already (spec-language 4.5, step 3)."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any


def lib_digests(repo_entries: Iterable[Mapping[str, Any]], fingerprints: Mapping[str, str]) -> dict[str, str]:
    """`<app>/libs/<lib>` -> the digest of the code of this lib and of the libs it depends on.

    `repo_entries` are those of the whole stack (core/wanted), `fingerprints` repo id -> fingerprint of the copy. A lib
    with a repo that was never synced has none yet: without a digest it is installed at every start.
    """
    digests = {}
    for entry in repo_entries:
        needed_by_lib = entry.get("lib_repos") or {}
        for app_name, lib_names in (entry.get("lib_of") or {}).items():
            for lib_name in lib_names:
                needed = needed_by_lib.get(lib_name) or [entry["id"]]
                if all(repo_id in fingerprints for repo_id in needed):
                    seen = "\n".join(f"{repo_id} {fingerprints[repo_id]}" for repo_id in sorted(needed))
                    digests[f"{app_name}/libs/{lib_name}"] = hashlib.sha256(seen.encode()).hexdigest()
    return digests
