"""What was created on the Docker host, brought back: into the copy it was in (`sync --restore`), or into the source (`sync --pull`)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dusty_tasks.core.code.copies import State, Tree, mounted_by
from dusty_tasks.core.code.replaced import Kept, is_as_sent, shown_path
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code import kept as kept_sets
from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.prepare import Asked, prepare
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo, keep_what_was_made, taking_over

FIND = r"""
cd "$1" 2>/dev/null || exit 0
shift
for path do
    if [ -e "./$path" ] || [ -L "./$path" ]; then printf '%s\0' "$path"; fi
done
"""
"""Words: a folder, then paths below it. Prints those that are there, each ended by a NUL byte."""


class Restored(NamedTuple):
    """What one kept set gave back."""

    time: str
    paths: tuple[bytes, ...]
    replaced: tuple[Kept, ...]
    """What was in its way, made on the Docker host as well: kept in its turn."""
    others: tuple[str, ...]
    """The sets that were there before, and still are."""


def restore(copy: CopyOfRepo, time: str = "") -> Restored | None:
    """Move a kept set of a repo (the newest, or that of a time) back into its copy; None if there is none. The caller holds the repo's lock.

    Raises Failure.
    """
    host = copy.host
    times = [one.time for one in kept_sets.read_sets(host, copy.repo_id) if not one.is_part]
    if not times or (time and time not in times):
        return None
    chosen, part = time or times[-1], kept_sets.new_time() + kept_sets.PART
    paths = sorted(kept_sets.read_set(host, copy.repo_id, chosen))
    source, target = host.path(kept_sets.kept_path(copy.repo_id, chosen)), host.path(copy.below)
    # The guards, and the folder itself where it was wiped.
    prepare(host, copy.below, Asked(repo_id=copy.repo_id))
    taking_over(
        host,
        target,
        copy.settings.nginx_image,
        lambda: rsync.move_there(host, source, target, kept_sets.kept_path(copy.repo_id, part)),
    )
    replaced = keep_what_was_made(copy, [part], [*copy.sent, copy.tree])
    kept_sets.settle(host, copy.repo_id, chosen, (), True)
    return Restored(chosen, tuple(paths), tuple(replaced), tuple(one for one in times if one != chosen))


def pull(copy: CopyOfRepo, paths: Sequence[str]) -> list[bytes]:
    """Fetch paths of a copy (or, where they are gone from it, of the newest kept set that has them) into the source; what changed there.

    Raises Failure, before anything is changed: a path that is nowhere, one that is a mount point, a file that was edited here since the last
    sync as well.
    """
    host, wanted = copy.host, [os.fsencode(path) for path in paths]
    _refuse_mounts(copy, wanted)
    _refuse_edits(copy, [path for path in wanted if _leads_through_a_link(copy, path)])
    places = [
        host.path(copy.below),
        *(
            host.path(kept_sets.kept_path(copy.repo_id, one.time))
            for one in reversed(kept_sets.read_sets(host, copy.repo_id))
            if not one.is_part
        ),
    ]
    found: dict[str, list[bytes]] = {}
    missing = list(wanted)
    for place in places:
        there = _found(host, place, missing) if missing else set()
        if there:
            found[place] = [path for path in missing if path in there]
            missing = [path for path in missing if path not in there]
    if missing:
        raise Failure(
            f"{', '.join(map(shown_path, missing))} is neither in the copy on {host.name} nor among what was kept of it",
            f"{DUSTY} status -v lists what the copy has gained",
        )
    changes = [
        rsync.path_of(name) for place, there in found.items() for name in _fetched(copy, place, there, is_trial=True)
    ]
    _refuse_edits(copy, [path for path in changes if _leads_through_a_link(copy, path) or _is_edited_here(copy, path)])
    return [rsync.path_of(name) for place, there in found.items() for name in _fetched(copy, place, there)]


def _fetched(copy: CopyOfRepo, place: str, paths: Sequence[bytes], *, is_trial: bool = False) -> tuple[str, ...]:
    found: rsync.Copied = taking_over(
        copy.host,
        place,
        copy.settings.nginx_image,
        lambda: rsync.fetch_paths(copy.host, place, copy.source_path, paths, is_trial=is_trial),
    )
    return found.changed


def _refuse_mounts(copy: CopyOfRepo, paths: Iterable[bytes]) -> None:
    guard = copy.guard(copy.records())
    for path in paths:
        point = guard.mount_point(b"/" + path)
        if point:
            raise Failure(
                f"{shown_path(path)} is not part of the copy: {mounted_by(point)}",
                f"{DUSTY} cp {point.by}:<path in the container> <path here>",
            )


def _found(host: DockerHost, folder: str, paths: Sequence[bytes]) -> set[bytes]:
    done = host.run_script(FIND, folder, *map(os.fsdecode, paths), as_root=True, errors="surrogateescape")
    return set(done.out.encode("utf-8", "surrogateescape").split(b"\0"))


def _refuse_edits(copy: CopyOfRepo, paths: Sequence[bytes]) -> None:
    if paths:
        raise Failure(
            f"nothing is fetched: {', '.join(map(shown_path, paths))} also changed in {copy.source_path} since the last sync",
            "move yours aside, fetch, and compare the two",
        )


def _leads_through_a_link(copy: CopyOfRepo, path: bytes) -> bool:
    """True if a folder on the way to `path` is something else here: fetching would change what lies elsewhere."""
    root, parts = os.fsencode(copy.source_path), path.split(b"/")
    for depth in range(1, len(parts)):
        try:
            if not stat.S_ISDIR(os.lstat(os.path.join(root, *parts[:depth])).st_mode):
                return True
        except FileNotFoundError:
            return False
    return False


def _is_edited_here(copy: CopyOfRepo, path: bytes) -> bool:
    """True if fetching `path` would replace something here that no sync has sent."""
    full = os.path.join(os.fsencode(copy.source_path), path)
    try:
        found = os.lstat(full)
    except FileNotFoundError:
        return False
    kind = "l" if stat.S_ISLNK(found.st_mode) else "f" if stat.S_ISREG(found.st_mode) else "o"
    state = State(kind, found.st_size, found.st_mtime_ns, os.readlink(full) if kind == "l" else b"")
    sent: list[Tree] = copy.sent
    return not any(is_as_sent(state, tree.at(b"/" + path)) for tree in sent)
