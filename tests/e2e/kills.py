"""Runs of `up` that are killed while they mend something, and what one more `up` must make of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from machine import Machine
from stacks import PORT, SmallStack

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
SERVE = "trap 'exit 0' TERM; httpd -f -p 80 -h /code & wait"
"""A web server that heeds SIGTERM: an engine that was killed waits ten seconds for each that does not."""
MARK = "kept from the first day\n"
DIRTY = ("edit_repo", "change_spec", "kill_container", "damage_hosts")
"""The dirty states, by the methods of Killed that make them."""
MOMENTS = ("before", "during", "after")
DEATH = 60
"""Seconds that a killed run, or one whose engine was killed, may take to be gone."""


class Killed:
    """A stack on the machine `docker` that is made dirty, mended by an `up` that is killed, and then by one more."""

    def __init__(self, rig: Any, docker: Any, stack: SmallStack) -> None:
        self.rig, self.docker, self.stack = rig, docker, stack
        self.number = 0
        self.page = 0
        self.fill()
        self.expected: list[dict[str, Any]] = []
        for number in (1, 0):
            self.specs(number)
            rig.dusty("up")
            docker.run(["docker", "exec", "dusty_cache_1", "sh", "-c", f"printf '{MARK}' > /data/mark"])
            self.expected.insert(0, self.state())

    def fill(self) -> None:
        """The stack: an app behind a route, its twin that comes and goes, and a service that keeps data in an anonymous volume."""
        self.specs(0)
        self.stack.code("web", "index.html", "page 0\n")

    def specs(self, number: int) -> None:
        """One of two that differ in images, a variable, apps and bundles."""
        self.number = number
        self.stack.service("cache", image=f"busybox:{number + 1}", more="volumes: [/data]\n")
        self.stack.app(
            "web",
            image=f"busybox:{number + 1}",
            services="[cache]",
            always=SERVE,
            more=f"compose: {{environment: {{NUMBER: '{number}'}}}}\n" if number else "",
        )
        if number:
            self.stack.app("second", apps="[web]", always=SERVE)
            self.stack.bundle("more", apps="[second]")
        self.stack.activate(*(["shop", "more"] if number else ["shop"]))

    # The four dirty states

    def edit_repo(self) -> None:
        self.page += 1
        self.stack.code("web", "index.html", f"page {self.page}\n")

    def change_spec(self) -> None:
        self.specs(1 - self.number)

    def kill_container(self) -> None:
        self.docker.run(["docker", "kill", "dusty_web_1", "dusty_cache_1"])

    def damage_hosts(self) -> None:
        self.rig.run(["sed", "-i", "s/web.test/wrong.test/", "/etc/hosts"])

    # What must hold

    def state(self) -> dict[str, Any]:
        """Everything that must be the same after any accident, but for the page, which is told by its answer."""
        shown = json.loads(self.docker.run(["sh", "-c", "docker inspect $(docker ps -aq)"]).stdout)
        root = f"{self.rig.home}/host" if self.docker is self.rig else ""
        digests = f"cd '{root}/' && find persist command_files -type f -not -name index.html -not -path '*/.dusty/*' -not -path '*/.receipts/*' -exec sha256sum {{}} +"
        return {
            "containers": {entry["Name"].lstrip("/"): settings_of(entry) for entry in shown},
            "files": sorted(self.docker.run(["sh", "-c", digests]).stdout.splitlines()),
            "volumes": len(self.docker.run(["docker", "volume", "ls", "-q"]).stdout.split()),
            "networks": self.docker.run(["docker", "network", "ls", "--format", "{{.Name}}"]).stdout.split(),
            "hosts": self.rig.run(["cat", "/etc/hosts"]).stdout,
        }

    def check(self, what: str) -> None:
        """One `up` mends everything, and leaves nothing for the next."""
        done = self.rig.dusty("up", check=False)
        assert done.returncode == 0, f"{what}: {done.stdout}{done.stderr}\n{self.listing()}"
        found, expected = self.state(), self.expected[self.number]
        if self.has_ports_set_aside():
            found, expected = without_bridge_ports(found), without_bridge_ports(expected)
        differing = {key: (found[key], expected[key]) for key in found if found[key] != expected[key]}
        assert not differing, f"{what}: {differing} {done.stdout}{done.stderr}"
        assert self.rig.get(f"http://web.test:{PORT}/") == (200, f"page {self.page}\n"), what
        kept = self.docker.run(["docker", "exec", "dusty_cache_1", "cat", "/data/mark"], check=False)
        assert kept.stdout == MARK, f"{what}: the data of cache is gone: {done.stdout}{done.stderr}"
        again = self.rig.dusty("up", check=False)
        assert again.stdout.startswith("up to date"), f"{what}: {again.stdout}{again.stderr}"

    def has_ports_set_aside(self) -> bool:
        """True once the engine kept a port of the bridge for no container: a route has another one than at first."""
        memory = self.rig.run(["cat", f"{self.rig.home}/state/ports.json"], check=False).stdout
        return any(not app for app, *_ in json.loads(memory or "[]"))

    def faults(self, what: str) -> list[str]:
        """What does not hold, and the stack whole again for the next time."""
        try:
            self.check(what)
            return []
        except AssertionError as error:
            more = [self.rig.dusty("up", check=False).returncode for _ in range(3)]
            return [f"{error}\nfurther runs of up ended with {more}"]

    def listing(self) -> str:
        return str(self.docker.run(["docker", "ps", "-a"]).stdout)

    # Ways to break off an `up`

    def start(self) -> subprocess.Popen[bytes]:
        """`up` in a process group of its own."""
        argv = self.rig.machine.argv([sys.executable, "-m", "dusty_tasks", "up"], cwd=ROOT)
        return subprocess.Popen(
            argv,
            env={**ENVIRONMENT, "DUSTY_HOME": str(self.rig.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_group(self, process: subprocess.Popen[bytes]) -> None:
        """As a closed terminal or a power-minded init does: the run, its Compose, its rsync and its ssh, all at once."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(DEATH)

    def duration(self, dirty: Callable[[], None]) -> float:
        """How long an `up` that nobody breaks off takes to mend this."""
        dirty()
        begin = time.monotonic()
        self.start().wait(DEATH)
        return time.monotonic() - begin

    def killed_after(self, seconds: float) -> None:
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill_group(process)

    def leader_killed_after(self, seconds: float) -> None:
        """The run alone: what it started lives on, and the next run has to wait for it."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            # nsenter becomes the program itself after its fork, whose pid is that of its only child.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(children[0]) if children else process.pid, signal.SIGKILL)
            process.wait(DEATH)

    def engine_paused_after(self, seconds: float, pause: float) -> subprocess.Popen[bytes]:
        """The engine says nothing for `pause` seconds."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        self.docker.run(
            ["sh", "-c", f"kill -STOP $(cat /run/docker.pid); sleep {pause}; kill -CONT $(cat /run/docker.pid)"]
        )
        process.wait(DEATH + pause)
        return process

    def engine_restarted_after(self, seconds: float) -> None:
        """As `systemctl restart docker` does in the middle of a run."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        restart_engine(self.docker)
        process.wait(DEATH)

    def engine_killed_after(self, seconds: float) -> None:
        """The engine instead; the run ends by itself, then the engine is started again."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        restart_engine(self.docker, "KILL")
        process.wait(DEATH)


