"""Images for tests, made once from Debian's packages and kept as tar archives in the test cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dusty_tasks.effects.engine import root_archives  # noqa: E402

SMALL = ("busybox:1", "busybox:2")
"""Two names of one 2 MB image: what a test of a changed `image` needs."""

CLIENTS = ("ca-certificates", "curl", "nodejs", "python3-requests", "default-jdk-headless")
"""Packages of the image from which tests ask over https."""


def debian_archive(cache: Path, packages: tuple[str, ...]) -> Path:
    """The root archive of a Debian in which `packages` are installed, with all that their scripts do; made once by mmdebstrap."""
    import subprocess

    path = cache / f"debian-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}.tar"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", "bookworm"]
            subprocess.run([*argv, f"{folder}/root.tar"], check=True, stdin=subprocess.DEVNULL)
            os.replace(f"{folder}/root.tar", path)
    return path


def archive(cache: Path, packages: tuple[str, ...]) -> Path:
    """The root archive of `packages`, from the cache or made now (which needs the network and takes seconds)."""
    path = cache / f"root-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}.tar"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            os.replace(root_archives.write_root_archive(Path(folder), packages), path)
    return path


def busybox_archive(cache: Path) -> Path:
    """A root of the static busybox with a link per applet."""
    path = cache / "busybox.tar"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            os.replace(_make_busybox(Path(folder)), path)
    return path


def _make_busybox(folder: Path) -> Path:
    import subprocess

    binary = shutil.which("busybox")
    if not binary:
        raise RuntimeError("busybox-static is not installed: ./check installs what tests/rig/packages.txt names")
    root = folder / "root"
    for name in ("bin", "etc", "tmp", "proc", "dev", "var/log", "root", "usr/bin"):
        (root / name).mkdir(parents=True)
    shutil.copy(binary, root / "bin/busybox")
    for applet in subprocess.run([binary, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    subprocess.run(["tar", "-C", root, "--owner=0", "--group=0", "-cf", folder / "root.tar", "."], check=True)
    return folder / "root.tar"
