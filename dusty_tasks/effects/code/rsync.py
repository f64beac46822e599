"""rsync: the copying itself, and the guards that run on the Docker host right before it.

Every copy is two or three commands: `prepare` walks the destination's components (no link, no file in the way, really inside its base) and
sets the receipt aside, rsync copies, the caller writes the receipt. Killed anywhere, the receipt is missing and the next sync repairs.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.code.copies import Listing
from dusty_tasks.core.code.excludes import Rule, filter_text
from dusty_tasks.core.code.guards import refused_destination
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, COPIES, PROXY_THERE
from dusty_tasks.effects.code.copy_states import listing_of
from dusty_tasks.effects.code.kept import KEPT
from dusty_tasks.effects.docker_host.files_there import WALK
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.once import Lasting

OLDEST = (3, 1, 3)
"""The first rsync that compares times in full: a file changed twice within a second would be missed before."""
OPTIONS = ("-rlptD", "--sparse", "--modify-window=-1", "--timeout=120", "--out-format=%i %n")
ARRIVED, VANISHED = 0, 24
_FORBIDDEN = re.compile("Permission denied|Operation not permitted")
_AT_THE_SOURCE = re.compile(r"\[sender\]|send_files failed|Permission denied \(publickey")

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
    if [ -d "$root/$name" ]; then echo "$root/$name is a folder, and a file of Dusty's belongs there"; exit 3; fi
done
[ $is_new = no ] || printf '@new\0'
[ ! -f "$root/$receipt" ] || mv -f "$root/$receipt" "$root/$before" || exit 4
rm -f "$root/$receipt" || exit 4
[ ! -f "$root/$before" ] || printf '@was %s\0' "$(cat "$root/$before")"
ls "$root/$kept" 2>/dev/null | while read -r name; do
    case $name in *.part) printf '@part %s\0' "$name" ;; esac
done
[ "$lists" = yes ] && [ $is_new = no ] || exit 0
[ ! -f "$root/persist/.dusty/started.json" ] || printf '@started %s\0' "$(cat "$root/persist/.dusty/started.json")"
cd "$copy" || exit 4
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
"""
)
"""Words: host.root, the destination below it, the receipt below it ('' for none), whether the source is empty (yes, no), the folder
of what was kept of this copy ('' for none), whether the copy is to be listed (yes, no), and folders at its top that are not.

Ends with 3: refused (the reason printed), 4: a command failed (its own words), 5: the source is empty and the copy is not. With a receipt
it prints, each ended by a NUL byte: `@new` if the copy was not there, `@was` and the receipt of the last sync that ended, which it set aside, `@part` and the name of each
set that an interrupted sync left, `@started` and the records of containers, then the files and the folders of the copy.
"""


