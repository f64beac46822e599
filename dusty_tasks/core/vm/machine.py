"""The VM as settings describe it, what of a change has to wait for its next start, and qemu's command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dusty_tasks.core.vm.forwarding import Forward, forward_text
from dusty_tasks.core.vm.guest import ADDRESS, DATA, SEED, SYSTEM
from dusty_tasks.core.vm.recipe import ARCHITECTURES

MEMORY, NCPU, DISK = 2.0, 2, 20.0
"""Defaults: GiB, CPUs, and GiB of the data disk, whose file is sparse."""
HOSTNAME = "dusty"
NETDEV = "net0"
"""What the monitor calls the network."""
SSH_PORT = 22
KVM, EMULATED = "kvm", "tcg"
"""qemu's names: the processor itself runs the VM, or qemu imitates one."""


@dataclass(frozen=True)
class VmConfig:
    """What a VM is started with. It is noted beside the VM, so that a later change of the settings can be told."""

    memory: float = MEMORY
    """GiB."""
    ncpu: int = NCPU
    disk: float = DISK
    """GiB."""
    hostname: str = HOSTNAME
    network: str = "nat"
    daemon: dict[str, Any] = field(default_factory=dict)


LABELS = {
    "memory": "host.memory",
    "ncpu": "host.ncpu",
    "disk": "host.disk",
    "hostname": "host.hostname",
    "network": "host.network",
    "daemon": "host.daemon",
}
"""Field -> setting."""


def config_from_json(data: Any) -> VmConfig | None:
    """A config that was noted; None for what is none."""
    try:
        return VmConfig(**data)
    except TypeError:
        return None


def pending_changes(running: VmConfig, wanted: VmConfig) -> list[str]:
    """A sentence for each setting that differs from what the running VM was started with."""
    return [
        f"{LABELS[name]} is {_shown(new)} and the running VM has {_shown(old)}: it takes effect at the next start"
        for name in LABELS
        if (new := getattr(wanted, name)) != (old := getattr(running, name))
    ]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return f"{value:g}" if isinstance(value, float) else str(value) or "not set"


class Boot(NamedTuple):
    """What qemu is to start, as absolute paths."""

    folder: str
    """Of the VM: disks, console, pid."""
    system: str
    kernel: str
    initrd: str
    """'' for both of an image that brings its own boot loader."""
    architecture: str = "amd64"
    accelerator: str = EMULATED


class VmFiles(NamedTuple):
    """The places in the folder of a VM."""

    folder: str

    @property
    def data(self) -> str:
        """The disk that survives."""
        return f"{self.folder}/data.img"

    @property
    def seed(self) -> str:
        return f"{self.folder}/seed.img"

    @property
    def systems(self) -> str:
        """System disks, a folder a digest."""
        return f"{self.folder}/systems"

    @property
    def console(self) -> str:
        return f"{self.folder}/console.log"

    @property
    def former_console(self) -> str:
        """That of the start before."""
        return f"{self.folder}/console.former.log"

    @property
    def pid(self) -> str:
        return f"{self.folder}/qemu.pid"

    @property
    def key(self) -> str:
        """The key that opens the VM."""
        return f"{self.folder}/key"

    @property
    def host_key(self) -> str:
        """The VM's own, which is how it is known again."""
        return f"{self.folder}/host_key"

    @property
    def known_hosts(self) -> str:
        return f"{self.folder}/known_hosts"

    @property
    def ssh_config(self) -> str:
        return f"{self.folder}/ssh_config"

    @property
    def accelerator(self) -> str:
        """Whether the processor can run the VM itself, as it was tried once since this machine started."""
        return f"{self.folder}/accelerator.json"

    @property
    def running(self) -> str:
        """The config and the ssh port of the last start."""
        return f"{self.folder}/running.json"


MONITOR = "monitor"
"""The socket of qemu's monitor, in the VM's folder; named without it, because such a path has at most a hundred characters."""


def qemu_words(config: VmConfig, boot: Boot, forwards: tuple[Forward, ...]) -> list[str]:
    """The command that starts the VM and returns once its process goes on by itself. It has to be run in the VM's folder."""
    files, imitated = VmFiles(boot.folder), ARCHITECTURES[boot.architecture]
    kernel = ["-kernel", boot.kernel, "-initrd", boot.initrd] if boot.kernel else []
    append = f"root={SYSTEM} ro console={imitated.console},115200 loglevel=4 panic=10 net.ifnames=0"
    disks = {"system": (boot.system, SYSTEM), "data": (files.data, DATA), "seed": (files.seed, SEED)}
    words = [
        imitated.program,
        "-name",
        "guest=dusty,process=dusty-vm",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        imitated.machine,
        "-accel",
        boot.accelerator,
        "-cpu",
        "host" if boot.accelerator == KVM else "max",
        "-smp",
        str(config.ncpu),
        "-m",
        f"{round(config.memory * 1024)}M",
        "-rtc",
        "base=utc,clock=host",
        *kernel,
        *(["-append", append] if kernel else []),
    ]
    for name, (path, _device) in disks.items():
        read_only = ",readonly=on" if name == "seed" else ""
        words += ["-drive", f"if=none,id={name},format=raw,file={_in_option(path)}{read_only}"]
        words += ["-device", f"virtio-blk-pci,drive={name},serial=dusty-{name}"]
    network = "".join(f",hostfwd={forward_text(forward)}" for forward in forwards)
    words += ["-netdev", f"user,id={NETDEV},dhcpstart={ADDRESS}{network}"]
    words += ["-device", f"virtio-net-pci,netdev={NETDEV},romfile="]
    words += ["-device", "virtio-rng-pci"]
    words += ["-chardev", f"file,id=console,path={_in_option(files.console)}", "-serial", "chardev:console"]
    words += ["-qmp", f"unix:{MONITOR},server=on,wait=off"]
    return [*words, "-pidfile", files.pid, "-daemonize"]


def trial_words(boot: Boot) -> list[str]:
    """The command that boots the kernel alone by KVM: without a root it gives up, and qemu ends with it. Where KVM does not work it hangs."""
    imitated = ARCHITECTURES[boot.architecture]
    return [
        *(imitated.program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", imitated.machine, "-accel", KVM, "-cpu", "host", "-m", "256M"),
        *("-kernel", boot.kernel, "-append", "panic=-1"),
    ]


def _in_option(path: str) -> str:
    """A path in one of qemu's options, where a comma ends the value unless it is written twice."""
    return path.replace(",", ",,")
