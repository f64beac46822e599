"""The Docker host: the machine with the engine. `DockerHost` is all that the rest of Dusty knows of one, whatever its kind.

A kind is a class that implements it: `local.LocalHost` (this machine) and `over_ssh.SshHost` (another one, behind ssh; a VM is such a
machine with commands that start and stop it, see `vm`). `kinds.docker_host` is the one place that chooses among them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import Namespace
from dusty_tasks.core.text.ssh_trouble import ssh_trouble
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed

if TYPE_CHECKING:
    from dusty_tasks.core.plan.ports_to_open import Address
    from dusty_tasks.effects.docker_host.engine_streams import Streams
    from dusty_tasks.effects.docker_host.files import HostFiles


class Unreachable(ToolFailed):
    """ssh itself failed (its status 255): no connection, no entry, an unknown host key, or the line was cut."""

    is_absence = True

    def __init__(self, name: str, printed: str) -> None:
        self.trouble = ssh_trouble(printed)
        super().__init__(["ssh", name], 255, printed, self.trouble.hint.format(name=name) or f"{DUSTY} start")


class DockerHost(ABC):
    """What `host.*` of the settings names."""

    machine: HostSettings
    """The host's settings with the preset's commands in them; without any where there is no machine to start and stop."""
    files: HostFiles
    """What lies below host.root."""
    is_far: bool
    """An answer costs a round trip: worth asking for everything at once, and doing something else meanwhile."""
    has_engine_here: bool
    """The engine is a program of this machine, which Dusty may be asked to install."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home
        self.root = settings.host.root
        self.round_trips = 0
        """Commands sent to another machine so far, for the receipt of `up`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The Docker host in a sentence."""

    @property
    @abstractmethod
    def staying_on(self) -> str:
        """The same as the subject of `… stays on`, with the reason why Dusty does not stop it."""

    @property
    @abstractmethod
    def engine_hint(self) -> str:
        """What a person may do about an engine that does not come up, '' for nothing in general."""

    @property
    def target(self) -> str:
        """What tells this machine from others: an address of its kind, '' for this one. Raises Failure if none is configured."""
        return ""

    @property
    def address(self) -> str:
        """What the hosts section gives every host_name; '' if none is stored yet."""
        return self.settings.hosts_address

    @abstractmethod
    def find_address(self) -> str:
        """The same, looked up; '' if that fails."""

    @property
    def namespace(self) -> Namespace:
        """What the stack that is meant is called on its engine."""
        return self.settings.namespace

    def path(self, *parts: str) -> str:
        """A path below host.root: `path("persist", "repos")`."""
        return os.path.join(self.root, *parts)

    # Programs

    @abstractmethod
    def engine_environment(self) -> dict[str, str]:
        """The environment in which `docker`, `docker compose` and `rsync` reach this Docker host. Raises Failure if there is none."""

    @abstractmethod
    def run(
        self, argv: Sequence[str], *, check: bool = False, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        """Run a command on the Docker host; `as_root` makes root run it where Dusty may ask for that without a password.

        The other options are those of process.run. Raises Failure if the machine is not reached, ToolFailed with `check`.
        """

    @abstractmethod
    def command(self, argv: Sequence[str], *, as_root: bool = False) -> list[str]:
        """The words that run `argv` on the Docker host, for what is streamed to or from it (process.piped)."""

    def run_script(
        self, script: str, *words: str, check: bool = True, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        """Run a POSIX sh script on the Docker host with `words` as its arguments."""
        return self.run(["sh", "-c", script, "dusty", *words], check=check, as_root=as_root, **options)

    @property
    @abstractmethod
    def reaches_root(self) -> bool:
        """Commands `as_root` are as near to root as this account gets; if False, a container gets nearer."""

    @property
    @abstractmethod
    def is_root(self) -> bool:
        """Commands `as_root` are really root's."""

    @property
    def root_hint(self) -> str:
        """How to let this account become root where Dusty needs it; '' where that is not the way."""
        return ""

    @abstractmethod
    def shell_words(self) -> list[str]:
        """The command that opens a login shell there, on a terminal."""

    @abstractmethod
    def receiver(self) -> str:
        """`uid:gid` of whoever receives copies."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is kept open to the machine, for example because it is about to stop."""

    @abstractmethod
    def forget_connection(self) -> None:
        """Look again how the machine is reached."""

    # rsync

    @abstractmethod
    def rsync_destination(self, path: str) -> str:
        """`path` of the Docker host as rsync's last word."""

    def rsync_transport(self) -> list[str]:
        """rsync's options to reach the Docker host, for one call, which is counted."""
        return []

    @property
    def rsync_version(self) -> str | None:
        """First line of `rsync --version` there, '' if there is none; None if it is the one of this machine."""
        return None

    codes_of_a_cut_line: frozenset[int] = frozenset()
    """rsync's exit codes that tell of a lost connection."""

    # The engine

    @abstractmethod
    def exchange(self, request: bytes, timeout: float) -> bytes:
        """Send an HTTP request to the engine, and all that it answers. Raises EngineDown and its kin."""

    @abstractmethod
    def streams(self) -> Streams:
        """Answers of the engine that have no end; a context manager: what it needed for them is gone after the block."""

    @abstractmethod
    def process_on(self, address: Address) -> str:
        """The process that listens on an address of the Docker host, '' for nobody, or where that cannot be told."""
