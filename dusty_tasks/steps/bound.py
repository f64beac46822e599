"""With `sync.mode: bind` containers see the working trees themselves. Here is what stands for receipts then: the state of each tree as it is now."""
from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from dusty_tasks.core.settings import Settings
from dusty_tasks.effects.commits import read_commit
from dusty_tasks.effects.fingerprint import Source, read_rules, read_source
from dusty_tasks.effects.ignore_files import read_ignores
from dusty_tasks.steps.sync import source_of


def bound_receipts(repo_entries: Iterable[Mapping[str, Any]], settings: Settings) -> dict[str, dict[str, Any]]:
    """Repo id -> what a container that is started now is started with; a tree that cannot be read has none."""
    found = {}
    for entry in repo_entries:
        path, _kind = source_of(entry, settings)
        try:
            source = read_source(path, read_rules(path, settings.sync_exclude))
        except OSError:
            continue
        found[entry["id"]] = {"id": entry["id"], "fingerprint": _fingerprint(path, source), "commit": read_commit(path), "is_bound": True}
    return found


def _fingerprint(path: str, source: Source) -> str:
    """Over what git does not ignore: containers write logs and caches into the tree, and are not to be restarted for them."""
    ignores = read_ignores(path)
    digest = blake2b(digest_size=20)
    for folder, entries in sorted(source.folders.items()):
        if folder != b"/" and ignores.deciding(folder.rstrip(b"/"), True):
            continue
        kept = [entry for entry in entries if not ignores.deciding(folder + entry[0], len(entry) == 2)]
        digest.update(marshal.dumps([folder, kept], 2))
    return digest.hexdigest()
