"""Building the system disk of a VM from Debian's packages, and keeping it for the next start. Nothing here needs root."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from dusty_tasks.core.vm.machine import VmFiles
from dusty_tasks.core.vm.recipe import EPOCH, Recipe, mke2fs_words, mmdebstrap_words
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

IMAGE, KERNEL, INITRD, SECONDS = "system.img", "kernel", "initrd", "seconds"
"""In the folder of a system disk; the last says how long its building took."""
PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
STAGES = {
    "I: running apt-get update": "reading the lists of packages",
    "I: downloading packages with apt": "downloading the base system",
    "I: installing essential packages": "installing the base system",
    "I: installing remaining packages": "installing the kernel, the engine, sshd and rsync",
    "I: running --customize-hook": "adding Dusty's files",
    "I: creating tarball": "packing",
}
"""What mmdebstrap prints at the begin of a stage -> what it is doing."""
ROOM = 3 << 30
"""Bytes that building needs for a while."""


class System(NamedTuple):
    """A system disk that is ready to start."""

    image: str
    kernel: str
    initrd: str


def system_of(folder: str) -> System:
    return System(f"{folder}/{IMAGE}", f"{folder}/{KERNEL}", f"{folder}/{INITRD}")


def built_system(files: VmFiles, digest: str) -> System | None:
    """The system disk of that digest; None if it is not built."""
    found = system_of(f"{files.systems}/{digest}")
    return found if all(map(os.path.isfile, found)) else None


def last_seconds(files: VmFiles) -> int:
    """How long building took here the last time, 0 if nobody knows."""
    with suppress(OSError, ValueError):
        for name in sorted(os.listdir(files.systems)):
            with open(f"{files.systems}/{name}/{SECONDS}", encoding="ascii") as file:
                return int(file.read())
    return 0


def build_system(
    files: VmFiles,
    made: Recipe,
    sources: Sequence[str],
    plugin: str,
    env: Mapping[str, str],
    on_stage: Callable[[str], None],
) -> System:
    """Build the disk and put it in its place, whole; former ones are removed.

    `sources` are lines of a sources list, `plugin` is the Compose plugin of this machine ('' for none), `env` finds the tools.

    Raises ToolFailed with the tool's last lines, Failure where there is too little room.
    """
    began, staging = time.monotonic(), f"{files.systems}/.building"
    with suppress(FileNotFoundError):
        _remove_tree(staging)
    os.makedirs(staging, mode=0o700)
    free = shutil.disk_usage(staging).free
    if free < ROOM:
        raise Failure(
            f"building the VM's system disk needs {ROOM >> 30} GiB in {files.systems}, and {free / (1 << 30):.1f} are free",
            "make room there",
            code=2,
        )
    try:
        _write_files(f"{staging}/files", made, plugin)
        _make_root(staging, made, sources, env, on_stage)
        on_stage("writing the disk")
        _make_image(staging, made, env)
        for name in ("files", "root.tar"):
            _remove_tree(f"{staging}/{name}")
        with open(f"{staging}/{SECONDS}", "w", encoding="ascii") as file:
            file.write(str(round(time.monotonic() - began)))
        place = f"{files.systems}/{made.digest}"
        with suppress(FileNotFoundError):
            _remove_tree(place)
        os.rename(staging, place)
    except BaseException:
        _remove_tree(staging)
        raise
    remove_other_systems(files, made.digest)
    return system_of(place)


def remove_other_systems(files: VmFiles, digest: str) -> None:
    """Remove the system disks of other recipes: they hold nothing that is not made anew."""
    for name in os.listdir(files.systems):
        if name != digest:
            _remove_tree(f"{files.systems}/{name}")


def _remove_tree(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _write_files(folder: str, made: Recipe, plugin: str) -> None:
    os.makedirs(folder, mode=0o755)
    for each in made.files:
        path = folder + each.path
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(each.text)
        os.chmod(path, each.mode)
    if plugin:
        os.makedirs(os.path.dirname(f"{folder}/{PLUGIN}"), mode=0o755, exist_ok=True)
        shutil.copy(plugin, f"{folder}/{PLUGIN}")
        os.chmod(f"{folder}/{PLUGIN}", 0o755)


def _make_root(
    staging: str, made: Recipe, sources: Sequence[str], env: Mapping[str, str], on_stage: Callable[[str], None]
) -> None:
    def follow(line: str) -> None:
        for begin, stage in STAGES.items():
            if line.startswith(begin):
                on_stage(stage)

    words = mmdebstrap_words(made, tuple(sources), f"{staging}/files", f"{staging}/root.tar")
    process.run(words, env=_reproducibly(env), check=True, on_line=follow)


def _make_image(staging: str, made: Recipe, env: Mapping[str, str]) -> None:
    """Unpack the root with all its owners, which takes fakeroot where we are not root, and make the disk out of it."""
    root = f"{staging}/root"
    mke2fs = shlex.join(mke2fs_words(made, root, f"{staging}/{IMAGE}"))
    script = f"mkdir {shlex.quote(root)} && tar -xpf {shlex.quote(f'{staging}/root.tar')} --numeric-owner -C {shlex.quote(root)} && {mke2fs}"
    words = ["sh", "-c", script]
    process.run(words if os.geteuid() == 0 else ["fakeroot", *words], env=_reproducibly(env), check=True)
    for name, found in ((KERNEL, "vmlinuz"), (INITRD, "initrd.img")):
        versions = sorted(each for each in os.listdir(f"{root}/boot") if each.startswith(f"{found}-"))
        if not versions:
            raise ToolFailed(["mmdebstrap"], 1, f"the root has no {found}")
        shutil.copy(f"{root}/boot/{versions[-1]}", f"{staging}/{name}")
        os.chmod(f"{staging}/{name}", 0o600)
    _remove_tree(root)


def _reproducibly(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(EPOCH), "E2FSPROGS_FAKE_TIME": str(EPOCH)}
