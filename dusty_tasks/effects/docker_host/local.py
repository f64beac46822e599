"""A Docker host that is this machine: the engine that the docker client finds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from dusty_tasks.core.settings.model import Settings, without_machine
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host.files_here import FilesHere
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.plan.ports_to_open import Address
    from dusty_tasks.effects.docker_host.engine_streams import Streams

HERE = ("", "localhost", "127.0.0.1", "::1")


class LocalHost(DockerHost):
    is_far = False
    has_engine_here = True
    name = "this machine"
    staying_on = "this machine"
    engine_hint = "start Docker on this machine, for example: sudo systemctl start docker"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.machine = without_machine(settings.host)
        self.files = FilesHere(self)

    def find_address(self) -> str:
        return self.address

    def engine_environment(self) -> dict[str, str]:
        """Raises Failure if DOCKER_HOST or the docker context names another machine."""
        self.engine_address()
        return dict(os.environ)

    def run(
        self, argv: Sequence[str], *, check: bool = False, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        return process.run(argv, check=check, env=self.engine_environment(), **options)

    def command(self, argv: Sequence[str], *, as_root: bool = False) -> list[str]:
        return list(argv)

    def shell_words(self) -> list[str]:
        return [os.environ.get("SHELL") or "/bin/sh", "-l"]

    @property
    def reaches_root(self) -> bool:
        return self.is_root

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    def receiver(self) -> str:
        return f"{os.getuid()}:{os.getgid()}"

    def close(self) -> None:
        pass

    def forget_connection(self) -> None:
        pass

    def rsync_destination(self, path: str) -> str:
        return path

    def exchange(self, request: bytes, timeout: float) -> bytes:
        from dusty_tasks.effects.docker_host.engine_line import exchange

        return exchange(self.engine_address(), request, timeout)

    def streams(self) -> Streams:
        from dusty_tasks.effects.docker_host.engine_streams import SocketStreams

        return SocketStreams(self.engine_address())

    def process_on(self, address: Address) -> str:
        from dusty_tasks.effects.docker_host.port_owners import process_here

        return process_here(address)

    def engine_address(self) -> str:
        """Where the engine listens. Raises Failure if that is another machine, or no address."""
        from dusty_tasks.effects.docker_host.engine_address import DEFAULT_SOCKET, engine_address

        address = engine_address(os.environ)
        scheme, _, rest = address.partition("://")
        if scheme in ("unix", "npipe", "fd") and rest:
            return address
        if scheme not in ("tcp", "http", "https", "ssh") or not rest:
            raise Failure(
                f"DOCKER_HOST is {address}, which is not the address of an engine",
                f"unset it, or set it to unix://{DEFAULT_SOCKET}",
            )
        machine = rest.split("/")[0]
        if scheme == "ssh":
            raise Failure(
                f"the docker client uses {address}, and host.kind is local",
                f"{DUSTY} config set host.kind ssh, and {DUSTY} config set host.ssh {machine}; or unset DOCKER_HOST",
            )
        name = machine.rpartition("@")[2].rsplit(":", 1)[0].strip("[]")
        if name not in HERE:
            raise Failure(
                f"the docker client uses {address}, another machine, and host.kind is local",
                f"{DUSTY} config set host.kind ssh, and {DUSTY} config set host.ssh {name}; or unset DOCKER_HOST",
            )
        return address
