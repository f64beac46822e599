"""The Docker host: the machine with the engine. Two kinds, one small interface: run, copy, engine environment, address."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import NamedTuple, Unpack

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.settings.vm_presets import filled_in
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.login_shell import command_for_any_shell, own_output, with_begin
from dusty_tasks.core.text.namespace import Namespace
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.ssh_trouble import ssh_trouble
from dusty_tasks.effects.docker_host import ssh
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

HERE = ("", "localhost", "127.0.0.1", "::1")


class Unreachable(ToolFailed):
    """ssh itself failed (its status 255): no connection, no entry, an unknown host key, or the line was cut."""

    is_absence = True

    def __init__(self, name: str, printed: str) -> None:
        self.trouble = ssh_trouble(printed)
        super().__init__(["ssh", name], 255, printed, self.trouble.hint.format(name=name) or f"{DUSTY} start")


class Login(NamedTuple):
    """Who we are on an ssh Docker host."""

    is_root: bool
    has_sudo: bool
    """`sudo -n` works."""
    rsync_version: str
    """First line of `rsync --version`, '' if there is none."""


class DockerHost:
    """What `host.*` of the settings names."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home
        self.kind = settings.host.kind
        self.root = settings.host.root
        self.host = filled_in(settings.host, settings.home)
        """The host's settings with the preset's commands in them."""
        self.round_trips = 0
        """Commands sent over ssh so far, for the receipt of `up`."""

    @property
    def is_local(self) -> bool:
        return self.kind == "local"

    @property
    def name(self) -> str:
        """The Docker host in a sentence."""
        return "this machine" if self.is_local else ssh.split_target(self.target)[0]

    @property
    def address(self) -> str:
        """What the hosts section gives every host_name; '' if an ssh host has none stored yet."""
        return self.settings.hosts_address

    @property
    def namespace(self) -> Namespace:
        """What the stack that is meant is called on its engine."""
        return self.settings.namespace

    @property
    def target(self) -> str:
        """`[user@]name[:port]` of an ssh Docker host. Raises Failure if none is configured."""
        if not self.host.ssh:
            raise Failure(
                "host.kind is ssh, and host.ssh does not say which machine", f"{DUSTY} config set host.ssh user@machine"
            )
        return self.host.ssh

    def path(self, *parts: str) -> str:
        """A path below host.root: `path("persist", "repos")`."""
        return os.path.join(self.root, *parts)

    def engine_environment(self) -> dict[str, str]:
        """The environment in which `docker`, `docker compose` and `rsync` reach this Docker host.

        Raises Failure if `local` is configured and DOCKER_HOST or the docker context names another machine.
        """
        if self.is_local:
            self._check_engine_is_here()
            return dict(os.environ)
        environment = {name: value for name, value in os.environ.items() if name != "DOCKER_CONTEXT"}
        path = f"{self._ssh_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**environment, "DOCKER_HOST": f"ssh://{self.target}", "PATH": path}

    def run(
        self, argv: Sequence[str], *, check: bool = False, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        """Run a command on the Docker host; `as_root` goes through `sudo -n` where the ssh login is not root.

        The other options are those of process.run. Raises Unreachable if ssh itself fails, ToolFailed with `check`.
        """
        if self.is_local:
            return process.run(argv, check=check, env=self.engine_environment(), **options)
        return self._over_ssh([*(self.become_root if as_root else ()), *argv], argv, check=check, **options)

    def command(self, argv: Sequence[str], *, as_root: bool = False) -> list[str]:
        """The words that run `argv` on the Docker host, for what is streamed to or from it (process.piped)."""
        if self.is_local:
            return list(argv)
        self.round_trips += 1
        command = command_for_any_shell([*(self.become_root if as_root else ()), *argv])
        return [os.path.join(self._ssh_folder, "ssh"), "-T", "--", ssh.split_target(self.target)[0], command]

    def run_script(
        self, script: str, *words: str, check: bool = True, as_root: bool = False, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        """Run a POSIX sh script on the Docker host with `words` as its arguments."""
        return self.run(["sh", "-c", script, "dusty", *words], check=check, as_root=as_root, **options)

    @property
    def become_root(self) -> tuple[str, ...]:
        """What to put before a command so that root runs it: nothing for root, or where sudo is not to be had."""
        return ("sudo", "-n") if not self.is_local and not self.login.is_root and self.login.has_sudo else ()

    @functools.cached_property
    def login(self) -> Login:
        """Who we are there: one question a run. Raises Unreachable."""
        script = (
            "id -u; if sudo -n true 2>/dev/null; then echo sudo; else echo; fi; rsync --version 2>/dev/null | head -n 1"
        )
        lines = [*self._over_ssh(["sh", "-c", script], ["sh"], check=True).out.splitlines(), "", "", ""]
        return Login(lines[0] == "0", lines[1] == "sudo", lines[2])

    def rsync_destination(self, path: str) -> str:
        """`path` of the Docker host as rsync's last word."""
        if self.is_local:
            return path
        name, _ = ssh.split_target(self.target)
        user, at, machine = name.rpartition("@")
        return f"{user}{at}{f'[{machine}]' if ':' in machine else machine}:{path}"

    def close(self) -> None:
        """End the shared ssh connection, for example because the machine behind it is about to stop."""
        if not self.is_local:
            self.run_ssh("-O", "exit")

    def run_ssh(self, *options: str) -> process.Finished:
        """ssh itself with `options` and no command: `-G` prints the configuration in use."""
        return process.run([os.path.join(self._ssh_folder, "ssh"), *options, ssh.split_target(self.target)[0]])

    def forget_connection(self) -> None:
        """Read the ssh configuration anew, and ask again who we are there."""
        self.__dict__.pop("_ssh_folder", None)
        self.__dict__.pop("login", None)

    def _over_ssh(
        self, words: Sequence[str], argv: Sequence[str], *, check: bool, **options: Unpack[process.RunOptions]
    ) -> process.Finished:
        self.round_trips += 1
        command = with_begin(command_for_any_shell(words))
        finished = process.run(
            [os.path.join(self._ssh_folder, "ssh"), "-T", "--", ssh.split_target(self.target)[0], command], **options
        )
        if finished.code == 255:
            raise Unreachable(self.name, finished.err)
        own, before = own_output(finished.out)
        finished = finished._replace(out=own)
        if before:
            line = printable(before.strip().partition("\n")[0][:80])
            raise Failure(
                f"the login shell on {self.name} prints something before each command, which rsync and docker cannot tell from answers: {line}",
                "over there, let ~/.bashrc (~/.cshrc, ~/.zshenv) print only in a terminal: [ -t 1 ] && echo …",
            )
        if check and finished.code:
            raise ToolFailed(["ssh", self.name, *argv], finished.code, finished.err or finished.out)
        return finished

    @functools.cached_property
    def _ssh_folder(self) -> str:
        return ssh.program_folder(self.home, self.target, ssh.kept_config(self.home, self.target))

    def _check_engine_is_here(self) -> None:
        from dusty_tasks.effects.docker_host.engine_address import DEFAULT_SOCKET, engine_address

        address = engine_address(os.environ)
        scheme, _, rest = address.partition("://")
        if scheme in ("unix", "npipe", "fd") and rest:
            return
        if scheme not in ("tcp", "http", "https", "ssh") or not rest:
            raise Failure(
                f"DOCKER_HOST is {address}, which is no address of an engine",
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
