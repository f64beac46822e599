"""What lies below `host.root` of a Docker host, as every kind of one reads and writes it.

Small files are written whole, by root where the login is not root, and never through a link: containers that mount /persist can put a
link, a folder or a pipe anywhere below it, and what is written here is often written by root.
"""

from __future__ import annotations

import json
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.code.copies import Listing, State
    from dusty_tasks.effects.docker_host.host import DockerHost

PRIVATE = 0o600
"""For records of what containers are made of. Not for owner.json, which another owner must be able to read."""


class Wanted(NamedTuple):
    """What one look at a Docker host asks for; all paths but `mounted` are below host.root."""

    files: Sequence[str]
    digest_of: str
    """A file of which the digest is enough."""
    present: Sequence[str]
    """Names that either are there or not."""
    repo_ids: Sequence[str]
    """Copies whose receipts are asked for."""
    mounted: Sequence[str]
    """Absolute paths whose inodes are asked for."""
    request: bytes
    """What the engine is asked."""


class Gathered(NamedTuple):
    """What one look found."""

    files: dict[str, bytes]
    """Path -> content, of those that are there."""
    digest: str
    present: tuple[str, ...]
    receipts: Sequence[str | bytes]
    inodes: dict[str, int]
    answer: bytes
    """The engine's, as HTTP."""
    trouble: str = ""
    """Why the engine gave no answer, as a sentence."""
    is_away: bool = False
    """The Docker host itself was not reached: nothing is known of it."""


class HostFiles(ABC):
    """Each may raise Failure for a machine that is away."""

    @abstractmethod
    def write(self, below: str, data: bytes, mode: int = 0o644, in_place_of: str = "") -> None:
        """Put `data` at `below`, a path below host.root; then the file `in_place_of` beside it goes, if it is there.

        Raises Failure if a link, a folder or the like is in its way; ToolFailed.
        """

    @abstractmethod
    def read(self, below: str) -> bytes | str | None:
        """What is in a file; None or nothing if it is no file."""

    @abstractmethod
    def write_lines(self, below: str, text_by_name: Mapping[str, str]) -> None:
        """Make a folder hold these files of one line each, and no others; anybody who may enter the folder above may read them. Raises Failure."""

    @abstractmethod
    def move(self, source: str, destination: str) -> None:
        """Rename a file; both lie in one folder, which a write has checked. Raises Failure."""

    @abstractmethod
    def remove(self, below: str) -> None:
        """Remove a file, if it is there. Raises Failure."""

    @abstractmethod
    def append(self, below: str, lines: Sequence[bytes], former: str, full: int) -> None:
        """Add lines, each with a newline before and after it, to a file that others append to as well.

        Once it is of the size `full` it takes the place of `former` beside it. Raises Failure.
        """

    @abstractmethod
    def ends(self, paths: Sequence[str], most: int) -> bytes:
        """The last bytes, `most` of each, of those of the files that are there, one after the other."""

    @abstractmethod
    def present(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names`, paths below host.root, that are there."""

    @abstractmethod
    def inodes(self, paths: Sequence[str]) -> dict[str, int]:
        """Absolute path -> inode of what is a file or folder there, links followed."""

    @abstractmethod
    def real_paths(self, paths: Sequence[str]) -> dict[str, str]:
        """Absolute path -> where links lead from it."""

    @abstractmethod
    def receipts(self, repo_ids: Iterable[str]) -> Sequence[str | bytes]:
        """The receipts of those copies that are there, a JSON text each."""

    @abstractmethod
    def states(self, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
        """Folder (`/`, `/a/`) -> the (name, state) of what is in it; {} if `folder`, an absolute path, is not there."""

    @abstractmethod
    def listing(self, folder: str) -> Listing | None:
        """What is in a folder, read as it is asked for; None where it is better printed by the command that prepares a sync."""

    @abstractmethod
    def gather(self, wanted: Wanted) -> Gathered:
        """All of it at once."""


def in_the_way(what: str) -> Failure:
    """The refusal to write where something else stands."""
    return Failure(
        what, f"find out where it comes from and move it away, or choose another folder: {DUSTY} config set host.root"
    )


def keeps_its_inode(mode: int) -> bool:
    """Files and folders do. Sockets do not: a service that is started again makes its own anew, and so does a system at each start."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def write_host_json(host: DockerHost, below: str, value: Any, mode: int = 0o644) -> None:
    """Put a JSON value, on one line, at a path below host.root. Raises Failure."""
    host.files.write(below, json.dumps(value, sort_keys=True).encode(), mode)


def read_host_json(host: DockerHost, below: str) -> dict[str, Any]:
    """The mapping in a JSON file below host.root; {} if it is missing or damaged. Raises Failure if an ssh host is away."""
    try:
        found = json.loads(host.files.read(below) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