class Copied(NamedTuple):
    """What a copy changed; folders are not counted."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    has_replaced: bool = True
    """Whether something that was there was deleted or overwritten."""
    disguised: tuple[str, ...] = ()
    """Those of `changed` that differ in content alone, not in size or time; told only where contents were compared."""


class Prepared(NamedTuple):
    """A copy, and what was known of it, right before something is sent to it."""

    is_new: bool
    """Its folder was made just now."""
    was: dict[str, Any]
    """The receipt of the last sync that ended, {} for none."""
    parts: tuple[str, ...]
    """Kept sets that interrupted syncs left."""
    started: dict[str, Any] | None
    """persist/.dusty/started.json of an ssh host; None where nobody asked."""
    listing: Listing
    """What is in it."""


class EmptySource(Failure):
    """The source has no file left after excludes, and the copy has some."""


class NotOurs(ToolFailed):
    """Files in the copy belong to somebody else (a container left them as root), and rsync may not touch them."""

    folder = ""
    """The folder that is not ours, where it is another than that of the copy."""


def prepare(
    host: DockerHost,
    below: str,
    receipt: str = "",
    is_empty: bool = False,
    repo_id: str = "",
    unlisted: Sequence[str] = (),
) -> Prepared:
    """The guards on resolved paths; makes the destination, removes the receipt (a path below host.root), and looks at the copy.

    `unlisted` are folders at the top of the copy that nobody will ask for. Raises Failure (a guard refuses), EmptySource (unless
    `is_empty` is False), NotOurs, ToolFailed.
    """
    here = host.files.listing(host.path(below))
    lists = "yes" if receipt and here is None else "no"
    finished = host.run_script(
        PREPARE,
        host.root,
        below,
        receipt,
        "yes" if is_empty else "no",
        f"{KEPT}/{repo_id}" if repo_id else "",
        lists,
        *unlisted,
        check=False,
        as_root=True,
        errors="surrogateescape",
    )
    if finished.code == 3:
        raise Failure(
            f"refused to sync to {host.path(below)}: {finished.out.strip()}",
            "look where it comes from and move it away, or choose another host.root",
        )
    if finished.code == 5:
        raise EmptySource("the source has no files left", "--allow-empty empties the copy as well")
    if finished.code:
        printed = finished.err or finished.out
        may_be_given = not host.root_hint and not host.is_root
        failure = (NotOurs if may_be_given and _FORBIDDEN.search(printed) else ToolFailed)(
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
    )


def _json_of(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def send_folder(
    host: DockerHost,
    source: str,
    below: str,
    rules: Sequence[Rule],
    kept: str,
    *,
    checksum: bool = False,
    progress: Callable[[str], None] | None = None,
    lock: int | None = None,
) -> Copied:
    """Bring everything of `source` to `<host.root>/<below>`, but for what is excluded; nothing is deleted.

    What is overwritten is moved to `kept`, a folder below host.root, before. `lock` is a descriptor that rsync inherits. Raises NotOurs, ToolFailed.
    """
    return run_rsync(
        host,
        source,
        host.path(below),
        rules,
        [*_backup(host, kept), *(["--checksum"] if checksum else [])],
        progress=progress,
        lock=lock,
    )


def send_in_place(
    host: DockerHost, source: str, below: str, paths: Iterable[bytes], kept: str, *, checksum: bool = False
) -> Copied:
    """Write single files without replacing them; what they were is copied to `kept`. Raises as send_folder does."""
    return run_rsync(
        host,
        source,
        host.path(below),
        (),
        ["--inplace", *_backup(host, kept), *(["--checksum"] if checksum else [])],
        paths=paths,
    )


def delete_paths(host: DockerHost, below: str, paths: Sequence[bytes], kept: str, lock: int | None = None) -> Copied:
    """Move what is at `paths` (files, and folders with all in them) below `<host.root>/<below>` to `kept`. Raises as send_folder does."""
    with tempfile.TemporaryDirectory(prefix="dusty-empty-") as empty:
        # What is in no folder of the source is not looked for at the destination.
        for parent in {os.path.dirname(path) for path in paths}:
            os.makedirs(os.path.join(os.fsencode(empty), parent), exist_ok=True)
        extra = ["--force", "--no-implied-dirs", "--delete-missing-args", *_backup(host, kept)]
        return run_rsync(host, empty, host.path(below), (), extra, lock=lock, paths=paths)


def _backup(host: DockerHost, kept: str) -> list[str]:
    return ["--backup", f"--backup-dir={host.path(kept)}"]


def run_rsync(
    host: DockerHost,
    source: str,
    destination: str,
    rules: Sequence[Rule],
    extra: Sequence[str] = ("--delete", "--force"),
    *,
    progress: Callable[[str], None] | None = None,
    lock: int | None = None,
    paths: Iterable[bytes] | None = None,
    is_fetching: bool = False,
) -> Copied:
    """rsync alone; `extra` are further options, `paths` the only ones below `source` that it is about, `is_fetching` turns it round: `source`
    is on the Docker host then, and `destination` here.

    Raises NotOurs, ToolFailed; a file that vanished while it was copied is no failure.
    """
    argv = ["rsync", *OPTIONS, *extra, *(["--filter=merge -"] if paths is None else ["--from0", "--files-from=-"])]
    # A name that begins with `#` would be a comment.
    data = filter_text(rules) if paths is None else b"".join(b"./" + path + b"\0" for path in paths)
    argv += host.rsync_transport()
    ends = [source.rstrip("/") + "/", destination.rstrip("/") + "/"]
    ends[not is_fetching] = host.rsync_destination(ends[not is_fetching])
    argv += ["--", *ends]
    said = _Progress(progress) if progress else None
    if said:
        argv[1:1] = ["--info=progress2"]
    finished = process.run(
        argv,
        input=data,
        env={**host.engine_environment(), "LC_ALL": "C.UTF-8"},
        on_line=said,
        pass_fds=() if lock is None else (lock,),
        errors="surrogateescape",
    )
    if finished.code in (ARRIVED, VANISHED):
        return copied_of(finished.out.splitlines())
    raise _failure(host, argv, finished)


class _Progress:
    """Hands on rsync's own progress lines as they come: the last part of a line that it writes over and over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def __call__(self, line: str) -> None:
        shown = line.rsplit("\r", 1)[-1].strip()
        if re.match(r"[\d,.]+[KMGT]?\s+\d+%", shown):
            self.say(f"  {shown}")


