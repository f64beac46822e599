"""Brings what the tests need onto a bare machine: packages of packages.txt, Compose v2, images in the test cache.

    python tests/rig/provide.py [--yes]

Without root, or without --yes on a terminal's refusal, it says what it would have done and ends with 1.
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

from dusty_tasks.core import provision  # noqa: E402
from dusty_tasks.effects import packages  # noqa: E402
from dusty_tasks.effects.images import PACKAGES  # noqa: E402


def missing_packages() -> list[str]:
    wanted = Path(__file__).with_name("packages.txt").read_text().split()
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted], capture_output=True, text=True, check=False).stdout
    installed = {name for name, status in (line.split() for line in shown.splitlines()) if status == "installed"}
    return sorted(set(wanted) - installed)


def agreed(names: list[str], yes: bool) -> bool:
    command = f"apt-get install -y --no-install-recommends {' '.join(names)}"
    if os.geteuid():
        print(f"The whole of ./check needs root, and these packages: {command}\n`./check fast` needs neither.", file=sys.stderr)
        return False
    if yes or not sys.stdin.isatty():
        return yes
    return input(f"./check needs packages that are not here. Run `{command}`? [y/N] ").strip().lower() in ("y", "yes")


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


def main() -> int:
    if not shutil.which("apt-get"):
        sys.exit("The whole of ./check needs Debian or Ubuntu; `./check fast` runs anywhere.")
    if names := missing_packages():
        # CI has nobody to ask, and its machines are thrown away.
        if not agreed(names, "--yes" in sys.argv or bool(os.environ.get("CI"))):
            return 1
        install(names)
    elif os.geteuid():
        print("The whole of ./check needs root, for its namespaces; `./check fast` does not.", file=sys.stderr)
        return 1
    provide_compose()
    images.busybox_archive(CACHE)
    images.archive(CACHE, PACKAGES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
