"""A Docker host behind ssh: any Linux machine or VM with sshd, rsync and Docker, over one shared connection (see `ssh`)."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Unpack

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.settings.vm_presets import filled_in
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.login_shell import command_for_any_shell, own_output, with_begin
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.docker_host import ssh
from dusty_tasks.effects.docker_host.files_there import FilesThere
from dusty_tasks.effects.docker_host.host import DockerHost, Unreachable
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

if TYPE_CHECKING:
    from dusty_tasks.core.plan.ports_to_open import Address
    from dusty_tasks.effects.docker_host.engine_streams import Streams


class Login(NamedTuple):
    """Who we are on an ssh Docker host."""

    is_root: bool
    has_sudo: bool
    """`sudo -n` works."""
    rsync_version: str
    """First line of `rsync --version`, '' if there is none."""


class SshHost(DockerHost):
    is_far = True
    has_engine_here = False
    engine_hint = ""
    codes_of_a_cut_line = frozenset({10, 12, 30, 35, 255})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.machine = filled_in(settings.host, settings.home)
        self.files = FilesThere(self, self.path(COPIES))

    @property
    def name(self) -> str:
        return ssh.split_target(self.target)[0]

    @property
    def staying_on(self) -> str:
        return f"{self.name}, which has no stop command (host.stop),"

    @property
    def target(self) -> str:
        """`[user@]name[:port]`. Raises Failure if none is configured."""
        if not self.machine.ssh:
            raise Failure(
                "host.kind is ssh, and host.ssh does not say which machine", f"{DUSTY} config set host.ssh user@machine"
            )
        return self.machine.ssh

    def find_address(self) -> str:
        """What ssh connects to, resolved."""
        finished = self.run_ssh("-G")
        name = next((line.split(None, 1)[1] for line in finished.out.splitlines() if line.startswith("hostname ")), "")
        try:
            found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP) if name else []
        except OSError:
            return ""
        return str(sorted(found, key=lambda entry: entry[0] != socket.AF_INET)[0][4][0]) if found else ""

    def engine_environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name != "DOCKER_CONTEXT"}
        path = f"{self._ssh_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**environment, "DOCKER_HOST": f"ssh://{self.target}", "PATH": path}

    def run(
        self, argv: Sequence[str], *, check: bool = False, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        """`as_root` goes through `sudo -n` where the ssh login is not root. Raises Unreachable if ssh itself fails."""
        return self._over_ssh([*(self.become_root if as_root else ()), *argv], argv, check=check, **options)

    def command(self, argv: Sequence[str], *, as_root: bool = False) -> list[str]:
        self.round_trips += 1
        command = command_for_any_shell([*(self.become_root if as_root else ()), *argv])
        return [os.path.join(self._ssh_folder, "ssh"), "-T", "--", self.name, command]

    def shell_words(self) -> list[str]:
        return [os.path.join(self._ssh_folder, "ssh"), "-t", "--", self.name]

    @property
    def become_root(self) -> tuple[str, ...]:
        """What to put before a command so that root runs it: nothing for root, or where sudo is not to be had."""
        return ("sudo", "-n") if not self.login.is_root and self.login.has_sudo else ()

    @property
    def reaches_root(self) -> bool:
        return self.is_root

    @property
    def is_root(self) -> bool:
        return self.login.is_root or bool(self.become_root)

    @property
    def root_hint(self) -> str:
        if self.is_root:
            return ""
        return f"the login is not root and may not use `sudo -n`: allow that, or {DUSTY} config set host.root to a folder of its own"

    def receiver(self) -> str:
        return ":".join(self.run_script("id -u; id -g").out.split())

    def rsync_destination(self, path: str) -> str:
        user, at, machine = self.name.rpartition("@")
        return f"{user}{at}{f'[{machine}]' if ':' in machine else machine}:{path}"

    def rsync_transport(self) -> list[str]:
        self.round_trips += 1
        as_root = [f"--rsync-path={' '.join(self.become_root)} rsync"] if self.become_root else []
        return ["-z", "-s", "-e", "ssh", *as_root]

    @property
    def rsync_version(self) -> str | None:
        return self.login.rsync_version

    def exchange(self, request: bytes, timeout: float) -> bytes:
        from dusty_tasks.effects.docker_host.dial_stdio import exchange_over_ssh

        return exchange_over_ssh(self, request, timeout)

    def streams(self) -> Streams:
        from dusty_tasks.effects.docker_host.engine_streams import ForwardedStreams

        return ForwardedStreams(self)

    def process_on(self, address: Address) -> str:
        from dusty_tasks.effects.docker_host.port_owners import process_there

        return process_there(self, address)

    @functools.cached_property
    def login(self) -> Login:
        """Who we are there: one question a run. Raises Unreachable."""
        script = (
            "id -u; if sudo -n true 2>/dev/null; then echo sudo; else echo; fi; rsync --version 2>/dev/null | head -n 1"
        )
        lines = [*self._over_ssh(["sh", "-c", script], ["sh"], check=True).out.splitlines(), "", "", ""]
        return Login(lines[0] == "0", lines[1] == "sudo", lines[2])

    def close(self) -> None:
        """End the shared ssh connection, for example because the machine behind it is about to stop."""
        self.run_ssh("-O", "exit")

    def run_ssh(self, *options: str) -> process.Finished:
        """ssh itself with `options` and no command: `-G` prints the configuration in use."""
        return process.run([os.path.join(self._ssh_folder, "ssh"), *options, self.name])

    def forget_connection(self) -> None:
        """Read the ssh configuration anew, and ask again who we are there."""
        self.__dict__.pop("_ssh_folder", None)
        self.__dict__.pop("login", None)

    def _over_ssh(
        self, words: Sequence[str], argv: Sequence[str], *, check: bool, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        self.round_trips += 1
        command = with_begin(command_for_any_shell(words))
        finished = process.run([os.path.join(self._ssh_folder, "ssh"), "-T", "--", self.name, command], **options)
        if finished.code == 255:
            raise Unreachable(self.name, finished.err)
        own, before = own_output(finished.out)
        finished = finished._replace(out=own)
        if before:
            line = printable(before.strip().partition("\n")[0][:80])
            raise Failure(
                f"the login shell on {self.name} prints something before each command, which rsync and docker take for part of the response: {line}",
                "over there, let ~/.bashrc (~/.cshrc, ~/.zshenv) print only in a terminal: [ -t 1 ] && echo …",
            )
        if check and finished.code:
            raise ToolFailed(["ssh", self.name, *argv], finished.code, finished.err or finished.out)
        return finished

    @functools.cached_property
    def _ssh_folder(self) -> str:
        return ssh.program_folder(self.home, self.target, ssh.kept_config(self.home, self.target))
