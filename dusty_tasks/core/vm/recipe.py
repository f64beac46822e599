"""The recipe of the system disk: Debian packages and our files. Its digest decides whether the disk is built anew; all of it here is pure."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import NamedTuple

from dusty_tasks.core.vm.guest import FILES, GuestFile

SYSTEM_GIB = 4
"""Size of the system disk; the file is sparse."""
EPOCH = 1_700_000_000
"""SOURCE_DATE_EPOCH: no file of the disk is younger, so the same packages give the same disk."""
VOLUME_ID = "6b8f2ad4-27c3-4a43-9f0e-d5a1c2b35d16"
"""The file system's id, and the seed of its directory hashes: constant for the same reason."""
ESTIMATED_MINUTES = (2, 5)
"""What building took: on an idle machine of two cores, and on a busy one. The download comes on top."""
INITRD_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")

PACKAGES = (
    "ca-certificates",
    "docker.io",
    "e2fsprogs",
    "initramfs-tools",
    "iproute2",
    "iptables",
    "kmod",
    "openssh-server",
    "procps",
    "rsync",
    "sysvinit-core",
)
CLIENTS = {"bullseye": (), "bookworm": ()}
"""Debian 12 and older have the docker client in docker.io; later ones split it off."""


class Architecture(NamedTuple):
    """What differs between the machines that qemu imitates."""

    kernel: str
    """Debian's package."""
    program: str
    """qemu's."""
    machine: str
    console: str


ARCHITECTURES = {
    "amd64": Architecture("linux-image-cloud-amd64", "qemu-system-x86_64", "q35", "ttyS0"),
    "arm64": Architecture("linux-image-cloud-arm64", "qemu-system-aarch64", "virt", "ttyAMA0"),
}
"""By Debian's name."""


MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""What a kernel calls an architecture -> Debian's name."""


class Recipe(NamedTuple):
    """What makes the system disk."""

    release: str
    """Debian's code name."""
    architecture: str
    packages: tuple[str, ...]
    files: tuple[GuestFile, ...]
    size_gib: int = SYSTEM_GIB

    @property
    def digest(self) -> str:
        """Of all that the disk is made of, except for which mirror the packages come from."""
        return hashlib.sha256(json.dumps([*self, EPOCH, VOLUME_ID, INITRD_MODULES]).encode()).hexdigest()[:16]


def recipe(release: str, architecture: str) -> Recipe:
    """The recipe of a Debian release for an architecture of ARCHITECTURES. Raises KeyError for another."""
    client = CLIENTS.get(release, ("docker-cli",))
    packages = sorted({*PACKAGES, *client, ARCHITECTURES[architecture].kernel})
    console = ARCHITECTURES[architecture].console
    files = tuple(each._replace(text=each.text.replace("ttyS0", console)) for each in FILES)
    return Recipe(release, architecture, tuple(packages), files)


def mmdebstrap_words(made: Recipe, sources: tuple[str, ...], folder: str, out: str) -> list[str]:
    """The command that makes the root as a tar file at `out`. `folder` holds our files as the disk has them, `sources` are lines of a sources list."""
    modules = "\\n".join(INITRD_MODULES)
    before = (
        'mkdir -p "$1/etc/initramfs-tools/conf.d" && '
        f"printf '{modules}\\n' >\"$1/etc/initramfs-tools/modules\" && "
        "printf 'MODULES=list\\nCOMPRESS=gzip\\nRESUME=none\\n' >\"$1/etc/initramfs-tools/conf.d/dusty\""
    )
    after = f'cp -R --preserve=mode {shlex.quote(folder)}/. "$1/" && rm -f "$1"/etc/ssh/ssh_host_* && : >"$1/etc/machine-id"'
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--architectures={made.architecture}",
        f"--include={','.join(made.packages)}",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--essential-hook={before}",
        f"--customize-hook={after}",
        "--format=tar",
        made.release,
        out,
        *sources,
    ]


def mke2fs_words(made: Recipe, root: str, image: str) -> list[str]:
    """The command that makes the disk out of the folder `root`."""
    return [
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        "dusty-system",
        "-U",
        VOLUME_ID,
        "-E",
        f"hash_seed={VOLUME_ID}",
        "-d",
        root,
        image,
        f"{made.size_gib}G",
    ]


def data_disk_words(image: str) -> list[str]:
    """The command that makes the file system of the data disk, in a file that has its size already."""
    return ["mke2fs", "-q", "-F", "-t", "ext4", "-L", "dusty-data", "-m", "1", image]
