"""Brings what the tests need onto a bare machine: packages of packages.txt, Compose v2, images in the test cache.

    python tests/rig/provide.py [fast | all | long] [--yes]

`fast` is for the tests that need neither root nor an engine: a few programs, where they are not here. Without root, or without
a yes, it says what it would have installed and ends with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

import images  # noqa: E402
from machine import CACHE, COMPOSE  # noqa: E402

from dusty_tasks.core.of_verbs import provision  # noqa: E402
from dusty_tasks.effects.engine.images import PACKAGES  # noqa: E402
from dusty_tasks.effects.machine import packages  # noqa: E402

PROGRAMS = {"git": "git", "rsync": "rsync", "ssh": "openssh-client"}
"""What the fast tests start, and the packages that have it."""


LONG_PROGRAMS = {"node": "nodejs", "javac": "default-jdk-headless", "certutil": "libnss3-tools"}
"""The same for the tests with the marker `long`."""


def missing_programs(programs: dict[str, str] = PROGRAMS) -> list[str]:
    return sorted(package for program, package in programs.items() if not shutil.which(program))


def missing_packages() -> list[str]:
    wanted = Path(__file__).with_name("packages.txt").read_text().split()
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    installed = {name for name, status in (line.split() for line in shown.splitlines()) if status == "installed"}
    return sorted(set(wanted) - installed)


def provide_packages(names: list[str]) -> None:
    """Install what is missing, after asking. CI has nobody to ask, and its machines are thrown away."""
    if not names:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(names)}"
    yes = "--yes" in sys.argv or bool(os.environ.get("CI"))
    if not yes and os.geteuid() == 0 and sys.stdin.isatty():
        yes = input(f"./check needs packages that are not here. Run `{command}`? [y/N] ").strip().lower() in (
            "y",
            "yes",
        )
    if not yes or os.geteuid():
        sys.exit(f"./check needs packages that are not here: {command}")
    install(names)


def install(names: list[str]) -> None:
    """Services that packages bring are not started: RUNLEVEL=1 is how invoke-rc.d is told."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    print(f"installing {' '.join(names)}", flush=True)
    for words in (["update"], ["install", "-y", "--no-install-recommends", *names]):
        done = subprocess.run(["apt-get", "-qq", *words], env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"apt-get {words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def provide_compose() -> None:
    """The same steps that a user's first run takes, but into the test cache."""
    if COMPOSE.exists() or any(os.access(f"{folder}/docker-compose", os.X_OK) for folder in packages.PLUGIN_FOLDERS):
        return
    machine = packages.read_machine(CACHE)._replace(docker_config=str(COMPOSE.parent.parent))
    for step in provision.plan_provision(machine, [provision.COMPOSE]).steps:
        packages.run_step(step, machine, lambda line: None)


def provide_programs() -> None:
    """What the fast tests need, on any system."""
    names = missing_programs()
    if names and not shutil.which("apt-get"):
        sys.exit(f"./check fast needs {' and '.join(names)}")
    provide_packages(names)


def provide_all() -> None:
    """What all tests need."""
    if not shutil.which("apt-get"):
        sys.exit("The whole of ./check needs Debian or Ubuntu; `./check fast` runs anywhere.")
    if os.geteuid():
        sys.exit("The whole of ./check needs root, for its namespaces; `./check fast` does not.")
    is_long = "long" in sys.argv
    provide_packages([*missing_packages(), *(missing_programs(LONG_PROGRAMS) if is_long else ())])
    provide_compose()
    images.busybox_archive(CACHE)
    images.archive(CACHE, PACKAGES)
    if is_long:
        images.debian_archive(CACHE, images.CLIENTS)


if __name__ == "__main__":
    provide_programs() if "fast" in sys.argv else provide_all()
