"""The door through which files enter and leave containers: `docker cp`, or `tar` inside, as streams of archive entries.

An entry is a pair of tarfile.TarInfo and the open bytes of a file (None for folders, links …). Entries of one source are
named after its last path component. `docker cp` works on stopped containers and over ssh as well; it refuses, as we want
it to, to put a file in a folder's place or a folder in a file's. It does not see what is mounted only while a container runs
(a tmpfs, /proc): there `tar` in the running container reads and writes.

More than 300 lines: `docker cp` and `tar` are two ends of one stream of entries.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

from dusty_tasks.core.of_verbs.copying import renamed
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.process import Finished, Piped, piped, run

Entry = tuple[tarfile.TarInfo, IO[bytes] | None]
Environment = Mapping[str, str]

LONGEST_PRINTED = 1 << 30
"""Bytes of a file of /proc or /sys, whose size nobody knows before."""
_MISSING = ("Could not find the file", "no such file or directory", "not a directory", "No such container:path")


class Reach(NamedTuple):
    """A container, and the way to its files."""

    container_id: str
    env: Environment
    is_inside: bool = False
    """Through the running container, by its own `sh` and `tar`."""

    def inside(self, *command: str) -> list[str]:
        """`command` as root of the container, with our stdin."""
        return ["docker", "exec", "--interactive", "--user", "0", self.container_id, *command]


class Copied(NamedTuple):
    files: int
    size: int
    skipped: tuple[str, ...] = ()
    """Devices and sockets, which are not copied."""


class SourceMissing(Failure):
    """There is nothing at the path to copy."""


def container_kind(reach: Reach, path: str) -> str:
    """What stands at a path of a container, links followed: folder, file, or '' for nothing. Raises ToolFailed."""
    if reach.is_inside:
        script = 'if [ -d "$1" ]; then echo folder; elif [ -e "$1" ]; then echo file; fi'
        return run(reach.inside("sh", "-c", script, "sh", path), env=reach.env, check=True).out.strip()
    try:
        with container_entries(reach, path, follow=True) as entries:
            return "folder" if next(entries)[0].isdir() else "file"
    except SourceMissing:
        return ""


@contextmanager
def container_entries(reach: Reach, path: str, *, follow: bool = False) -> Iterator[Iterator[Entry]]:
    """The entries of a file or folder in a container, in order; `follow` a link (not inside). Raises SourceMissing, ToolFailed."""
    argv = ["docker", "cp", *(["--follow-link"] if follow else []), f"{reach.container_id}:{path}", "-"]
    if reach.is_inside:
        argv = reach.inside("tar", "-cf", "-", "-C", posixpath.dirname(path), "--", f"./{posixpath.basename(path)}")
    with piped(argv, env=reach.env) as stream:
        try:
            archive = tarfile.open(fileobj=stream.out, mode="r|")  # noqa: SIM115 - closed with its stream
        except tarfile.ReadError:
            raise _cause(argv, stream.end()) from None
        yield _entries_of(archive, argv, stream)


def _entries_of(archive: tarfile.TarFile, argv: list[str], stream: Piped) -> Iterator[Entry]:
    for entry in archive:
        yield entry, archive.extractfile(entry) if entry.isreg() else None
    finished = stream.end()
    if finished.code:
        raise _cause(argv, finished)


@contextmanager
def printed_entry(reach: Reach, path: str) -> Iterator[Iterator[Entry]]:
    """A file inside as what reading it gives: those of /proc and /sys claim to have no size. Raises ToolFailed."""
    argv = reach.inside("cat", path)
    with piped(argv, env=reach.env) as stream, tempfile.TemporaryFile() as kept:
        while chunk := stream.out.read(1 << 16):
            kept.write(chunk)
            if kept.tell() > LONGEST_PRINTED:
                raise Failure(f"{path} has no end: more than {size_text(LONGEST_PRINTED)} was read")
        finished = stream.end()
        if finished.code:
            raise _cause(argv, finished)
        entry = tarfile.TarInfo(posixpath.basename(path))
        entry.size, entry.mtime = kept.tell(), int(time.time())
        kept.seek(0)
        yield iter([(entry, kept)])


def _cause(argv: list[str], finished: Finished) -> Failure:
    if any(text.lower() in finished.err.lower() for text in _MISSING):
        return SourceMissing("no such file")
    return ToolFailed(argv, finished.code, finished.err)


def local_entries(path: str) -> Iterator[Entry]:
    """The entries of a local file or folder; links stay links, owners become root. Raises SourceMissing, Failure."""
    if not os.path.lexists(path):
        raise SourceMissing(f"{path}: no such file or folder")
    # Its gettarinfo() fills in types and modes, and knows hard links within one copy.
    maker = tarfile.open(fileobj=io.BytesIO(), mode="w")  # noqa: SIM115
    top = os.path.abspath(path)
    yield from _walk(maker, top, os.path.basename(top))


def _walk(maker: tarfile.TarFile, path: str, name: str) -> Iterator[Entry]:
    try:
        entry = maker.gettarinfo(path, name)
        if entry is None:
            entry = tarfile.TarInfo(name)
            entry.type = b"s"
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        if entry.isreg():
            with open(path, "rb") as file:
                yield entry, file
            return
        yield entry, None
        for child in sorted(os.listdir(path)) if entry.isdir() else ():
            yield from _walk(maker, os.path.join(path, child), f"{name}/{child}")
    except OSError as error:
        raise Failure(f"{error.filename or path}: {error.strerror}") from error


def placed_at(entries: Iterable[Entry], name: str, copy_name: str, *, keep_top: bool = False) -> Iterator[Entry]:
    """Entries renamed from the source's own name to the copy's; the top of a folder that merges keeps its mode, so it is left out."""
    for entry, file in entries:
        rename(
            entry,
            renamed(entry.name, name, copy_name),
            renamed(entry.linkname, name, copy_name) if entry.islnk() else entry.linkname,
        )
        if entry.name or keep_top:
            yield entry, file


def rename(entry: tarfile.TarInfo, name: str, linkname: str) -> None:
    """Give an entry another name. The long and non-ASCII names in its extended header would win otherwise."""
    entry.name, entry.linkname = name, linkname
    entry.pax_headers = {key: value for key, value in entry.pax_headers.items() if key not in ("path", "linkpath")}


def local_kind(path: str) -> str:
    """What stands at a path of this machine, links followed: folder, file, or '' for nothing."""
    return "folder" if os.path.isdir(path) else "file" if os.path.exists(path) else ""


def write_to_container(entries: Iterable[Entry], reach: Reach, folder: str, count: Callable[[int], None]) -> Copied:
    """Put entries, named relative to an existing `folder` of a container, there; they belong to root. Raises ToolFailed.

    `count` is told of every chunk's size as it goes.
    """
    argv = (
        reach.inside("tar", "-xpf", "-", "-C", folder)
        if reach.is_inside
        else ["docker", "cp", "-", f"{reach.container_id}:{folder}"]
    )
    files, size, skipped = 0, 0, []
    high: list[Entry] = []

    def kept() -> Iterator[tuple[tarfile.TarInfo, Any]]:
        nonlocal files, size
        for entry, file in entries:
            if not _is_copied(entry):
                skipped.append(entry.name)
                continue
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            files, size = files + (not entry.isdir()), size + entry.size
            if _leads_above(entry) and not reach.is_inside:
                high.append((entry, None))
            else:
                yield entry, _Counted(file, count) if file else None

    _stream(kept(), argv, reach)
    if high:
        # The engine takes a link that leads above the folder it was given for a way out; above its root, no link can lead.
        for entry, _ in high:
            rename(entry, posixpath.join(folder, entry.name).lstrip("/"), entry.linkname)
        _stream(iter(high), ["docker", "cp", "-", f"{reach.container_id}:/"], reach)
    return Copied(files, size, tuple(skipped))


def _leads_above(entry: tarfile.TarInfo) -> bool:
    """True for a link to something above the folder in which the entries are put."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.linkname))
    return entry.issym() and (target == ".." or target.startswith("../"))


