"""Rig machines: a whole Linux of its own for a test, in namespaces, with a real engine, and a second one over ssh.

    with Machine("rig") as rig:
        rig.run(["docker", "ps"])

Needs root and the packages of packages.txt. Torn down by ending its first process: with it the kernel ends everything in
its pid namespace, containers included, and gives up its mounts and network.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("DUSTY_TEST_CACHE") or Path.home() / ".cache/dusty-tests")
COMPOSE = CACHE / "docker-config/cli-plugins/docker-compose"
"""Where ./check puts Compose v2, if the machine's packages have none."""


def compose_program() -> str:
    """Compose v2 itself, which needs no engine to judge a file: that one, or what this machine's packages have."""
    from dusty_tasks.effects.machine.packages import PLUGIN_FOLDERS

    places = [str(COMPOSE), *(f"{folder}/docker-compose" for folder in PLUGIN_FOLDERS)]
    return next(path for path in places if os.access(path, os.X_OK))


CLEAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """One machine. Files below /tmp, the checkout and the test cache are at the same paths in there and out here.

    With `lower`, a folder with another root file system, it is that system and shares nothing but /tmp.
    """

    def __init__(
        self,
        name: str,
        *,
        engine: bool = True,
        sshd: Path | None = None,
        hidden: Sequence[str] = (),
        keep: str = "",
        lower: Path | None = None,
    ) -> None:
        self.name, self.keep = name, keep or name
        self.folder = Path(tempfile.mkdtemp(prefix=f"dusty-{name}-"))
        self._what = {
            "name": name,
            "sshd": str(sshd or ""),
            "log": str(self.folder / "dockerd.log"),
            "data_root": "",
            "hidden": ["/root", "/home", *hidden],
            "new_root": str(self.folder / "root"),
            "lower": str(lower or "/"),
            "shared": _shared_folders() if lower is None else ["/tmp"],
        }
        self._wants_engine = engine
        self._process: subprocess.Popen[str] | None = None
        self.pid = 0

    def __enter__(self) -> Machine:
        CACHE.mkdir(parents=True, exist_ok=True)
        self._lock = (CACHE / f"{self.keep}.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if self._wants_engine:
            self._what["data_root"] = str(CACHE / f"{self.keep}-engine")
            # What an engine that was killed left behind may keep the next one from starting; images are quickly made again.
            if not self._start():
                shutil.rmtree(str(self._what["data_root"]), ignore_errors=True)
                if not self._start():
                    raise RuntimeError(f"dockerd does not start:\n{self._log()}")
            self.clear_engine()
            if COMPOSE.exists():
                self.run(
                    ["install", "-D", "-m", "755", str(COMPOSE), "/usr/local/lib/docker/cli-plugins/docker-compose"]
                )
        elif not self._start():
            raise RuntimeError(f"the machine {self.name} does not start")
        return self

    def _start(self) -> bool:
        argv = [
            "unshare",
            "--mount",
            "--net",
            "--pid",
            "--uts",
            "--ipc",
            "--fork",
            "--kill-child",
            sys.executable,
            str(Path(__file__).with_name("boot.py")),
        ]
        env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{CLEAN_PATH}"}
        self._process = subprocess.Popen(
            [*argv, json.dumps(self._what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        if self._process.stdout.readline().strip() == "ready":
            # unshare has one child: the first process of the new pid namespace.
            self.pid = int(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0])
            return True
        self._process.wait(30)
        return False

    def _log(self) -> str:
        path = self.folder / "dockerd.log"
        return path.read_text()[-3000:] if path.exists() else ""

    @cached_property
    def engine(self) -> docker.APIClient:
        """The engine, asked from out here: a question takes milliseconds, where a `docker` in the machine takes a tenth of a second."""
        import docker

        return docker.APIClient(f"unix:///proc/{self.pid}/root/run/docker.sock", timeout=240)

    def clear_engine(self) -> None:
        """Take away all containers, networks, volumes and images without a name; named images stay."""
        from docker.errors import NotFound

        def remove(what: str) -> None:
            with suppress(NotFound):  # One with --rm is removed by the engine as well.
                self.engine.remove_container(what, v=True, force=True)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(remove, [found["Id"] for found in self.engine.containers(all=True, quiet=True)]))
        self.engine.prune_networks()
        for volume in self.engine.volumes()["Volumes"] or ():
            self.engine.remove_volume(volume["Name"], force=True)
        self.engine.prune_images()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """End the machine: politely by closing its stdin, then by killing its first process."""
        if self._process:
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._lock.close()

    def argv(self, argv: Sequence[str], *, cwd: str | Path = "/", user: str = "") -> list[str]:
        """`argv` as a command of the machine, for whoever starts it himself."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", "--uts", "--ipc", f"--wdns={cwd}"]
        # Whoever kills nsenter means the command, which runs in a pid namespace that the kill does not reach.
        become = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            *(["--reuid", user, "--regid", user, "--init-groups"] if user else []),
        ]
        return [*enter, *become, *map(str, argv)]

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | Path = "/",
        user: str = "",
        env: Mapping[str, str] | None = None,
        input: str = "",
        check: bool = True,
        timeout: float = 240,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine to its end; with `check` a failure raises AssertionError with all that it printed."""
        home = f"/home/{user}" if user else "/root"
        full = {"PATH": CLEAN_PATH, "HOME": home, "LANG": "C.UTF-8", **(env or {})}
        done = subprocess.run(
            self.argv(argv, cwd=cwd, user=user),
            env=full,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(map(str, argv))} ended with {done.returncode}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
            )
        return done

    def containers(self, state: str = "running") -> list[dict[str, Any]]:
        """What the engine tells of each container in `state` ('' for all), as `docker inspect` shows it."""
        filters = {"status": state} if state else None
        found = self.engine.containers(all=True, filters=filters)
        return [self.engine.inspect_container(container["Id"]) for container in found]

    def has_images(self, *names: str) -> bool:
        known = {tag for image in self.engine.images() for tag in image["RepoTags"] or ()}
        return {name if ":" in name else f"{name}:latest" for name in names} <= known

    def load_image(self, archive: Path, *names: str, label: str = "") -> None:
        """Import a root archive once and give it all `names`."""
        missing = [] if self.has_images(*names) else [name for name in names if not self.has_images(name)]
        if not missing:
            return
        changes = ["--change", f"LABEL {label}"] if label else []
        self.run(["docker", "import", *changes, "--change", f"ENV PATH={CLEAN_PATH}", str(archive), missing[0]])
        for name in missing[1:]:
            self.run(["docker", "tag", missing[0], name])


def connect(first: Machine, second: Machine, first_address: str, second_address: str) -> None:
    """A cable between two machines; the addresses are in CIDR form, in one network."""
    first.run(["ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1"])
    # A link is handed over by a pid of its own /proc, so this is done from out here.
    enter = ["nsenter", "--target", str(first.pid), "--net"]
    subprocess.run([*enter, "ip", "link", "set", "cable1", "netns", str(second.pid)], check=True)
    for machine, link, address in ((first, "cable0", first_address), (second, "cable1", second_address)):
        machine.run(["ip", "addr", "add", address, "dev", link])
        machine.run(["ip", "link", "set", link, "up"])


def _shared_folders() -> list[str]:
    """The tests' own Python may lie in a home folder, which a machine has its own of."""
    return sorted({"/tmp", str(ROOT), str(CACHE), sys.base_prefix, sys.prefix} - {"/usr", "/usr/local"})
