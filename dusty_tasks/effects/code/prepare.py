"""A copy right before something is sent to it: the guards that run on the Docker host, and a look at what is there.

The guards walk the destination's components (no link, no file in the way, really inside its base) and set the receipt aside. Killed after that, the
receipt is missing, and the next sync repairs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.code.copies import Listing
from dusty_tasks.core.text.paths import COPIES, STARTED
from dusty_tasks.effects.code.copy_states import listing_of
from dusty_tasks.effects.code.kept import KEPT
from dusty_tasks.effects.code.owners import FORBIDDEN, NotOurs
from dusty_tasks.effects.docker_host.files_there import WALK
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

if TYPE_CHECKING:
    from dusty_tasks.effects.code.line import Session
    from dusty_tasks.effects.docker_host.host import DockerHost

PREPARE = (
    WALK
    + r"""
set -fu
root=${1%/} below=$2 receipt=$3 is_empty=$4 kept=$5 lists=$6
shift 6
case /$below/ in *//* | */../* | */./*) echo "$root/$below is not a plain path"; exit 3 ;; esac
mkdir -p "${root:-/}" || exit 4
is_new=yes
[ ! -d "$root/$below" ] || is_new=no
walk "$below"
copy=$path
real=$(cd "$path" && pwd -P) && top=$(cd "${root:-/}" && pwd -P) || exit 4
[ "$real" = "${top%/}/$below" ] || { echo "$path is really $real"; exit 3; }
if [ "$is_empty" = yes ] && [ -n "$(find "$path" ! -type d -print 2>/dev/null | head -n 1)" ]; then exit 5; fi
[ -z "$kept" ] || walk "$kept" look
[ -n "$receipt" ] || exit 0
case $receipt in */*) walk "${receipt%/*}" ;; esac
before=${receipt%.json}.before
for name in "$receipt" "$before"; do
    if [ -d "$root/$name" ]; then echo "$root/$name is a folder, but Dusty needs a file there"; exit 3; fi
done
[ $is_new = no ] || printf '@new\0'
[ ! -f "$root/$receipt" ] || mv -f "$root/$receipt" "$root/$before" || exit 4
rm -f "$root/$receipt" || exit 4
[ ! -f "$root/$before" ] || printf '@was %s\0' "$(cat "$root/$before")"
ls "$root/$kept" 2>/dev/null | while read -r name; do
    case $name in *.part) printf '@part %s\0' "$name" ;; esac
done
[ "$lists" != no ] && [ $is_new = no ] || exit 0
[ ! -f "$root/{STARTED}" ] || printf '@started %s\0' "$(cat "$root/{STARTED}")"
cd "$copy" || exit 4
if [ "$lists" = some ]; then
    while [ "$1" != / ]; do
        if [ -L "./$1" ] || { [ -e "./$1" ] && [ ! -d "./$1" ]; }; then printf '@odd\0'; exit 0; fi
        shift
    done
    shift
    [ $# != 0 ] || exit 0
    printf '@files\0'
    find "$@" ! -type d -print0 2>/dev/null
    printf '@dirs\0'
    find "$@" -type d -print0 2>/dev/null
    exit 0
fi
for name do
    set -- "$@" -type d -path "./$name" -prune -o
    shift
done
printf '@files\0'
find . "$@" ! -type d -print0
printf '@dirs\0'
[ $# = 0 ] || find . -maxdepth 1 -type d -print0
find . "$@" -type d -print0
exit 0
""".replace("{STARTED}", STARTED)
)
"""Words: host.root, the destination below it, the receipt below it ('' for none), whether the source is empty (yes, no), the folder
of what was kept of this copy ('' for none), whether the copy is to be listed (yes, no), and folders at its top that are not; or (some) the folders on the way to single paths,
`/`, and these paths as `./a/b`: they alone are listed, with what is in them.

Ends with 3: refused (the reason printed), 4: a command failed (its own words), 5: the source is empty and the copy is not. With a receipt
it prints, each ended by a NUL byte: `@new` if the copy was not there, `@was` and the receipt of the last sync that ended, which it set aside, `@part` and the name of each
set that an interrupted sync left, `@started` and the records of containers, then the files and the folders of the copy, or `@odd` where one of the folders on the way is something else.
"""


class Prepared(NamedTuple):
    """A copy, and what was known of it, right before something is sent to it."""

    is_new: bool
    """Its folder was made just now."""
    was: dict[str, Any]
    """The receipt of the last sync that ended, {} for none."""
    parts: tuple[str, ...]
    """Kept sets that interrupted syncs left."""
    started: object
    """What was read of the records of containers of an ssh host, for docker_host/started_records to judge; None where nobody asked."""
    listing: Listing
    """What is in it."""
    is_odd: bool = False
    """On the way to the single paths that were asked for there is something else than a folder."""


class EmptySource(Failure):
    """The source has no file left after excludes, and the copy has some."""


class Asked(NamedTuple):
    """What is to be known of a destination, and done to it."""

    receipt: str = ""
    """What is removed: a path below host.root."""
    is_empty: bool = False
    """The source has no files, so that a copy which has some is left alone."""
    repo_id: str = ""
    unlisted: Sequence[str] = ()
    """Folders at the top of the copy that nobody will ask for."""
    only: Sequence[bytes] | None = None
    """The paths that somebody will ask for; None for all."""


def prepare(host: DockerHost, below: str, asked: Asked = Asked(), session: Session | None = None) -> Prepared:  # noqa: B008 - immutable
    """The guards on resolved paths; makes the destination, removes the receipt, and looks at the copy.

    It is asked over `session`, if that is given and alive. Raises Failure (a guard refuses), EmptySource, NotOurs, ToolFailed.
    """
    receipt, only = asked.receipt, asked.only
    here = host.files.listing(host.path(below))
    lists = "some" if only is not None else "yes" if receipt and here is None else "no"
    words = list(asked.unlisted) if only is None else _words_of(only, is_listed=here is None)
    kept = f"{KEPT}/{asked.repo_id}" if asked.repo_id else ""
    told = (below, receipt, "yes" if asked.is_empty else "no", kept, lists, *words)
    finished = (session.prepare(told) if session else None) or host.run_script(
        PREPARE, host.root, *told, check=False, as_root=True, errors="surrogateescape"
    )
    if finished.code == 3:
        raise Failure(
            f"refused to sync to {host.path(below)}: {finished.out.strip()}",
            "find out where it comes from and move it away, or choose another host.root",
        )
    if finished.code == 5:
        raise EmptySource("the source has no files left", "--allow-empty empties the copy as well")
    if finished.code:
        printed = finished.err or finished.out
        may_be_given = not host.root_hint and not host.is_root
        failure = (NotOurs if may_be_given and FORBIDDEN.search(printed) else ToolFailed)(
            ["prepare", host.path(below)], finished.code, printed, host.root_hint
        )
        if isinstance(failure, NotOurs) and below.startswith(f"{COPIES}/"):
            # An engine that starts a container again makes the folders that it mounts and does not find, as root.
            failure.folder = host.path(COPIES)
        raise failure
    records = finished.out.encode("utf-8", "surrogateescape").split(b"\0")
    said = {word: rest for word, _, rest in (record.partition(b" ") for record in records if record.startswith(b"@"))}
    return Prepared(
        b"@new" in said,
        _json_of(said.get(b"@was")),
        tuple(os.fsdecode(record[len(b"@part ") :]) for record in records if record.startswith(b"@part ")),
        _json_of(said.get(b"@started")) if here is None else None,
        here or listing_of(records),
        b"@odd" in said,
    )


def _words_of(only: Sequence[bytes], *, is_listed: bool) -> list[str]:
    """The folders on the way to single paths, `/`, and the paths, if what is there is to be listed."""
    folders = {path[: at.start()] for path in only for at in re.finditer(rb"/", path)}
    return [*map(os.fsdecode, sorted(folders)), "/", *(f"./{os.fsdecode(path)}" for path in only if is_listed)]


def _json_of(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