def _failure(host: DockerHost, argv: Sequence[str], finished: process.Finished) -> ToolFailed:
    """What rsync's end means."""
    kind, hint = ToolFailed, ""
    # rsync says this one on stdout, among the names.
    in_the_way = [line for line in finished.out.splitlines() if line.startswith("cannot delete non-empty directory")]
    if "No space left on device" in finished.err:
        hint = f"the disk of {host.name} is full: {DUSTY} disk inspect"
    elif any(_FORBIDDEN.search(line) and not _AT_THE_SOURCE.search(line) for line in finished.err.splitlines()):
        kind = NotOurs
    elif in_the_way:
        hint = "that folder of the copy holds excluded files, which a sync never deletes: remove them there, or change the exclude"
    elif finished.code in host.codes_of_a_cut_line:
        hint = f"the connection to {host.name} was lost; the next sync goes on where this one ended"
    return kind(
        [word for word in argv if not word.startswith("--filter")],
        finished.code,
        "\n".join([*in_the_way, finished.err or finished.out]),
        hint,
    )


def copied_of(lines: Sequence[str]) -> Copied:
    """What the lines of `--out-format=%i %n` tell."""
    changed, deleted, disguised = [], [], []
    has_replaced = False
    for line in lines:
        code, _, name = line.partition(" ")
        if code == "*deleting":
            name = name.lstrip()
            if not name.endswith("/"):
                deleted.append(name)
        elif len(code) == 11 and code[0] in "<>ch." and code[1] in "fLDS":
            changed.append(name)
            has_replaced = has_replaced or (code[0] != "." and not code.endswith("+++++++++"))
            if code[1] == "f" and code[2:5] == "c..":
                disguised.append(name)
    return Copied(tuple(changed), tuple(deleted), has_replaced or bool(deleted), tuple(disguised))


def path_of(name: str) -> bytes:
    """The path that rsync's output means by a name."""
    return re.sub(rb"\\#([0-7]{3})", lambda match: bytes([int(match[1], 8)]), os.fsencode(name))


def push_folder(
    host: DockerHost,
    source: str,
    destination: str,
    delete: bool = True,
    keep: Sequence[str] = (),
    *,
    follow_links: bool = False,
) -> Copied:
    """Make a folder of Dusty's own on the Docker host (command files, assets, nginx) what `source` is.

    `destination` is absolute; `keep` are rsync patterns that are neither sent nor deleted (`/libs/`); with `follow_links` what
    a link leads to is sent in its place. Raises Failure if it lies outside command_files, persist/dusty_assets, persist/dustyNginx; ToolFailed, NotOurs.
    """
    bases = [host.path(COMMANDS_THERE), host.path(ASSETS_THERE), host.path(PROXY_THERE)]
    reasons = [refused_destination(destination, base, may_be_base=True) for base in bases]
    if all(reasons):
        raise Failure(f"refused to push to {destination}: it is in none of {', '.join(bases)}")
    check_version(host)
    prepare(host, os.path.relpath(destination, host.root))
    rules = [Rule(os.fsencode(pattern), True, "kept") for pattern in keep]
    return run_rsync(
        host,
        source,
        destination,
        rules,
        ["--force", *(["--delete"] if delete else []), *(["--copy-links"] if follow_links else [])],
    )


