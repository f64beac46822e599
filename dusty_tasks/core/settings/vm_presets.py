"""VM presets: what `host.preset` fills in for the other `host.*` keys (docs/docker-hosts.md). Data, not code.

In the words, `{home}`, `{name}`, `{memory}` (GiB), `{megabytes}`, `{ncpu}` and `{disk}` (GiB) stand for the settings' values.
"""

from __future__ import annotations

import math
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
    disk: float = 60


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
            "--disk={disk}",
            "template:docker-rootful",
        ),
        start=("limactl", "start", "--tty=false", "{name}"),
        stop=("limactl", "stop", "{name}"),
        status=("limactl", "shell", "{name}", "true"),
        # `limactl show-ssh` is deprecated in favour of the file that this names.
        ssh_config=(
            "sh",
            "-c",
            'cat "$(limactl list --format "{{{{.SSHConfigFile}}}}" "$1")"',
            "sh",
            "{name}",
        ),
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
            "--disk",
            "{disk}",
            "--activate=false",
        ),
        stop=("colima", "stop", "--profile", "{name}"),
        status=("colima", "status", "--profile", "{name}"),
        ssh_config=("colima", "ssh-config", "--profile", "{name}"),
    ),
    "multipass": Preset(
        ssh="ubuntu@{name}.mshome.net",
        exists=("multipass", "info", "{name}"),
        create=(
            "multipass",
            "launch",
            "docker",
            "--name",
            "{name}",
            "--cpus",
            "{ncpu}",
            "--memory",
            "{megabytes}M",
            "--disk",
            "{disk}G",
        ),
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
    memory, ncpu, disk = host.memory or preset.memory, host.ncpu or preset.ncpu, host.disk or preset.disk
    words = partial(_words, home=home, memory=memory, ncpu=ncpu, disk=disk)
    return replace(
        host,
        ssh=host.ssh or words((preset.ssh,))[0],
        start=host.start or words(preset.start),
        stop=host.stop or words(preset.stop),
        status=host.status or words(preset.status),
        ssh_config=host.ssh_config or words(preset.ssh_config),
        memory=memory,
        ncpu=ncpu,
        disk=disk,
    )


def creation(host: HostSettings, home: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(question whether the VM exists, command that makes it) of the preset; both () where starting is enough.

    `host` is as the user set it: with a start command of his own, making the VM is his business too.
    """
    preset = PRESETS.get(host.preset)
    if preset is None or not preset.create or host.start:
        return (), ()
    full = filled_in(host, home)
    words = partial(_words, home=home, memory=full.memory or 0, ncpu=full.ncpu or 0, disk=full.disk or 0)
    return words(preset.exists), words(preset.create)


def _words(argv: tuple[str, ...], *, home: str, memory: float, ncpu: int, disk: float) -> tuple[str, ...]:
    values = {
        "home": home,
        "name": VM_NAME,
        "memory": f"{memory:g}",
        "megabytes": str(round(memory * 1024)),
        "ncpu": str(ncpu),
        "disk": str(math.ceil(disk)),
    }
    return tuple(word.format(**values) for word in argv)
