"""The rig as fixtures: `rig` is a machine with a real engine, `ssh_host` a second one that it reaches over ssh.

Every test gets a DUSTY_HOME of its own and a machine without containers, unless it asks for a stack that is `standing`. A test that finds no engine fails: `./check`
provides it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import images as rig_images
import json_outputs
import pytest
from machine import CACHE, Machine, connect
from standing import Standing

from dusty_tasks.core.text.namespace import STAND_IN_LABEL
from dusty_tasks.effects.engine.images import PACKAGES, STANDING_IN_FOR

ROOT = Path(__file__).resolve().parents[2]

SSH_ADDRESS = "192.168.99.100"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ours = [items[place] for place in places]
    files = list(dict.fromkeys(item.path for item in ours))
    # A stack can only stand while nobody in between asks for a machine without containers.
    ours.sort(key=lambda item: (files.index(item.path), "standing" in getattr(item, "fixturenames", ())))
    for place, item in zip(places, ours, strict=True):
        item.add_marker("engine")
        items[place] = item


class Rig:
    """What a test sees of the machine: commands, `dusty`, and a DUSTY_HOME that is its own."""

    def __init__(self, machine: Machine, home: Path) -> None:
        self.machine, self.home = machine, home
        self.run = machine.run

    def dusty(
        self, *words: str, check: bool = True, env: Mapping[str, str] | None = None, **named
    ) -> subprocess.CompletedProcess[str]:
        """`./dusty words…` in the machine; with `check` (the default) a failure is an AssertionError with what was printed."""
        full = {"DUSTY_HOME": str(self.home), **(env or {})}
        ended = self.machine.run([str(ROOT / "dusty"), *words], env=full, check=check, **named)
        json_outputs.checked(words, ended.stdout)
        return ended

    def container_ids(self, state: str = "running") -> dict[str, str]:
        """Container id and start time by name, of Dusty's containers in `state` ('' for all)."""
        return {
            found["Name"].lstrip("/"): f"{found['Id']} {found['State']['StartedAt']}"
            for found in self.machine.containers(state)
        }

    def get(self, url: str) -> tuple[int, str]:
        """Status and body of an HTTP answer, asked for inside the machine; status 0 where nothing answers."""
        done = self.run(["curl", "-sS", "-m", "10", "-w", "\n%{http_code}", url], check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def reset(self) -> None:
        """Nothing of a test stays: containers, networks, volumes, the hosts file, what lies under / in the machine."""
        _standing.clear()
        self.machine.clear_engine()
        self.run(["sh", "-c", "cp /run/hosts.before /etc/hosts; rm -rf /persist /cp /command_files /root/.dusty"])
        load_images(self.machine)  # `uninstall` removes stand-ins.


def kept_by_worker(name: str, worker_id: str) -> str:
    """The name of an engine's data in the test cache: two engines cannot share them, and one worker or the first of several has those of `name`."""
    return name if worker_id in ("master", "gw0") else f"{name}-{worker_id}"


@pytest.fixture(scope="session")
def machine(worker_id: str) -> Iterator[Machine]:
    with Machine("rig", keep=kept_by_worker("rig", worker_id)) as machine:
        machine.run(["cp", "-p", "/etc/hosts", "/run/hosts.before"])
        load_images(machine)
        yield machine


@pytest.fixture
def rig(machine: Machine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig = Rig(machine, tmp_path / "dusty")
    if "standing" in request.fixturenames:
        _left.append(request.node.nodeid)
        yield rig  # That fixture sees to the machine.
        return
    if _left:
        rig.reset()
    _left.append(request.node.nodeid)
    yield rig
    rig.reset()
    _left.clear()


_left: list[str] = []
"""The tests that used the machine and have not set it right since: those of a stack that stands, or none."""


_standing: list[Standing] = []
"""The stack that an earlier test left standing on the machine, if one did."""


@pytest.fixture
def standing(
    rig: Rig, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Callable[[Path], Any]], Any]:
    """`standing(make)` is what `make(folder)` gives, which writes a stack and brings it up; made once a file, and set right before each further test."""

    def stand(make: Callable[[Path], Any]) -> Any:
        key = str(request.path)
        if not _standing or _standing[0].key != key or not _standing[0].is_right_again(rig):
            rig.reset()
            _standing[:] = [Standing(key, rig, tmp_path_factory.mktemp("standing"), make)]
        return _standing[0].stack

    return stand


class SshHost:
    """The second machine: `address` as the first one sees it, `run` a command there without ssh."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.address, self.login, self.run = machine, SSH_ADDRESS, f"root@{SSH_ADDRESS}", machine.run

    def set_link(self, state: str) -> None:
        """`down` is a real network failure, `up` mends it."""
        self.machine.run(["ip", "link", "set", "cable1", state])

    def reset(self) -> None:
        self.machine.clear_engine()
        self.run(["rm", "-rf", "/persist", "/cp", "/command_files"])


@pytest.fixture(scope="session")
def ssh_machine(machine: Machine, worker_id: str) -> Iterator[SshHost]:
    with (
        tempfile.TemporaryDirectory(prefix="dusty-sshd-") as folder,
        Machine("vm", sshd=make_keys(Path(folder)), keep=kept_by_worker("vm", worker_id)) as second,
    ):
        connect(machine, second, "192.168.99.1/24", f"{SSH_ADDRESS}/24")
        load_images(second)
        machine.run(["install", "-d", "-m", "700", "/root/.ssh"])
        machine.run(["install", "-m", "600", f"{folder}/user_key", "/root/.ssh/id_ed25519"])
        machine.run(["install", "-m", "600", f"{folder}/known_hosts", "/root/.ssh/known_hosts"])
        yield SshHost(second)


@pytest.fixture
def ssh_host(ssh_machine: SshHost) -> Iterator[SshHost]:
    yield ssh_machine
    ssh_machine.reset()


def make_keys(folder: Path) -> Path:
    """A host key, a user's key that may log in as anybody, and the known_hosts line that goes with them."""
    folder.chmod(0o755)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
    (folder / "known_hosts").write_text(f"{SSH_ADDRESS} {(folder / 'host_key.pub').read_text()}")
    return folder


def load_images(machine: Machine) -> None:
    machine.load_image(rig_images.busybox_archive(CACHE), *rig_images.SMALL)
    machine.load_image(rig_images.archive(CACHE, PACKAGES), *STANDING_IN_FOR, label=f"{STAND_IN_LABEL}=1")
