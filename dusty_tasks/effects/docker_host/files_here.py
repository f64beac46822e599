"""The files of a Docker host that is this machine: no process is needed for them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.effects.docker_host.files import Gathered, HostFiles, Wanted, in_the_way, keeps_its_inode
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from dusty_tasks.core.code.copies import Listing, State
    from dusty_tasks.effects.docker_host.host import DockerHost


class FilesHere(HostFiles):
    def __init__(self, host: DockerHost) -> None:
        self.host = host

    def write(self, below: str, data: bytes, mode: int = 0o644, in_place_of: str = "") -> None:
        self._check_way(below)
        write_atomically(self.host.path(below), data, mode)
        if in_place_of:
            self.remove(f"{os.path.dirname(below)}/{in_place_of}")

    def read(self, below: str) -> bytes | str | None:
        return read_bytes(self.host.path(below))

    def write_lines(self, below: str, text_by_name: Mapping[str, str]) -> None:
        path = self.host.path(below)
        self._check_way(f"{below}/")
        try:
            os.makedirs(path, exist_ok=True)
            # Whatever the caller's umask is: the proxy reads them as a user of its own.
            for readable in (os.path.dirname(path), path):
                os.chmod(readable, 0o755)
            for name in set(os.listdir(path)) - text_by_name.keys():
                os.unlink(f"{path}/{name}")
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror or error}", code=2) from error
        for name, text in text_by_name.items():
            write_atomically(f"{path}/{name}", f"{text}\n".encode())

    def move(self, source: str, destination: str) -> None:
        new = self.host.path(destination)
        try:
            os.replace(self.host.path(source), new)
        except OSError as error:
            if os.path.isdir(new):
                raise in_the_way(f"{new} is a folder, but Dusty needs a file there") from error
            raise Failure(f"{new} cannot be written: {error.strerror}", code=2) from error

    def remove(self, below: str) -> None:
        path = self.host.path(below)
        self._check_way(below)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except IsADirectoryError as error:
            raise in_the_way(f"{path} is a folder, but Dusty needs a file there") from error
        except OSError as error:
            raise Failure(f"{path} cannot be removed: {error.strerror}", code=2) from error

    def append(self, below: str, lines: Sequence[bytes], former: str, full: int) -> None:
        from dusty_tasks.effects.docker_host.appending import append

        self._check_way(below)
        append(self.host.path(below), lines, self.host.path(former), full)

    def ends(self, paths: Sequence[str], most: int) -> bytes:
        from dusty_tasks.effects.docker_host.appending import end_of

        return b"\n".join(end_of(self.host.path(path), most) for path in paths)

    def present(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if os.path.lexists(self.host.path(name)))

    def inodes(self, paths: Sequence[str]) -> dict[str, int]:
        found = {}
        for path in paths:
            try:
                state = os.stat(path)
            except (OSError, ValueError):
                continue
            if keeps_its_inode(state.st_mode):
                found[path] = state.st_ino
        return found

    def real_paths(self, paths: Sequence[str]) -> dict[str, str]:
        return {path: os.path.realpath(path) for path in paths}

    def receipts(self, repo_ids: Iterable[str]) -> Sequence[str | bytes]:
        base = self.host.path(COPIES)
        lines = (
            read_bytes(f"{base}/.receipts/{repo_id}.json") for repo_id in repo_ids if os.path.isdir(f"{base}/{repo_id}")
        )
        return [line for line in lines if line is not None]

    def states(self, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
        found: dict[bytes, list[tuple[bytes, State]]] = {}
        pending = [b"/"]
        while pending:
            below = pending.pop()
            found[below] = list(_scanned(os.fsencode(folder), below))
            pending += [below + name + b"/" for name, state in found[below] if state.kind == "d"]
        return found

    def listing(self, folder: str) -> Listing | None:
        from dusty_tasks.core.code.copies import State

        top, of_folder, of_file = os.fsencode(folder), State("d"), State("f")

        def listing(below: bytes) -> Iterable[tuple[bytes, State]]:
            try:
                with os.scandir(top + below) as found:
                    return [
                        (entry.name, of_folder if entry.is_dir(follow_symlinks=False) else of_file) for entry in found
                    ]
            except OSError:
                return ()  # gone, or not ours: rsync says so if it matters

        return listing

    def gather(self, wanted: Wanted) -> Gathered:
        from hashlib import sha256

        from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT, EngineDown

        read = {path: read_bytes(self.host.path(path)) for path in wanted.files}
        config = read_bytes(self.host.path(wanted.digest_of))
        try:
            answer, trouble = self.host.exchange(wanted.request, ANSWER_TIMEOUT), ""
        except EngineDown as down:
            answer, trouble = b"", down.what
        return Gathered(
            {path: data for path, data in read.items() if data is not None},
            sha256(config).hexdigest() if config is not None else "",
            self.present(wanted.present),
            self.receipts(wanted.repo_ids),
            self.inodes(wanted.mounted),
            answer,
            trouble,
        )

    def _check_way(self, below: str) -> None:
        path = self.host.root.rstrip("/")
        for part in below.split("/")[:-1]:
            path = f"{path}/{part}"
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                return  # Nothing is there yet, or the write itself says what is wrong.
            if stat.S_ISLNK(mode):
                raise in_the_way(f"{path} is a link, and nothing is written or deleted through a link")
            if not stat.S_ISDIR(mode):
                raise in_the_way(f"{path} is not a folder")


def _scanned(root: bytes, folder: bytes) -> Iterator[tuple[bytes, State]]:
    from dusty_tasks.core.code.copies import State

    try:
        names = os.listdir(root + folder)
    except OSError:
        return
    for name in names:
        path = root + folder + name
        try:
            state = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(state.st_mode) else b""
        except OSError:
            continue
        yield name, State(_kind(state.st_mode), state.st_size, state.st_mtime_ns, target)


def _kind(mode: int) -> str:
    return "d" if stat.S_ISDIR(mode) else "f" if stat.S_ISREG(mode) else "l" if stat.S_ISLNK(mode) else "o"
