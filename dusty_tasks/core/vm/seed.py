"""What makes one VM differ from another: its name, its keys and its engine's settings, as a tar file that qemu shows as a disk.

An image that a user names gets the same as NoCloud data (https://docs.cloud-init.io, "NoCloud").
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any, NamedTuple

SECTOR = 512
ALIAS = "dusty-vm"
"""What ssh calls the VM."""


class Keys(NamedTuple):
    """The texts of the keys, made here once."""

    authorized: str
    """The public key that opens the VM."""
    host_private: str
    host_public: str


def seed_files(hostname: str, daemon: Mapping[str, Any], keys: Keys) -> dict[str, tuple[str, int]]:
    """Path below / -> (text, mode)."""
    return {
        "etc/hostname": (f"{hostname}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n::1 localhost ip6-localhost\n", 0o644),
        "etc/docker/daemon.json": (daemon_text(daemon), 0o644),
        "etc/ssh/ssh_host_ed25519_key": (keys.host_private, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (keys.host_public, 0o644),
        "root/.ssh/authorized_keys": (keys.authorized, 0o600),
    }


def daemon_text(daemon: Mapping[str, Any]) -> str:
    return json.dumps(daemon, indent=4, sort_keys=True) + "\n"


def seed_disk(files: Mapping[str, tuple[str, int]]) -> bytes:
    """A tar file, which is also a disk: whole sectors, all of root's, no times."""
    folders = {folder: 0o700 if folder == "root/.ssh" else 0o755 for path in files for folder in _folders(path)}
    folders["root"] = 0o700
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, mode in sorted(folders.items()):
            archive.addfile(_entry(path, mode, tarfile.DIRTYPE))
        for path, (text, mode) in sorted(files.items()):
            data = text.encode()
            entry = _entry(path, mode, tarfile.REGTYPE)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue() + bytes(-len(out.getvalue()) % SECTOR)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _entry(path: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.type, entry.uname, entry.gname = mode, kind, "root", "root"
    return entry


def known_hosts_text(keys: Keys) -> str:
    return f"{ALIAS} {' '.join(keys.host_public.split()[:2])}\n"


def ssh_config_text(folder: str, port: int) -> str:
    """How ssh reaches the VM: by its own key, and only if the VM shows the key that was made for it."""
    return "\n".join(
        [
            f"Host {ALIAS}",
            "    HostName 127.0.0.1",
            f"    Port {port}",
            "    User root",
            f"    IdentityFile {_in_ssh(f'{folder}/key')}",
            "    IdentitiesOnly yes",
            "    IdentityAgent none",
            f"    HostKeyAlias {ALIAS}",
            f"    UserKnownHostsFile {_in_ssh(f'{folder}/known_hosts')}",
            "    GlobalKnownHostsFile /dev/null",
            "    StrictHostKeyChecking yes",
            "    CheckHostIP no",
            "    UpdateHostKeys no",
            "",
        ]
    )


def _in_ssh(path: str) -> str:
    """A path in ssh's configuration, where `%` begins a token and quotes hold blanks together."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
