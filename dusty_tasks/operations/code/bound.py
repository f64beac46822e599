"""With `sync.mode: bind` containers see the working trees themselves. Here is what stands for receipts then: the state of each tree as it is now."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code.fingerprint import Source, read_rules, read_source
from dusty_tasks.effects.code.ignore_files import read_ignores
from dusty_tasks.effects.code.working_tree import read_commit
from dusty_tasks.operations.code.sources import source_of

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def bound_receipts(repo_entries: Iterable[RepoEntry], settings: Settings) -> dict[str, dict[str, Any]]:
    """Repo id -> what a container that is started now is started with; a tree that cannot be read has none."""
    found = {}
    for entry in repo_entries:
        path, _kind = source_of(entry, settings)
        try:
            source = read_source(path, read_rules(path, settings.sync_exclude))
        except OSError:
            continue
        found[entry.id] = {
            "id": entry.id,
            "fingerprint": _fingerprint(path, source),
            "commit": read_commit(path),
            "is_bound": True,
        }
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


def give_back(
    repo_entries: Iterable[RepoEntry], settings: Settings, host: DockerHost, say: Callable[[str], Any]
) -> None:
    """Containers run as root, and what they make in a working tree is root's: give it to the caller."""
    from dusty_tasks.effects.code.owners import give_to_caller
    from dusty_tasks.operations.code.copy_of_repo import images_with_chown

    for entry in repo_entries if os.getuid() else ():
        path, _kind = source_of(entry, settings)
        if not _holds_roots(path):
            continue
        if give_to_caller(host, path, images_with_chown(host, settings.nginx_image)):
            say(f"the files that root owned in {path} are yours now")
        else:
            say(
                f"root owns files in {path}, created by containers; this gives them to you: sudo chown -R {os.getuid()}:{os.getgid()} {path}"
            )


def told_of_root(settings: Settings) -> str:
    """What to know before files of root's turn up in a working tree; '' where they will not."""
    if settings.sync_mode != "bind" or not os.getuid():
        return ""
    return f"sync.mode is bind: what containers create in a working tree belongs to root; {DUSTY} sync gives it to you"


def _holds_roots(path: str) -> bool:
    return any(_is_roots(below) for below in _walk(path))


def _walk(path: str) -> Iterator[str]:
    for folder, names, files in os.walk(path):
        yield from (os.path.join(folder, name) for name in (*names, *files))


def _is_roots(path: str) -> bool:
    try:
        return os.lstat(path).st_uid == 0
    except OSError:
        return False
