"""The first process of a rig machine: makes its mounts, starts its engine (and sshd), and reaps until its stdin closes.

Started by machine.py in namespaces of its own (mount, net, pid, uts). Its root is an overlay over this machine's, kept
in memory: whatever is installed, added to /etc or put on / in there is gone with it. Shared with this machine, at the
same paths, are the folders it is told of. Its own are /run, /etc, /persist and everything else.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from select import select

MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 4096, 16384, 1 << 18, 2
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    if libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None):
        raise OSError(
            ctypes.get_errno(), f"mount {source} on {target} ({kind or flags}): {os.strerror(ctypes.get_errno())}"
        )


def make_root(new: str, lower: str, shared: list[str], hidden: list[str]) -> None:
    """Pivot into an overlay over `lower`; `shared` folders are this machine's, `hidden` ones are empty in there."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", new, "tmpfs", options="mode=755")
    for name in ("upper", "work", "root"):
        Path(new, name).mkdir()
    root = f"{new}/root"
    mount("overlay", root, "overlay", options=f"lowerdir={lower},upperdir={new}/upper,workdir={new}/work")
    for path in ("/run", *hidden):
        Path(root + path).mkdir(parents=True, exist_ok=True)
        mount("tmpfs", root + path, "tmpfs", options="mode=755")
    for path in ("/dev", "/sys", *shared):
        Path(root + path).mkdir(parents=True, exist_ok=True)
        mount(path, root + path, flags=MS_BIND | MS_REC)
    Path(root, "old").mkdir()
    mount("proc", f"{root}/proc", "proc")
    os.chdir(root)
    if libc.pivot_root(b".", b"old"):
        raise OSError(ctypes.get_errno(), "pivot_root")
    os.chdir("/")
    libc.umount2(b"/old", MNT_DETACH)
    os.rmdir("/old")


def settle(name: str) -> None:
    """A hosts file and a name of its own, loopback up, and none of this machine's leftovers that would be in the way."""
    Path("/etc/hosts").write_text(f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost\n")
    Path("/etc/hosts").chmod(0o644)
    Path("/run/lock").mkdir(exist_ok=True)
    Path("/proc/sys/kernel/hostname").write_text(name)
    raise_loopback()


def raise_loopback() -> None:
    """What `ip link set lo up` does, on a machine that has no ip yet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def start_engine(data_root: str, log: str) -> subprocess.Popen:
    argv = [
        "dockerd",
        "--data-root",
        data_root,
        "--exec-root",
        "/run/docker",
        "--pidfile",
        "/run/docker.pid",
        "-H",
        "unix:///run/docker.sock",
    ]
    with open(log, "ab") as file:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def wait_for_engine(engine: subprocess.Popen, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and engine.poll() is None:
        if (
            subprocess.run(
                ["docker", "-H", "unix:///run/docker.sock", "version"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return True
        time.sleep(0.1)
    return False


def start_sshd(folder: str) -> subprocess.Popen:
    """sshd with a host key and authorized_keys of its own, made by machine.py in `folder`."""
    Path("/run/sshd").mkdir(exist_ok=True)
    argv = [
        "/usr/sbin/sshd",
        "-D",
        "-e",
        "-h",
        f"{folder}/host_key",
        "-o",
        f"AuthorizedKeysFile={folder}/authorized_keys",
        "-o",
        "StrictModes=no",
        "-o",
        "PermitRootLogin=yes",
        "-o",
        "UsePAM=no",
        "-o",
        "PidFile=none",
        "-o",
        "MaxStartups=100",
        "-o",
        "MaxSessions=100",
    ]
    with open(f"{folder}/sshd.log", "ab") as file:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def reap_until_told() -> None:
    """Orphans of the whole machine end up here; end of stdin says that it is over."""
    while True:
        readable, _, _ = select([0], [], [], 0.2)
        if readable and not os.read(0, 1):
            return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def main() -> None:
    what = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Path(what["new_root"]).mkdir(parents=True, exist_ok=True)
    make_root(what["new_root"], what["lower"], what["shared"], what["hidden"])
    settle(what["name"])
    engine = None
    if what["data_root"]:
        engine = start_engine(what["data_root"], what["log"])
        if not wait_for_engine(engine, 60):
            print("no engine", flush=True)
            engine.terminate()
            engine.wait(20)
            sys.exit(1)
    if what["sshd"]:
        start_sshd(what["sshd"])
    print("ready", flush=True)
    reap_until_told()
    if engine:
        engine.terminate()
        try:
            engine.wait(20)
        except subprocess.TimeoutExpired:
            pass


if __name__ == "__main__":
    main()
