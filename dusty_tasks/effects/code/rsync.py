"""rsync: the copying itself.

Every copy is two or three commands: `prepare.prepare` looks at the destination and sets the receipt aside, rsync copies, the caller writes the receipt.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from dusty_tasks.core.code.excludes import Rule, filter_text
from dusty_tasks.core.code.guards import refused_destination
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, PROXY_THERE
from dusty_tasks.effects.code.prepare import prepare
from dusty_tasks.effects.code.rsync_failures import BACKUP_RACE, failure_of
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.once import Lasting

OLDEST = (3, 1, 3)
"""The first rsync that compares times in full: a file changed twice within a second would be missed before."""
OPTIONS = ("-rlptD", "--sparse", "--modify-window=-1", "--timeout=120", "--out-format=%i %n")
ARRIVED, PARTLY, VANISHED = 0, 23, 24


class Copied(NamedTuple):
    """What a copy changed; folders are not counted. With `has_vanished` one of `changed` went while it was copied, and may not have been sent."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    has_replaced: bool = True
    """Whether something that was there was deleted or overwritten."""
    disguised: tuple[str, ...] = ()
    """Those of `changed` that differ in content alone, not in size or time; told only where contents were compared."""
    has_vanished: bool = False


class Way(NamedTuple):
    """From which folder to which."""

    source: str
    destination: str
    is_fetching: bool = False
    """`source` is on the Docker host and `destination` here, instead of the other way round."""


class Chosen(NamedTuple):
    """What of the source it is about."""

    rules: Sequence[Rule] = ()
    paths: Iterable[bytes] | None = None
    """These alone; None for all that no rule excludes."""


class How(NamedTuple):
    """How rsync is run."""

    checksum: bool = False
    """Contents are compared, not sizes and times."""
    progress: Callable[[str], None] | None = None
    """Hears how far it is."""
    lock: int | None = None
    """A descriptor that it inherits."""


PLAINLY = How()


def send_folder(
    host: DockerHost, source: str, below: str, rules: Sequence[Rule], kept: str, how: How = PLAINLY
) -> Copied:
    """Bring everything of `source` to `<host.root>/<below>`, but for what is excluded; nothing is deleted.

    What is overwritten is moved to `kept`, a folder below host.root, before. Raises NotOurs, ToolFailed.
    """
    return run_rsync(host, Way(source, host.path(below)), Chosen(rules), _backup(host, kept), how)


def send_paths(
    host: DockerHost, source: str, below: str, paths: Iterable[bytes], kept: str, *, lock: int | None = None
) -> Copied:
    """Bring what is at single paths of `source`, folders without what is in them, and nothing else. Otherwise as send_folder."""
    extra = ["--no-recursive", "--dirs", "--force", *_backup(host, kept)]
    return run_rsync(host, Way(source, host.path(below)), Chosen(paths=paths), extra, How(lock=lock))


def send_in_place(
    host: DockerHost, source: str, below: str, paths: Iterable[bytes], kept: str, *, checksum: bool = False
) -> Copied:
    """Write single files without replacing them; what they were is copied to `kept`. Raises as send_folder does."""
    extra = ["--inplace", *_backup(host, kept)]
    return run_rsync(host, Way(source, host.path(below)), Chosen(paths=paths), extra, How(checksum))


def delete_paths(host: DockerHost, below: str, paths: Sequence[bytes], kept: str, lock: int | None = None) -> Copied:
    """Move what is at `paths` (files, and folders with all in them) below `<host.root>/<below>` to `kept`. Raises as send_folder does."""
    with tempfile.TemporaryDirectory(prefix="dusty-empty-") as empty:
        # What is in no folder of the source is not looked for at the destination.
        for parent in {os.path.dirname(path) for path in paths}:
            os.makedirs(os.path.join(os.fsencode(empty), parent), exist_ok=True)
        extra = ["--force", "--no-implied-dirs", "--delete-missing-args", *_backup(host, kept)]
        return run_rsync(host, Way(empty, host.path(below)), Chosen(paths=paths), extra, How(lock=lock))


