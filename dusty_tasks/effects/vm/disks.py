"""The data disk and the seed of a VM, and its keys: what lies in its folder beside the system disk."""

from __future__ import annotations

import os
from contextlib import suppress

from dusty_tasks.core.text.wording import GIB
from dusty_tasks.core.vm.machine import VmConfig, VmFiles
from dusty_tasks.core.vm.recipe import data_disk_words
from dusty_tasks.core.vm.seed import Keys, known_hosts_text, seed_disk, seed_files, ssh_config_text
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import write_if_changed


def ensure_data_disk(path: str, gib: float, env: dict[str, str]) -> str:
    """Make the data disk, or let it grow to `gib`; what was done, in words. It never shrinks: a smaller number changes nothing."""
    size = round(gib * GIB)
    try:
        found = os.stat(path).st_size
    except FileNotFoundError:
        _make_data_disk(path, size, env)
        return f"made the data disk, {gib:g} GiB (its file grows with what is written)"
    if found < size:
        os.truncate(path, size)
        return f"the data disk grows from {found / GIB:g} to {gib:g} GiB"
    return f"the data disk stays at {found / GIB:g} GiB: it is never made smaller" if found > size else ""


def _make_data_disk(path: str, size: int, env: dict[str, str]) -> None:
    """Under another name first: a disk that a killed run left without a file system must not be taken for the data."""
    fresh = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(fresh)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.truncate(size)
    process.run(data_disk_words(fresh), env=env, check=True)
    os.rename(fresh, path)


def ensure_keys(files: VmFiles) -> Keys:
    """The keys of the VM, made at the first call. Raises ToolFailed without ssh-keygen."""
    os.makedirs(files.folder, mode=0o700, exist_ok=True)
    os.chmod(files.folder, 0o700)
    for path in (files.key, files.host_key):
        if not (os.path.isfile(path) and os.path.isfile(f"{path}.pub")):
            for each in (path, f"{path}.pub"):
                with suppress(FileNotFoundError):
                    os.unlink(each)
            process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dusty", "-f", path], check=True)
    return Keys(_text(f"{files.key}.pub"), _text(files.host_key), _text(f"{files.host_key}.pub"))


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_seed(files: VmFiles, config: VmConfig, keys: Keys) -> None:
    """Write what this start gives the VM."""
    data = seed_disk(seed_files(config.hostname, config.daemon, keys))
    write_if_changed(files.seed, data, 0o600)


def write_ssh_config(files: VmFiles, keys: Keys, port: int) -> None:
    """Write how ssh reaches the VM, for whoever asks from now on."""
    write_if_changed(files.known_hosts, known_hosts_text(keys).encode(), 0o600)
    write_if_changed(files.ssh_config, ssh_config_text(files.folder, port).encode("utf-8", "surrogateescape"), 0o600)


def check_writable(folder: str) -> None:
    """Raise Failure if the VM's folder cannot be made."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder} cannot be made: {error.strerror}", code=2) from error
