"""Root file systems for images, unpacked from Debian's packages.

apt downloads these into a private folder: no root rights, no chroot, and nothing of this machine's package state is touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed


def write_root_archive(folder: Path, packages: Iterable[str]) -> Path:
    """A tar of a root file system with `packages` and all that they depend on, made below `folder`. Raises Failure, ToolFailed."""
    for program in ("apt-get", "dpkg-deb", "tar"):
        if not shutil.which(program):
            raise Failure(
                f"a stand-in image is built from Debian's packages, and there is no {program} here",
                "check your network connection to the registry, or load the image by hand with `docker load`",
            )
    root, archive = folder / "root", folder / "root.tar"
    root.mkdir()
    for package in _download(folder, packages):
        process.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    _merge_usr(root)
    _finish(root)
    process.run(
        [
            "tar",
            "-C",
            str(root),
            "--numeric-owner",
            "--owner=0",
            "--group=0",
            "--exclude=./usr/share/doc/*",
            "--exclude=./usr/share/man/*",
            "--exclude=./usr/share/locale/*",
            "-cf",
            str(archive),
            ".",
        ],
        check=True,
    )
    return archive


def _download(folder: Path, packages: Iterable[str]) -> list[Path]:
    """The .deb files of `packages` and their dependencies, by an apt that believes nothing is installed yet.

    The machine's own package lists are read; where there are none (a slim container), lists are fetched into `folder`.
    """
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    settings = {
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": 0,
        "APT::Install-Suggests": 0,
    }
    fetch = ["-y", "-qq", "--download-only", "install", *packages]
    if _apt_get(settings, fetch).code:
        settings["Dir::State::Lists"] = folder / "lists"
        _apt_get(settings, ["-qq", "update"])
        done = _apt_get(settings, fetch)
        if done.code:
            raise ToolFailed(["apt-get", *fetch], done.code, done.err or done.out)
    return sorted((folder / "cache/archives").glob("*.deb"))


def _apt_get(settings: dict[str, object], words: list[str]) -> process.Finished:
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    return process.run(["apt-get", *options, *words], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def _merge_usr(root: Path) -> None:
    """Unpacking leaves /bin, /lib and the like as folders of their own; Debian's installer makes them links into /usr."""
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        if (root / name).is_dir() and not (root / name).is_symlink():
            shutil.copytree(root / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(root / name)
        if (root / "usr" / name).is_dir() and not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")


def _finish(root: Path) -> None:
    """What the packages' own scripts would have done, as far as a container needs it."""
    accounts = root / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        if (accounts / f"{name}.master").exists():
            shutil.copy(accounts / f"{name}.master", root / "etc" / name)
    modules = root / "usr/share/nginx/modules-available"
    for module in modules.glob("*.conf"):
        (root / "etc/nginx/modules-enabled").mkdir(parents=True, exist_ok=True)
        (root / "etc/nginx/modules-enabled" / f"50-{module.name}").symlink_to(
            f"/usr/share/nginx/modules-available/{module.name}"
        )
    for name in ("access", "error") if (root / "var/log/nginx").is_dir() else ():
        # As in nginx's own image: what it logs is what `docker logs` shows.
        (root / f"var/log/nginx/{name}.log").unlink(missing_ok=True)
        (root / f"var/log/nginx/{name}.log").symlink_to("/dev/stdout" if name == "access" else "/dev/stderr")
    if (root / "usr/bin/mawk").exists() and not (root / "usr/bin/awk").exists():
        (root / "usr/bin/awk").symlink_to("mawk")
