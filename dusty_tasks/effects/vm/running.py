"""qemu's process: started, found again, asked to end, killed; its console; and whether it may open a port."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from dusty_tasks.core.vm.forwarding import (
    Forward,
    ForwardPlan,
    add_command,
    found_forwards,
    is_removed,
    remove_command,
)
from dusty_tasks.core.vm.machine import EMULATED, KVM, MONITOR, NETDEV, Boot, VmFiles, trial_words
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed
from dusty_tasks.effects.vm.monitor import Monitor, MonitorGone, connected

CONSOLE_LINES = 12
"""Of the console, where a start fails."""
PROCESSES = "/proc"


def pid_of(files: VmFiles) -> int:
    """The pid of the VM's qemu, 0 if it does not run. A pid that belongs to another program by now counts for nothing."""
    try:
        with open(files.pid, encoding="ascii") as file:
            pid = int(file.read())
    except (OSError, ValueError):
        return 0
    return pid if _is_ours(pid, files) else 0


def _is_ours(pid: int, files: VmFiles) -> bool:
    words = _words_of(pid)
    if words is None:  # no /proc here
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    return files.pid in words


def _words_of(pid: int) -> list[str] | None:
    """The command line of a process: empty for one that is gone or is being buried, None where nobody knows."""
    if not os.path.isdir(f"{PROCESSES}/self"):
        return None
    try:
        with open(f"{PROCESSES}/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return []


class Stray(NamedTuple):
    """A VM of Dusty's that is not the one in question."""

    pid: int
    folder: str


def other_vms(files: VmFiles) -> list[Stray]:
    """VMs of Dusty's that run on this machine from other folders, or from this one without being known here any more."""
    found, own = [], pid_of(files)
    for name in os.listdir(PROCESSES) if os.path.isdir(PROCESSES) else ():
        if not name.isdigit() or int(name) == own:
            continue
        words = _words_of(int(name)) or []
        if "guest=dusty,process=dusty-vm" in words and "-pidfile" in words:
            found.append(Stray(int(name), os.path.dirname(words[words.index("-pidfile") + 1])))
    return sorted(found)


def launch(files: VmFiles, words: Sequence[str], env: Mapping[str, str]) -> None:
    """Start qemu; it goes on by itself. Raises ToolFailed with qemu's last lines."""
    for path in (files.pid, f"{files.folder}/{MONITOR}"):
        with suppress(FileNotFoundError):
            os.unlink(path)
    with suppress(FileNotFoundError):
        os.replace(files.console, files.former_console)
    with open(os.open(files.console, os.O_WRONLY | os.O_CREAT, 0o600), "wb"):
        pass
    process.run(words, cwd=files.folder, env=dict(env), check=True)


def quit_now(files: VmFiles, patience: float = 5.0) -> None:
    """End qemu at once, as pulling the plug does: by its monitor, else by a signal."""
    with suppress(MonitorGone), connected(files.folder) as monitor:
        monitor.execute("quit")
    if wait_until_gone(files, patience) and (pid := pid_of(files)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_until_gone(files, patience)


def wait_until_gone(files: VmFiles, seconds: float) -> bool:
    """Wait for qemu to end; True if it still runs after `seconds`."""
    deadline = time.monotonic() + seconds
    while pid_of(files):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False


def console_lines(files: VmFiles, count: int = CONSOLE_LINES) -> list[str]:
    """The last lines that the VM printed."""
    try:
        with open(files.console, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 16384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-count:]


def free_port() -> int:
    """A port of this machine's loopback that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_port_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_open_port() -> int:
    """The first port that every account may open."""
    try:
        with open(f"{PROCESSES}/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024


KVM_CREATE_VM = 0xAE01
"""The kernel's number of that request (linux/kvm.h)."""


def has_kvm() -> bool:
    """True if this account may let the processor itself run the VM: the device may be there, and the processor not able to."""
    import fcntl

    try:
        device = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.close(fcntl.ioctl(device, KVM_CREATE_VM, 0))
    except OSError:
        return False
    finally:
        os.close(device)
    return True


TRIAL_SECONDS = 10.0
"""For a kernel to give up that finds no root: it takes one where KVM works."""


def find_accelerator(files: VmFiles, boot: Boot, env: Mapping[str, str]) -> str:
    """KVM if a kernel really boots by it, tried once since this machine started; else EMULATED.

    A VM of a cloud may have the device, and open it, and still not run a 64-bit kernel.
    """
    if not has_kvm():
        return EMULATED
    tried = json.dumps([_boot_of_this_machine(), boot.kernel])
    noted = _json(read_bytes(files.accelerator))
    if noted.get("tried") == tried:
        return str(noted.get("found"))
    done = process.run(trial_words(boot), env=dict(env), timeout=TRIAL_SECONDS)
    found = KVM if done.code == 0 else EMULATED
    write_if_changed(files.accelerator, json.dumps({"tried": tried, "found": found}).encode(), 0o600)
    return found


def _boot_of_this_machine() -> str:
    return (read_bytes(f"{PROCESSES}/sys/kernel/random/boot_id") or b"").decode().strip()


def _json(data: bytes | None) -> dict[str, Any]:
    try:
        return dict(json.loads(data or b"{}"))
    except (ValueError, TypeError):
        return {}


CAP_NET_BIND_SERVICE = 10


def may_open_all(program: str) -> bool:
    """True if qemu, started by this process, may open every port: by root's rights, or by those of the program's file."""
    try:
        with open(f"{PROCESSES}/self/status", encoding="ascii") as file:
            line = next(each for each in file if each.startswith("CapEff:"))
        if int(line.split()[1], 16) >> CAP_NET_BIND_SERVICE & 1:
            return True
    except (OSError, StopIteration, ValueError):
        return os.geteuid() == 0
    try:
        rights = os.getxattr(program, "security.capability")
    except OSError:
        return False
    # struct vfs_cap_data: 4 bytes of version, then the permitted and inheritable sets by 32 bits.
    return bool(int.from_bytes(rights[4:8], "little") >> CAP_NET_BIND_SERVICE & 1)


def read_forwards(files: VmFiles) -> tuple[Forward, ...]:
    """What leads into the VM now. Raises MonitorGone."""
    with connected(files.folder) as monitor:
        return found_forwards(monitor.told("info usernet"))


def apply_forwards(files: VmFiles, plan: ForwardPlan) -> list[tuple[Forward, str]]:
    """Do it; (forward, qemu's words) for each that failed. Raises MonitorGone."""
    failed = []
    with connected(files.folder) as monitor:
        for forward in plan.remove:
            answer = monitor.told(remove_command(NETDEV, forward))
            if not is_removed(answer):
                failed.append((forward, answer))
        for forward in plan.add:
            if answer := _opened(monitor, forward):
                failed.append((forward, answer))
    return failed


def _opened(monitor: Monitor, forward: Forward) -> str:
    try:
        return monitor.told(add_command(NETDEV, forward))
    except MonitorGone:
        raise
    except Failure as refused:
        return refused.what
