"""What syncs replaced and nobody had sent, kept on the Docker host: persist/.dusty/kept/<repo id>/<time>/ (core/code/copies decides what stays).

While a sync is under way the folder is called `<time>.part`: rsync moves everything into it that it deletes or overwrites. Killed there, it is
still there for the next sync to look through.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.core.code.copies import State
from dusty_tasks.core.text.paths import COPIES, RECORDS
from dusty_tasks.effects.code.copy_states import files_in, read_states

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

KEPT = f"{RECORDS}/kept"
PART = ".part"

SETTLE = r"""
cd "$1" 2>/dev/null || exit 0
xargs -0 rm -f -- || exit 4
find . -depth -type d -exec rmdir {} + 2>/dev/null
cd / && rmdir "$1" 2>/dev/null && exit 0
[ -z "$2" ] || mv "$1" "$2"
"""
"""Words: a folder, its name from now on; stdin: names in it to remove, each ended by a NUL byte. A folder that gets empty goes."""

COMPARE = r"""
cd "$1" 2>/dev/null || exit 0
now=$2
export now
xargs -0 sh -c 'for path do [ ! -L "$path" ] && [ ! -L "$now/$path" ] && cmp -s "$path" "$now/$path" && printf "%s\0" "$path"; done; exit 0' sh
"""
"""Words: two folders; stdin: names. Prints those of files that are equal in both."""

SIZES = r"""
cd "$1" 2>/dev/null || exit 0
find . -type d -name '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9]*' -prune -exec du -sk {} +
"""
"""Word: a folder. Prints `KiB ./repo/time`."""


TIME = re.compile(r"\d{8}-\d{6}(?:\.\d+)?")
"""The name of a set."""


class KeptSet(NamedTuple):
    """What one sync kept of one repo."""

    repo_id: str
    time: str
    size: int
    """Bytes on the disk."""

    @property
    def is_part(self) -> bool:
        """True for what a sync that was interrupted left."""
        return self.time.endswith(PART)


def new_time() -> str:
    """The name of a set that begins now; later ones sort after earlier ones."""
    now = time.time_ns()
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(now // 10**9)) + f".{now // 10**6 % 1000:03d}"


def kept_path(repo_id: str, name: str = "") -> str:
    """The folder of a set (of all sets of a repo) below host.root."""
    return os.path.join(KEPT, repo_id, name).rstrip("/")


def read_set(host: DockerHost, repo_id: str, name: str) -> dict[bytes, State]:
    """Path `a/b` -> state of every file in a set."""
    return files_in(read_states(host, host.path(kept_path(repo_id, name))))


def equal_files(host: DockerHost, repo_id: str, name: str, paths: Collection[bytes]) -> set[bytes]:
    """Those of `paths` in a set that are, byte by byte, what the copy has now: nothing is lost with them."""
    kept, copy = host.path(kept_path(repo_id, name)), host.path(COPIES, repo_id)
    done = host.run_script(COMPARE, kept, copy, input=_nul_ended(paths), as_root=True, errors="surrogateescape")
    return set(done.out.encode("utf-8", "surrogateescape").split(b"\0")) & {*paths}


def settle(host: DockerHost, repo_id: str, name: str, superfluous: Iterable[bytes], keeps_any: bool) -> None:
    """Remove from a set what need not be kept, and give it its name for good; a set that keeps nothing goes. Raises Failure."""
    folder = host.path(kept_path(repo_id, name))
    final = folder.removesuffix(PART)
    if keeps_any:
        host.run_script(SETTLE, folder, "" if final == folder else final, input=_nul_ended(superfluous), as_root=True)
    else:
        host.run(["rm", "-rf", folder], check=True, as_root=True)


def read_sets(host: DockerHost, repo_id: str = "") -> list[KeptSet]:
    """All sets (of one repo), each repo's oldest first."""
    top = host.path(kept_path(repo_id))
    done = host.run_script(SIZES, top, check=False, as_root=True, errors="surrogateescape")
    lines = [line.partition("\t") for line in done.out.splitlines()]
    found = [(path.removeprefix("./"), int(kib) * 1024) for kib, _, path in lines if kib.isdigit()]
    sets = []
    for path, size in found:
        parent, _, name = path.rpartition("/")
        sets.append(KeptSet("/".join(filter(None, (repo_id, parent))), name, size))
    return sorted(sets)


def remove_sets(host: DockerHost, repo_id: str, names: Collection[str]) -> None:
    """Remove whole sets."""
    folders = [host.path(kept_path(repo_id, name)) for name in names]
    if folders:
        host.run(["rm", "-rf", *folders], check=True, as_root=True)


def _nul_ended(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)