def _stream(entries: Iterator[tuple[tarfile.TarInfo, Any]], argv: list[str], reach: Reach) -> None:
    """Hand entries to a program as an archive. Raises ToolFailed."""
    # Small programs of containers do not know the extended headers of pax, and take GNU's.
    form = tarfile.GNU_FORMAT if reach.is_inside else tarfile.PAX_FORMAT
    with piped(argv, env=reach.env) as stream:
        try:
            with tarfile.open(fileobj=stream.input, mode="w|", format=form) as archive:
                for entry, file in entries:
                    archive.addfile(entry, file)
        except BrokenPipeError:
            pass  # it ended early: its own words follow
        finished = stream.end()
    if finished.code:
        raise ToolFailed(argv, finished.code, finished.err)


def _is_copied(entry: tarfile.TarInfo) -> bool:
    return entry.isreg() or entry.isdir() or entry.issym() or entry.islnk() or entry.isfifo()


class _Counted:
    """A file that says how much was read of it."""

    def __init__(self, file: IO[bytes], count: Callable[[int], None]) -> None:
        self._file, self._count = file, count

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._count(len(data))
        return data


def write_to_stream(entries: Iterable[Entry], out: IO[bytes]) -> None:
    """The bytes of the one file that `entries` are, or a tar archive of the folder and all in it. Raises BrokenPipeError."""
    first, file = next(entries := iter(entries))
    if file:
        shutil.copyfileobj(file, out)
        for _none in entries:
            pass  # to the end of the source, which may still fail
    else:
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for entry, content in chain([(first, file)], entries):
                archive.addfile(entry, content)
    out.flush()