def differences(host: DockerHost, source: str, destination: str, rules: Sequence[Rule]) -> Copied:
    """What a sync would change if it compared contents; nothing is changed."""
    check_version(host)
    return run_rsync(host, source, destination, rules, ["--delete", "--force", "--dry-run", "--checksum"])


def disguised(host: DockerHost, source: str, destination: str, paths: Iterable[bytes]) -> tuple[str, ...]:
    """Those of the files `paths` of `source` that have the size and time of those at `destination`, and not their content. Raises Failure."""
    check_version(host)
    return run_rsync(host, source, destination, (), ["--dry-run", "--checksum"], paths=paths).disguised


def take_over(host: DockerHost, folder: str, image_names: Sequence[str]) -> bool:
    """Give files that containers left as root to whoever receives copies, through a throw-away container; False if that did not work."""
    owner = host.receiver()
    for image_name in image_names:
        argv = [
            "docker",
            "run",
            "--rm",
            "--pull=never",
            "--network=none",
            "--user=0",
            "--entrypoint=chown",
            "-v",
            f"{folder}:/work",
            image_name,
            "-hR",
            owner,
            "/work",
        ]
        if process.run(argv, env=host.engine_environment()).code == 0:
            return True
    return False


def give_to_caller(host: DockerHost, folder: str, image_names: Sequence[str]) -> bool:
    """Give what root owns in a folder of this machine to the caller, and nothing of anybody else's; False if that did not work."""
    for image_name in image_names:
        argv = [
            "docker",
            "run",
            "--rm",
            "--pull=never",
            "--network=none",
            "--user=0",
            "--entrypoint=find",
            "-v",
            f"{folder}:/work",
            image_name,
            "/work",
            "-xdev",
            "-user",
            "0",
            "-exec",
            "chown",
            "-h",
            f"{os.getuid()}:{os.getgid()}",
            "{}",
            "+",
        ]
        if process.run(argv, env=host.engine_environment()).code == 0:
            return True
    return False


def check_version(host: DockerHost) -> None:
    """Raise Failure unless rsync is there, on both ends, and new enough."""
    _check(_local_version(), "here")
    if (there := host.rsync_version) is not None:
        _check(there, f"on {host.name}")


@Lasting
def _local_version() -> str:
    return (process.run(["rsync", "--version"]).out.splitlines() or [""])[0]


def _check(version_line: str, where: str) -> None:
    found = re.match(r"rsync\s+version\s+v?(\d+)\.(\d+)\.(\d+)", version_line)
    if found and tuple(map(int, found.groups())) >= OLDEST:
        return
    wanted = ".".join(map(str, OLDEST))
    install = (
        "brew install rsync" if "openrsync" in version_line or "2.6.9" in version_line else "install the package rsync"
    )
    if not version_line:
        raise Failure(f"rsync is not installed {where}", install)
    raise Failure(f"rsync {where} is not {wanted} or newer: {version_line}", install)


def move_there(host: DockerHost, source: str, destination: str, kept: str) -> Copied:
    """Move everything of one folder of the Docker host into another, file by file in place; what is overwritten is copied to `kept` before.

    Raises NotOurs, ToolFailed.
    """
    check_version(host)
    extra = ["--inplace", "--remove-source-files", *_backup(host, kept)]
    argv = ["rsync", *OPTIONS, *extra, "--", f"{source.rstrip('/')}/", f"{destination.rstrip('/')}/"]
    finished = host.run(argv, as_root=True, errors="surrogateescape")
    if finished.code in (ARRIVED, VANISHED):
        return copied_of(finished.out.splitlines())
    raise _failure(host, argv, finished)


def fetch_paths(
    host: DockerHost, source: str, destination: str, paths: Sequence[bytes], *, is_trial: bool = False
) -> Copied:
    """Bring what is at `paths` below a folder of the Docker host here; nothing is deleted. `is_trial`: only tell what would change.

    Raises NotOurs, ToolFailed.
    """
    check_version(host)
    return run_rsync(
        host,
        source,
        destination,
        (),
        ["--no-implied-dirs", *(["--dry-run"] if is_trial else [])],
        paths=paths,
        is_fetching=True,
    )
