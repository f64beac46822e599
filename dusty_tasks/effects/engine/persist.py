"""What /persist takes, and its backups: read and written as root on the Docker host, streamed through this machine."""

from __future__ import annotations

import fcntl
import glob
import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import IO, Any

from dusty_tasks.core.of_verbs.backup import MADE_AGAIN, MANIFEST, TOP, Entry, damage, manifest_of
from dusty_tasks.effects.code.owners import take_over
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.process import piped
from dusty_tasks.effects.engine.copies import rename

Count = Callable[[int], None]
NAMED, ARCHIVE, PART = "dusty-backup-", ".tar.gz", ".part"
"""The name of a backup: NAMED, when it was made, ARCHIVE; and PART until it is whole."""
CHANGED = ("file changed as we read it", "File removed before we read it", "file removed before we read it")

PACK = r"""
cd "$1/persist" 2>/dev/null || exit 0
shift
for made_again do
    set -- "$@" --exclude="./$made_again"
    shift
done
exec tar -cf - "$@" --exclude='./.restore-*' .
"""
"""Words: host.root, then the folders to leave out. Prints a tar archive; nothing at all where there is no persist/."""

USAGE = r"""
cd "$1" 2>/dev/null || exit 0
df -kP . | tail -n 1
cd persist 2>/dev/null || exit 0
for name in .[!.]* *; do [ -e "$name" ] && du -sk "./$name" 2>/dev/null; done
exit 0
"""
"""Word: host.root. Prints df's line, then a line `KiB ./name` for everything in persist/."""

KINDS = {
    tarfile.DIRTYPE: "folder",
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "hardlink",
    tarfile.FIFOTYPE: "fifo",
}


REMOVE = r"""
cd "$1" || exit 0
shift
for name do
    if [ -L "$name" ]; then rm -f "./$name"; else rm -rf "./$name"; fi || exit 4
done
"""
"""Words: host.root, then names of folders below it."""


class Damaged(Failure):
    """A backup that cannot be trusted."""