def write_to_folder(entries: Iterable[Entry], root: str, count: Callable[[int], None]) -> Copied:
    """Put entries, named relative to `root` ('' is root itself), on this machine; they belong to the caller.

    What has the same name is replaced, a link as a link; nothing else is touched, and nothing is written through a link
    that leads out of `root`. Raises Failure for that, and for a file in a folder's place or the reverse.
    """
    files, size, skipped = 0, 0, []
    made: list[tuple[str, tarfile.TarInfo]] = []
    try:
        os.makedirs(os.path.dirname(root) or ".", exist_ok=True)
        for entry, file in entries:
            path = os.path.join(root, entry.name) if entry.name else root
            if entry.name:
                _check_inside(os.path.dirname(path), root, entry.name)
            if entry.isdir():
                if not _make_folder(path):
                    made.append((path, entry))
                continue
            if not _is_copied(entry):
                skipped.append(entry.name)
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                raise Failure(f"{path} is a folder here but not in the container: it is left as it is")
            if entry.isreg():
                _check_room(entry, path)
            _put(entry, file, path, root, count)
            files, size = files + 1, size + entry.size
        for path, entry in reversed(made):
            os.chmod(path, entry.mode & 0o777)
            os.utime(path, (entry.mtime, entry.mtime))
    except OSError as error:
        raise Failure(f"{error.filename or root}: {error.strerror}") from error
    return Copied(files, size, tuple(skipped))


def _check_room(entry: tarfile.TarInfo, path: str) -> None:
    """Raise OSError for a file that is larger than what is free: a container may claim any size, and zeros that take no room would go on for ever."""
    if entry.size > shutil.disk_usage(os.path.dirname(path) or ".").free:
        raise OSError(
            errno.ENOSPC, f"the copy of {size_text(entry.size)} is larger than what is free on that disk", path
        )


def _check_inside(folder: str, root: str, name: str) -> None:
    resolved, top = os.path.realpath(folder), os.path.realpath(root)
    if resolved != top and not resolved.startswith(top.rstrip("/") + "/"):
        raise Failure(f"{name} would land outside {root}, in {resolved}: nothing is written there")


def _make_folder(path: str) -> bool:
    """True if it was there already. Its mode comes last, so that a read-only folder can be filled."""
    if os.path.isdir(path):
        return True
    if os.path.lexists(path):
        raise Failure(f"{path} is a folder in the container but not here: it is left as it is")
    os.mkdir(path, 0o700)
    return False


def _put(entry: tarfile.TarInfo, file: IO[bytes] | None, path: str, root: str, count: Callable[[int], None]) -> None:
    if entry.isreg() and file:
        try:
            _put_file(entry, file, path, count)
        except OSError as error:
            # A person knows the copy, not the temporary name that it has at first.
            raise OSError(error.errno, error.strerror, path) from error
        return
    if entry.islnk():
        _check_inside(os.path.dirname(os.path.join(root, entry.linkname)), root, entry.linkname)
    if os.path.lexists(path):
        os.unlink(path)
    if entry.issym():
        os.symlink(entry.linkname, path)
    elif entry.islnk():
        os.link(os.path.join(root, entry.linkname), path, follow_symlinks=False)
    else:
        os.mkfifo(path, entry.mode & 0o777)


def _put_file(entry: tarfile.TarInfo, file: IO[bytes], path: str, count: Callable[[int], None]) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".dusty-cp-", dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := file.read(1 << 20):
                # Zeros are left out: a sparse file of the container stays one, as far as whole chunks go.
                out.write(chunk) if chunk.strip(b"\0") else out.seek(len(chunk), os.SEEK_CUR)
                count(len(chunk))
            out.truncate()
            # No setuid bit: the copy belongs to someone else than the original.
            os.fchmod(out.fileno(), entry.mode & 0o777)
        os.utime(temporary, (entry.mtime, entry.mtime))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # A signal may come right after it got its name.
        raise