class Door:
    """Stands between the clients of an engine and the engine, counts the calls that change something, and kills a run at one of them."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.calls, self._lock = machine, list[str](), threading.Lock()
        self._at, self._kill = (-1, ""), no_kill
        self._inside = f"/proc/{machine.pid}/root/run"
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Door:
        self.machine.run(["mv", "/run/docker.sock", "/run/engine.sock"])
        self._listener.bind(f"{self._inside}/docker.sock")
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.machine.run(["mv", "-f", "/run/engine.sock", "/run/docker.sock"])

    def watch(self, number: int = -1, when: str = "", kill: Callable[[], None] = lambda: None) -> None:
        """Count anew; `kill` is called at the call `number`: `before` the engine hears of it, `during` it, or `after` its answer."""
        with self._lock:
            self.calls, self._at, self._kill = [], (number, when), kill

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(f"{self._inside}/engine.sock")
        pending: list[int] = []
        back = threading.Thread(target=self._answer, args=(engine, client, pending), daemon=True)
        back.start()
        with suppress(OSError):
            while data := client.recv(1 << 16):
                number = self._number(data)
                if number is not None and self._is_moment(number, "before"):
                    self._kill()
                    break
                if number is not None:
                    pending.append(number)
                engine.sendall(data)
                if number is not None and self._is_moment(number, "during"):
                    self._kill()
        with suppress(OSError):
            engine.shutdown(socket.SHUT_WR)
        back.join()
        client.close()
        engine.close()

    def _answer(self, engine: socket.socket, client: socket.socket, pending: list[int]) -> None:
        with suppress(OSError):
            while data := engine.recv(1 << 16):
                if pending and self._is_moment(pending.pop(), "after"):
                    self._kill()
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def _number(self, data: bytes) -> int | None:
        """Which call begins with `data`; None for one that only reads, and for the rest of one."""
        if not data.startswith((b"POST ", b"DELETE ", b"PUT ")):
            return None
        with self._lock:
            self.calls.append(data.split(b" HTTP/", 1)[0].decode())
            return len(self.calls) - 1

    def _is_moment(self, number: int, when: str) -> bool:
        return self._at == (number, when)


def no_kill() -> None:
    """Nobody is killed."""


def settings_of(container: dict[str, Any]) -> list[Any]:
    """What must be the same of a container that was made anew."""
    config, host = container["Config"], container["HostConfig"]
    return [
        container["State"]["Status"],
        config["Image"],
        sorted(host["Binds"] or []),
        host["PortBindings"],
        sorted(config["Env"] or []),
        sorted(container["NetworkSettings"]["Networks"]),
    ]


def without_bridge_ports(state: dict[str, Any]) -> dict[str, Any]:
    """A state but for which port of the bridge each route has; the proxy's config, which names them, is told by its answer."""
    containers = {
        name: [*settings[:3], sorted(settings[3] or {}), *settings[4:]]
        for name, settings in state["containers"].items()
    }
    return {
        **state,
        "containers": containers,
        "files": [line for line in state["files"] if not line.endswith("/dustyNginx.conf")],
    }