def _backup(host: DockerHost, kept: str) -> list[str]:
    return ["--backup", f"--backup-dir={host.path(kept)}"]


def run_rsync(host: DockerHost, way: Way, chosen: Chosen, extra: Sequence[str], how: How = PLAINLY) -> Copied:
    """rsync alone; `extra` are further options.

    Raises NotOurs, ToolFailed; a file that vanished while it was copied is no failure.
    """
    paths = chosen.paths
    argv = ["rsync", *OPTIONS, *extra, *(["--checksum"] if how.checksum else [])]
    argv += ["--filter=merge -"] if paths is None else ["--from0", "--files-from=-"]
    # A name that begins with `#` would be a comment.
    data = filter_text(chosen.rules) if paths is None else b"".join(b"./" + path + b"\0" for path in paths)
    argv += host.rsync_transport()
    ends = [way.source.rstrip("/") + "/", way.destination.rstrip("/") + "/"]
    ends[not way.is_fetching] = host.rsync_destination(ends[not way.is_fetching])
    argv += ["--", *ends]
    said = _Progress(how.progress) if how.progress else None
    if said:
        argv[1:1] = ["--info=progress2"]

    def run() -> process.Finished:
        return process.run(
            argv,
            input=data,
            env={**host.engine_environment(), "LC_ALL": "C.UTF-8"},
            on_line=said,
            pass_fds=() if how.lock is None else (how.lock,),
            errors="surrogateescape",
        )

    finished = run()
    if finished.code and BACKUP_RACE.search(finished.err):
        again = run()
        finished = again._replace(out=finished.out + again.out)
    if finished.code in (ARRIVED, VANISHED):
        return copied_of(finished.out.splitlines())._replace(has_vanished=finished.code == VANISHED)
    raise failure_of(host, argv, finished, copied_of(finished.out.splitlines()).changed)


class _Progress:
    """Hands on rsync's own progress lines as they come: the last part of a line that it writes over and over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def __call__(self, line: str) -> None:
        shown = line.rsplit("\r", 1)[-1].strip()
        if re.match(r"[\d,.]+[KMGT]?\s+\d+%", shown):
            self.say(f"  {shown}")


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
    return Copied(
        tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(deleted)), has_replaced or bool(deleted), tuple(disguised)
    )


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
        Way(source, destination),
        Chosen(rules),
        ["--force", *(["--delete"] if delete else []), *(["--copy-links"] if follow_links else [])],
    )


def differences(host: DockerHost, source: str, destination: str, rules: Sequence[Rule]) -> Copied:
    """What a sync would change if it compared contents; nothing is changed."""
    check_version(host)
    return run_rsync(host, Way(source, destination), Chosen(rules), ["--delete", "--force", "--dry-run"], How(True))


def disguised(host: DockerHost, source: str, destination: str, paths: Iterable[bytes]) -> tuple[str, ...]:
    """Those of the files `paths` of `source` that have the size and time of those at `destination`, and not their content. Raises Failure."""
    check_version(host)
    return run_rsync(host, Way(source, destination), Chosen(paths=paths), ["--dry-run"], How(True)).disguised


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
    raise failure_of(host, argv, finished, copied_of(finished.out.splitlines()).changed)


def fetch_paths(
    host: DockerHost, source: str, destination: str, paths: Sequence[bytes], *, is_trial: bool = False
) -> Copied:
    """Bring what is at `paths` below a folder of the Docker host here; nothing is deleted. `is_trial`: only tell what would change.

    Raises NotOurs, ToolFailed.
    """
    check_version(host)
    extra = ["--no-implied-dirs", *(["--dry-run"] if is_trial else [])]
    return run_rsync(host, Way(source, destination, is_fetching=True), Chosen(paths=paths), extra)