def root_command(
    host: DockerHost, script: str, words: list[str], image: str, volumes: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """The words that run a script as root, host.root its first word: there, or, for a caller who is not root here, in a throw-away container.

    That container has in it what `volumes` names (volume of the engine, or folder -> path in it).
    """
    if host.reaches_root:
        return host.command(["sh", "-c", script, "dusty", host.root.rstrip("/") or "/", *words], as_root=True)
    return [
        "docker",
        "run",
        "--rm",
        "-i",
        "--pull=never",
        "--network=none",
        "--user=0",
        "--entrypoint=sh",
        "-v",
        f"{host.root}:/host",
        *(word for name, path in volumes.items() for word in _mounted(name, path)),
        image,
        "-c",
        script,
        "dusty",
        "/host",
        *words,
    ]


def _mounted(name: str, path: str) -> list[str]:
    """The options that mount a volume, or a folder, which -v would make where it is missing: to read, as it is not the stack's."""
    if not name.startswith("/"):
        return ["-v", f"{name}:{path}"]
    return ["--mount", f'type=bind,"source={name}","target={path}",readonly']


def write_backup(
    host: DockerHost, path: str, image: str, facts: Mapping[str, Any], count: Count
) -> tuple[list[Entry], list[str]]:
    """Write the archive `path` (by a temporary name); its entries, and what changed while it was read. Raises Failure."""
    argv = root_command(host, PACK, list(MADE_AGAIN), image)
    temporary = f"{path}{PART}"
    remove_parts(os.path.dirname(path))
    try:
        with (
            open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
            locked(file),
            piped(argv, env=host.engine_environment()) as stream,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive,
        ):
            entries = list(_copied(stream.out, archive, count))
            finished = stream.end()
            changed = [line for line in finished.err.splitlines() if any(text in line for text in CHANGED)]
            if finished.code and not (finished.code == 1 and changed):
                raise ToolFailed(["tar"], finished.code, finished.err)
            _add_manifest(archive, manifest_of(entries, facts))
        os.replace(temporary, path)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", code=2) from error
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    return entries, changed


@contextmanager
def locked(file: IO[bytes]) -> Iterator[None]:
    """Hold a lock on an open file for a block, so that others see that it is being written; where the file system has none, without."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield


def remove_parts(folder: str) -> None:
    """Remove what killed backups left in a folder: parts that nobody is writing any more."""
    for path in glob.glob(f"{glob.escape(folder)}/{NAMED}*{ARCHIVE}{PART}"):
        with suppress(OSError), open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)


def _copied(stream: IO[bytes], archive: tarfile.TarFile, count: Count) -> Iterator[Entry]:
    try:
        source = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 - closed with its stream
    except tarfile.ReadError:
        return  # nothing at all came: no persist/, or an end that its status tells of
    for member in source:
        name = member.name.removeprefix("./").strip("/")
        if name in ("", ".") or member.type not in KINDS:
            continue
        reader = Hashing(source.extractfile(member), count) if member.isreg() else None
        member.uname = member.gname = ""
        rename(
            member,
            f"{TOP}/{name}",
            f"{TOP}/{member.linkname.removeprefix('./')}" if member.islnk() else member.linkname,
        )
        archive.addfile(member, reader)
        yield _entry(member, reader.hexdigest() if reader else "")


def _entry(member: tarfile.TarInfo, sha256: str) -> Entry:
    kind = KINDS.get(member.type, "device")
    target = member.linkname.removeprefix(f"{TOP}/") if kind == "hardlink" else member.linkname
    return Entry(
        member.name.removeprefix(f"{TOP}/"),
        kind,
        member.size,
        member.mode,
        member.uid,
        member.gid,
        target if kind in ("link", "hardlink") else "",
        sha256,
    )


class Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes] | None, count: Count) -> None:
        self._file, self._count, self._hash = file, count, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size) if self._file else b""
        self._hash.update(data)
        self._count(len(data))
        return data

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _add_manifest(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    data = json.dumps(manifest).encode()
    member = tarfile.TarInfo(MANIFEST)
    member.size, member.mode = len(data), 0o644
    archive.addfile(member, io.BytesIO(data))


def read_backup(path: str, count: Count) -> tuple[dict[str, Any], list[Entry]]:
    """The manifest and the entries of an archive, every byte checked. Raises Damaged, Failure."""
    found: list[Entry] = []
    manifest: Any = None
    try:
        with gzip.open(path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                if member.name == MANIFEST:
                    manifest = json.load(archive.extractfile(member) or io.BytesIO())
                    continue
                if not member.name.startswith(f"{TOP}/"):
                    raise Damaged(f"{path} is damaged: {member.name} does not belong in a backup")
                found.append(_entry(member, _digest(archive, member, count)))
            while plain.read(1 << 20):
                pass  # to the end, where gzip's own checksum stands
    except FileNotFoundError:
        raise Failure(f"{path}: no such file") from None
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise Damaged(f"{path} is damaged, or not a backup: {error}") from None
    except OSError as error:
        # gzip's "not a gzipped file" and "CRC check failed" have no errno.
        raise (
            Failure(f"{path} cannot be read: {error.strerror}")
            if error.errno
            else Damaged(f"{path} is damaged, or not a backup: {error}")
        ) from None
    if what := damage(manifest, found):
        raise Damaged(f"{path} is damaged: {what}")
    return manifest, found


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo, count: Count) -> str:
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        return ""
    reader = Hashing(file, count)
    while reader.read(1 << 20):
        pass
    return reader.hexdigest()


def remove_folders(host: DockerHost, names: list[str], image: str) -> None:
    """Remove folders of Dusty's below host.root, root's files in them too. Raises ToolFailed."""
    if not host.reaches_root:
        # The engine makes the folders of mounts as root, and containers leave files of root's in them.
        for name in names:
            if not host.run(["test", "-d", host.path(name)]).code:
                take_over(host, host.path(name), [image])
    process.run(
        host.command(["sh", "-c", REMOVE, "dusty", host.root, *names], as_root=True),
        env=host.engine_environment(),
        check=True,
    )


def read_persist(host: DockerHost) -> tuple[dict[str, int], dict[str, int]]:
    """({"size", "used", "free"} of the disk in bytes, {} if unknown; name -> bytes of everything in persist/)."""
    lines = host.run(["sh", "-c", USAGE, "dusty", host.root], as_root=True).out.splitlines()
    disk, persist = {}, {}
    for line in lines:
        columns = line.split(None, 5)
        kib, _, name = line.partition("\t")
        if name.startswith("./"):
            persist[name[2:]] = int(kib) * 1024
        elif len(columns) == 6 and columns[1].isdigit():
            disk = {"size": int(columns[1]) * 1024, "used": int(columns[2]) * 1024, "free": int(columns[3]) * 1024}
    return disk, persist


SIZES = r"""
cd "$1/$2" 2>/dev/null || exit 0
for name in *; do [ -d "$name" ] && du -sk "./$name" 2>/dev/null; done
exit 0
"""
"""Words: host.root and a folder below it. Prints a line `KiB ./name` for each folder in there."""


def read_sizes(host: DockerHost, folder: str) -> dict[str, int]:
    """Name -> bytes of the folders in a folder below host.root; what this account may not read does not count."""
    lines = host.run(["sh", "-c", SIZES, "dusty", host.root, folder], as_root=True).out.splitlines()
    pairs = (line.split("\t./", 1) for line in lines if "\t./" in line)
    return {name: int(kib) * 1024 for kib, name in pairs}
