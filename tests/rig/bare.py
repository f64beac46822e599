"""A bare Debian machine with a way out: minbase from packages, no Python, no git, no Docker, its own /, /run and network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from machine import CACHE, ROOT, Machine

RELEASE = "bookworm"
PIP_CERT = "/etc/dusty-rig-pip.crt"
"""Not among the system's certificates: those are made anew when ca-certificates is installed."""


def debian_root(cache: Path = CACHE) -> Path:
    """The file system of a minimal RELEASE, made once by mmdebstrap from the mirrors that this machine uses."""
    root = cache / f"{RELEASE}-root"
    if not root.exists():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=sudo", RELEASE, str(fresh / "root")]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
        (fresh / "root").rename(root)
        fresh.rmdir()
    return root


class BareMachine(Machine):
    """The machine, a fresh clone of the checkout's HEAD at `clone`, and a user `ada` who may use sudo without a password."""

    def __init__(self) -> None:
        super().__init__(
            "bare", engine=False, hidden=["/var/lib/docker", "/var/lib/containerd", "/root/.cache"], lower=debian_root()
        )
        self.clone = self.folder / "dusty"

    def __enter__(self) -> BareMachine:
        super().__enter__()
        self._uplink = subprocess.Popen(
            ["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", str(self.pid), "tap0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(self.clone)], check=True)
        self.folder.chmod(0o755)
        self._write("/etc/resolv.conf", "nameserver 10.0.2.3\n")
        self._copy_pip_surroundings()
        self.run(["useradd", "--create-home", "--shell", "/bin/bash", "ada"])
        self._write("/etc/sudoers.d/ada", "ada ALL=(ALL) NOPASSWD: ALL\n")
        self.run(["chmod", "440", "/etc/sudoers.d/ada"])
        return self

    def stop(self) -> None:
        self._uplink.terminate()
        self._uplink.wait()
        super().stop()

    def _write(self, path: str, text: str) -> None:
        self.run(["sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "sh", path], input=text)

    def _copy_pip_surroundings(self) -> None:
        """Where this machine reaches its package index by a certificate or settings of its own, so does the bare one."""
        for path, target in ((os.environ.get("PIP_CERT"), PIP_CERT), ("/etc/pip.conf", "/etc/pip.conf")):
            if path and Path(path).is_file():
                self._write(target, Path(path).read_text())

    def pip_env(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name.startswith("PIP_") and name != "PIP_FIND_LINKS"
        }
        return {**kept, "PIP_CERT": PIP_CERT} if "PIP_CERT" in kept else kept

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        shutil.rmtree(self.folder, ignore_errors=True)