def restart_engine(machine: Any, signal_name: str = "TERM") -> None:
    """End dockerd as a reboot does, or by KILL, and start it with the words it had."""
    machine.run(
        [
            "sh",
            "-c",
            r"""
        pid=$(cat /run/docker.pid); tr '\0' '\n' < /proc/$pid/cmdline > /run/dockerd.words
        # dockerd takes a containerd that is just going for one that runs, and waits for it in vain.
        all="$pid $(cat /run/docker/containerd/containerd.pid)"
        kill -$1 $pid; for one in $all; do while [ -e /proc/$one ]; do sleep 0.1; done; done
        rm -f /run/docker.pid; set --; while IFS= read -r word; do set -- "$@" "$word"; done < /run/dockerd.words
        setsid "$@" > /run/dockerd.log 2>&1 < /dev/null &
        for i in $(seq 900); do docker version > /dev/null 2>&1 && exit; sleep 0.1; done; tail -40 /run/dockerd.log; ps axf; exit 1""",
            "sh",
            signal_name,
        ]
    )


def spread(count: int, until: float) -> list[float]:
    """`count` moments, evenly between 0 and `until`."""
    return [(number + 0.5) * until / count for number in range(count)]


def break_off(killed: Killed, way: Callable[[float], None], count: int, names: Sequence[str] = DIRTY) -> None:
    """From each of these dirty states `count` times, at moments spread over the time that mending takes. Raises AssertionError with all that went wrong."""
    wrong = []
    for name in names:
        dirty = getattr(killed, name)
        until = killed.duration(dirty) * 1.05
        for moment in spread(count, until):
            dirty()
            way(moment)
            wrong += killed.faults(f"{name}, broken off after {moment:.3f} of {until:.3f} s")
    assert not wrong, f"{len(wrong)} of {count * len(names)}:\n" + "\n\n".join(wrong)


def break_off_at_calls(killed: Killed, names: Sequence[str] = DIRTY, step: int = 1) -> None:
    """The same right before, during and right after each (or each `step`th) call that changes something on the engine."""
    wrong, tried = [], 0
    with Door(killed.docker.machine) as door:
        for name in names:
            dirty = getattr(killed, name)
            # Twice, since a spec is changed one time this way and one time that way.
            for _ in range(2):
                door.watch()
                killed.duration(dirty)
                calls = door.calls
                for number, when in [(number, when) for number in range(len(calls)) for when in MOMENTS][::step]:
                    dirty()
                    door.watch()
                    process = killed.start()
                    door.watch(number, when, partial(killed.kill_group, process))
                    process.wait(DEATH)
                    last = door.calls[-1:]
                    door.watch()
                    tried += 1
                    wrong += killed.faults(f"{name}, killed {when} call {number} ({last})")
    assert not wrong, f"{len(wrong)} of {tried}:\n" + "\n\n".join(wrong)
    assert tried
