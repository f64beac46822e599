"""What watching decides: how often to look where no event tells of a change, when to try a failed sync again, and what is said.

Times are seconds on one clock that the caller reads; nothing here waits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

BLIND, COVERED = 2.0, 30.0
"""Seconds between two looks at a folder of whose changes no event tells, and at one that events cover.

The second is for what no event tells of even there: a change through a hard link that lies elsewhere, or by another machine.
"""
LARGEST_SHARE = 0.1
"""Of the time, what looking at a folder without events may take: a look at a huge one is rarer."""
LONGEST_PAUSE = 15.0
"""Seconds between two tries of a sync that keeps failing."""
RAISED_LIMIT = 1048576


class Gone(NamedTuple):
    """Nothing can be seen at the path of a watched folder."""

    key: str
    path: str
    reason: str


class Back(NamedTuple):
    """A folder that was gone is there again."""

    key: str
    path: str


class Blind(NamedTuple):
    """No event tells of every change below a folder, so it is looked at every so often instead."""

    key: str
    reason: str


Notice = Gone | Back | Blind


def notice_lines(notices: Iterable[Notice], names: Mapping[str, str]) -> list[str]:
    """Notices as lines; `names`: what people call each folder. Folders that share a reason share a line."""
    blind: dict[str, list[str]] = {}
    lines = []
    for notice in notices:
        name = names.get(notice.key, notice.key)
        if isinstance(notice, Gone):
            lines.append(
                f"{name}: {notice.path} cannot be watched: {notice.reason}; a sync follows when it is there again"
            )
        elif isinstance(notice, Back):
            lines.append(f"{name}: {notice.path} is there again")
        else:
            blind.setdefault(notice.reason, []).append(name)
    return lines + [
        f"{joined(found)}: {reason}; changes are looked for every few seconds instead"
        for reason, found in blind.items()
    ]


def joined(names: Sequence[str]) -> str:
    """`a, b and c`; of many the first three and how many more."""
    shown = [*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def limit_text(setting: str, limit: str) -> str:
    """The reason of a Blind notice where the kernel gives no more of what a limit of `sysctl` bounds."""
    what = "inotify instances" if "instances" in setting else "inotify watches"
    return f"no {what} are left ({setting} = {limit}; `sudo sysctl {setting}={RAISED_LIMIT if 'watches' in setting else 1024}` raises the limit)"


def lower_limit(kind: str, limits: Mapping[str, str]) -> tuple[str, str]:
    """(setting, value) of the one of the kernel's two limits on `instances` or `watches` that is met first.

    `limits`: setting -> value, of those that can be read.
    """
    names = (f"fs.inotify.max_user_{kind}", f"user.max_inotify_{kind}")
    known = [name for name in names if limits.get(name, "").isdigit()]
    name = min(known, key=lambda name: int(limits[name])) if known else names[0]
    return name, limits.get(name, "unknown")


def pause_between_looks(is_blind: bool, cost: float) -> float:
    """Seconds until the next look at a folder, after one that took `cost` seconds."""
    return max(BLIND, cost / LARGEST_SHARE) if is_blind else max(COVERED, 100 * cost)


_REMOTE = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|virtiofs|vboxsf|prl_fs|afs|ceph|gfs2?|ocfs2|lustre|fuse\.(?!fuse-overlayfs|gocryptfs|encfs|portal).*"
)


class Mount(NamedTuple):
    """A line of /proc/self/mountinfo."""

    number: str
    """Another one at each mount."""
    point: str
    kind: str


def mounts_about(mountinfo: str, path: str) -> list[Mount]:
    """The mounts on the way to `path` (absolute, without links) and below it, in the order in which they were made.

    `mountinfo` is the text of /proc/self/mountinfo.
    """
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        mount = Mount(fields[0], _unescaped(fields[4]), after.split(" ")[0])
        if is_inside(path, mount.point) or is_inside(mount.point, path):
            found.append(mount)
    return found


def remote_file_system(mounts: Iterable[Mount], path: str) -> str:
    """The kind of file system at or below `path` that other machines change without an event here, '' if there is none.

    `mounts` are those about `path`.
    """
    at, below = Mount("", "", ""), ""
    for mount in mounts:
        # A later mount at the same place hides the earlier one.
        if is_inside(path, mount.point):
            at = mount if len(mount.point) >= len(at.point) else at
        elif _REMOTE.fullmatch(mount.kind):
            below = mount.kind
    return at.kind if _REMOTE.fullmatch(at.kind) else below


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def is_inside(path: str, folder: str) -> bool:
    """True if `path` is `folder` or lies below it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


@dataclass(frozen=True)
class Owed:
    """The syncs that failed and are to be tried again, without another edit."""

    tries: Mapping[str, int] = field(default_factory=dict)
    """Key -> how often its sync has failed by now."""
    due: float = math.inf
    """When they are tried again."""
    said: str = ""
    """The first line of the failure that was said last: the same one is not said again."""

    def keys_due(self, now: float) -> frozenset[str]:
        """What to sync now although nothing changed."""
        return frozenset(self.tries) if now >= self.due else frozenset()


def after_sync(owed: Owed, asked: Iterable[str], failed: Iterable[str], failure: str, now: float) -> tuple[Owed, str]:
    """What is owed after a sync of `asked`, of which `failed` ended with `failure`; and what to say of it, '' for nothing."""
    asked, failed = set(asked), set(failed)
    tries = {key: count for key, count in owed.tries.items() if key not in asked} | {
        key: owed.tries.get(key, 0) + 1 for key in failed
    }
    if not tries:
        return Owed(), ""
    due = now + min(2.0 ** min(tries.values()), LONGEST_PAUSE)
    first_line = failure.partition("\n")[0] or owed.said
    return Owed(tries, due, first_line), failure if first_line != owed.said else ""
