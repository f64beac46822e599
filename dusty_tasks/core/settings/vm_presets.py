"""VM presets: what `host.preset` fills in for the other `host.*` keys (docs/docker-hosts.md). Data, not code.

In the words, `{home}`, `{name}`, `{memory}` (GiB), `{megabytes}` and `{ncpu}` stand for the settings' values.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

from dusty_tasks.core.settings.model import HostSettings
from dusty_tasks.core.text.paths import Paths

VM_NAME = "dusty"


class Preset(NamedTuple):
    """The commands of one kind of VM; every key that the user sets himself wins."""

    ssh: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    status: tuple[str, ...]
    """Ends with 0 while the VM runs."""
    ssh_config: tuple[str, ...] = ()
    """Prints an ssh configuration that knows `ssh`."""
    create: tuple[str, ...] = ()
    """Makes the VM, when `exists` says that there is none."""
    exists: tuple[str, ...] = ()
    memory: float = 4
    ncpu: int = 2


_THERE = Paths("{home}")
"""The places, in the words of a preset."""
PRESETS: dict[str, Preset] = {
    "lima": Preset(
        ssh="lima-{name}",
        exists=("limactl", "list", "{name}"),
        create=(
            "limactl",
            "create",
            "--tty=false",
            "--name={name}",
            "--cpus={ncpu}",
            "--memory={memory}",
            "template://docker-rootful",
        ),
        start=("limactl", "start", "--tty=false", "{name}"),
        stop=("limactl", "stop", "{name}"),
        status=("limactl", "shell", "{name}", "true"),
        ssh_config=("limactl", "show-ssh", "--format=config", "{name}"),
    ),
    "colima": Preset(
        ssh="colima-{name}",
        start=(
            "colima",
            "start",
            "--profile",
            "{name}",
            "--runtime",
            "docker",
            "--cpu",
            "{ncpu}",
            "--memory",
            "{memory}",
        ),
        stop=("colima", "stop", "--profile", "{name}"),
        status=("colima", "status", "--profile", "{name}"),
        ssh_config=("colima", "ssh-config", "--profile", "{name}"),
    ),
    "docker-machine": Preset(
        ssh="{name}-machine",
        exists=("docker-machine", "inspect", "--format", "{{{{.Name}}}}", "{name}"),
        create=(
            "docker-machine",
            "create",
            "--driver",
            "virtualbox",
            "--virtualbox-memory",
            "{megabytes}",
            "--virtualbox-cpu-count",
            "{ncpu}",
            "{name}",
        ),
        start=("docker-machine", "start", "{name}"),
        stop=("docker-machine", "stop", "{name}"),
        status=("docker-machine", "ip", "{name}"),
        ssh_config=(
            "docker-machine",
            "inspect",
            "--format",
            "Host {name}-machine\n    HostName {{{{.Driver.IPAddress}}}}\n    User {{{{.Driver.SSHUser}}}}\n"
            "    IdentityFile {{{{.Driver.SSHKeyPath}}}}\n    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {_THERE.ssh}/known_hosts\n    StrictHostKeyChecking accept-new",
            "{name}",
        ),
    ),
    "boot2docker": Preset(
        ssh="docker@127.0.0.1:2022",
        create=("boot2docker", "init", "--memory={megabytes}", "--cpus={ncpu}"),
        exists=("boot2docker", "info"),
        start=("boot2docker", "up"),
        stop=("boot2docker", "down"),
        status=("boot2docker", "ip"),
    ),
    "multipass": Preset(
        ssh="ubuntu@{name}.mshome.net",
        exists=("multipass", "info", "{name}"),
        create=("multipass", "launch", "docker", "--name", "{name}", "--cpus", "{ncpu}", "--memory", "{megabytes}M"),
        start=("multipass", "start", "{name}"),
        stop=("multipass", "stop", "{name}"),
        status=("multipass", "exec", "{name}", "--", "true"),
    ),
    "qemu": Preset(
        ssh="root@127.0.0.1:2222",
        start=(
            "qemu-system-x86_64",
            "-name",
            "{name}",
            "-daemonize",
            "-display",
            "none",
            "-pidfile",
            f"{_THERE.vm}/qemu.pid",
            "-accel",
            "kvm",
            "-accel",
            "hvf",
            "-accel",
            "tcg",
            "-m",
            "{megabytes}",
            "-smp",
            "{ncpu}",
            "-drive",
            f"file={_THERE.vm}/disk.qcow2,if=virtio",
            "-serial",
            f"file:{_THERE.vm}/console.log",
            "-nic",
            "user,model=virtio,hostfwd=tcp:127.0.0.1:2222-:22",
        ),
        stop=("ssh", "-p", "2222", "root@127.0.0.1", "poweroff"),
        status=("ssh", "-p", "2222", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "root@127.0.0.1", "true"),
    ),
}


def filled_in(host: HostSettings, home: str) -> HostSettings:
    """`host` with what its preset knows in every key that is not set."""
    preset = PRESETS.get(host.preset)
    if preset is None:
        return host
    memory, ncpu = host.memory or preset.memory, host.ncpu or preset.ncpu
    words = partial(_words, home=home, memory=memory, ncpu=ncpu)
    return replace(
        host,
        ssh=host.ssh or words((preset.ssh,))[0],
        start=host.start or words(preset.start),
        stop=host.stop or words(preset.stop),
        status=host.status or words(preset.status),
        ssh_config=host.ssh_config or words(preset.ssh_config),
        memory=memory,
        ncpu=ncpu,
    )


def creation(host: HostSettings, home: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(question whether the VM exists, command that makes it) of the preset; both () where starting is enough.

    `host` is as the user set it: with a start command of his own, making the VM is his business too.
    """
    preset = PRESETS.get(host.preset)
    if preset is None or not preset.create or host.start:
        return (), ()
    words = partial(_words, home=home, memory=host.memory or preset.memory, ncpu=host.ncpu or preset.ncpu)
    return words(preset.exists), words(preset.create)


def _words(argv: tuple[str, ...], *, home: str, memory: float, ncpu: int) -> tuple[str, ...]:
    values = {
        "home": home,
        "name": VM_NAME,
        "memory": f"{memory:g}",
        "megabytes": str(round(memory * 1024)),
        "ncpu": str(ncpu),
    }
    return tuple(word.format(**values) for word in argv)
