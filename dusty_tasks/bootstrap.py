"""Makes .venv beside this package and installs requirements files into it.

`./dusty` and `./check` run this file by its path with the system's Python, before anything is installed: so it
imports the standard library alone, and nothing of Dusty's.

A copy of each requirements file in .venv is the record of what was installed; it is written last, so a run that was
killed is done again. The venv is made in place, not renamed into it, because the scripts in its bin/ name it.
"""

import fcntl
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)


def say(what: str) -> None:
    print(f"dusty: {what}", file=sys.stderr, flush=True)


def is_installed(venv_path: Path, requirements: Path) -> bool:
    """True if the last thing that was installed from `requirements` is what it says now."""
    record = venv_path / requirements.name
    return (venv_path / "bin/python").exists() and record.is_file() and record.read_bytes() == requirements.read_bytes()


def wait_for_turn(lock_path: Path) -> TextIO:
    """The lock that one of two first starts holds while the other waits; the kernel frees it when its holder dies."""
    lock = lock_path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another run is creating .venv: waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def works(venv_path: Path) -> bool:
    """True if its Python starts, is new enough, and has pip: false for a killed start, or after the system's upgrade."""
    python = venv_path / "bin/python"
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    return python.exists() and subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0


def make_venv(venv_path: Path) -> None:
    """A fresh venv with pip in place of what is there."""
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(venv_path)


def link_package(venv_path: Path) -> None:
    """A line in the venv by which `-m dusty_tasks` is found from any folder.

    It is relative to site-packages, so a checkout that was moved goes on working.
    """
    site_packages = next((venv_path / "lib").glob("python*/site-packages"))
    (site_packages / "dusty.pth").write_text(f"{os.path.relpath(venv_path.parent, site_packages)}\n")


def install(venv_path: Path, requirements: Sequence[Path]) -> int:
    """pip's exit code; its last lines are shown when it fails."""
    argv = [str(venv_path / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    argv += [word for path in requirements for word in ("-r", str(path))]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        sys.stderr.write("".join(f"    {line}\n" for line in lines[-8:]))
    return done.returncode


def record(venv_path: Path, requirements: Iterable[Path]) -> None:
    for path in requirements:
        fresh = venv_path / f".{path.name}.{os.getpid()}"
        fresh.write_bytes(path.read_bytes())
        fresh.replace(venv_path / path.name)


def main(names: Sequence[str], root: Path = ROOT) -> int:
    """Bring .venv up to date with the requirements files `names` of `root`; 0, or 2 when that failed."""
    requirements, venv_path = [root / name for name in names], root / ".venv"
    with wait_for_turn(root / ".venv.lock"):
        if all(is_installed(venv_path, path) for path in requirements):
            return 0
        started = time.monotonic()
        if not works(venv_path):
            say(f"making {venv_path}")
            make_venv(venv_path)
        link_package(venv_path)
        say(f"installing {' and '.join(names)} into it: a few seconds, and only when that changes")
        if install(venv_path, requirements):
            say(
                f"{' '.join(names)} could not be installed; the lines above are pip's. After a network problem, try again"
            )
            return 2
        record(venv_path, requirements)
        say(f".venv is ready ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, subprocess.CalledProcessError) as problem:
        say(f".venv could not be created:  {problem}")
        sys.exit(2)
