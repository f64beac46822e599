"""A stack in which each of twelve kinds of fault can be brought about, again and again, without another `up`.

A container looks for a file of its own name in the volume `flags`, and does its fault once it is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kills import restart_engine
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "flags:/flags"
IMAGE = "faulty:1"
"""A name of the small image that only one container uses, and that can be taken away."""


class Fault(NamedTuple):
    """One kind of fault."""

    container: str
    kind: str
    """The kind of cause that `why` must tell."""
    root: str = ""
    """That of the first cause in the chain, where it is another one."""
    says: str = ""
    """What must be in the words."""
    place: str = ""


FAULTS = {
    "out of memory": Fault("memory", "out-of-memory", says="limit 64 MiB", place="services/memory.yml:4:12"),
    "crash at start": Fault("early", "crashed-at-start"),
    "crash after ready": Fault("late", "crashed"),
    "wrong port": Fault("port", "wrong-port", says="nothing listens on 80; the container listens on 81"),
    "missing command": Fault("command", "missing-command", says="nosuchtool"),
    "bad image": Fault("image", "bad-image", says=IMAGE, place="services/image.yml:1:8"),
    "killed by hand": Fault("hand", "killed", says="docker kill"),
    "dependency died": Fault("web", "dependency", "crashed", says="redis exited "),
    "probe fails": Fault("probe", "probe-fails", says="status 1: it says no", place="services/probe.yml:4:14"),
    "restart loop": Fault("loop", "restart-loop", says="restart: always", place="services/loop.yml:4:10"),
    "disk full": Fault("full", "disk-full", says="No space left on device"),
    "engine restarted": Fault("plain", "engine-restarted"),
}
LAST = "engine restarted"
"""It ends all others as well."""


def waiting(name: str, fault: str, before: str = "") -> str:
    """A shell that waits for its flag."""
    return f"trap 'exit 0' TERM; {before}while sleep 0.05; do [ ! -f /flags/{name} ] || {{ {fault}; }}; done"


class FaultyStack(SmallStack):
    """The stack, and what brings about a fault and takes it back."""

    def __init__(self, folder: Path, rig: Any) -> None:
        super().__init__(folder, rig.home, config="up: {wait: 20}\n")
        self.rig = rig
        flags = f'volumes: ["{FLAGS}"]\n'
        eat = "exec dd if=/dev/zero of=/dev/null bs=200M count=1"
        self.service("memory", command=waiting("memory", eat), more=f"{flags}mem_limit: 64m\n")
        self.service(
            "early",
            command=f"[ ! -f /flags/early ] || exit 3; {waiting('none', '')}".replace("{ ; }", "{ :; }"),
            more=flags,
        )
        self.service("late", command=waiting("late", "echo giving up; exit 5"), more=flags)
        self.service("command", command=waiting("command", "nosuchtool --serve; exit $?"), more=flags)
        self.service("image", image=IMAGE)
        self.service("hand", more='ports: ["127.0.0.1:8099:80"]\n')
        probe = '["CMD-SHELL", "echo it says no; [ ! -f /flags/probe ]"]'
        self.service(
            "probe",
            more=f"{flags}healthcheck: {{test: {probe}, interval: 300ms, timeout: 5s, retries: 1}}\n",
        )
        self.service("loop", command=waiting("loop", "exit 4"), more=f"{flags}restart: always\n")
        fill = "dd if=/dev/zero of=/data/x bs=1M count=3 || exit 1"
        self.service("full", command=waiting("full", fill), more=f'{flags}tmpfs: ["/data:size=1m"]\n')
        self.service("plain", more=flags)
        serve = "nc -ll -p 6379 -e cat & "
        self.service("redis", command=waiting("redis", "exit 9", serve), more=flags)
        self.app(
            "web",
            services="[redis]",
            always="httpd -p 80 -h /code; rm -f /tmp/held; mkfifo /tmp/held; sleep 100000 > /tmp/held & nc redis 6379 < /tmp/held; echo lost redis >&2; exit 1",
        )
        self.app(
            "port",
            always="httpd -p 80 -h /code; while sleep 0.05; do [ ! -f /flags/port ] || { killall httpd; exec httpd -f -p 81 -h /code; }; done",
            more=f'compose: {{volumes: ["{FLAGS}"]}}\n',
        )
        names = "memory, early, late, command, image, hand, probe, loop, full, plain"
        self.bundle("shop", apps="[web, port]", services=f"[{names}]")

    def up(self) -> None:
        self.rig.run(["docker", "tag", "busybox:1", IMAGE])
        self.rig.dusty("up", "--yes")

    def shell(self, script: str) -> str:
        return self.rig.run(["sh", "-c", script]).stdout

    def bring_about(self, name: str) -> tuple[float, float]:
        """Let a fault happen; the times before and after it."""
        container = FAULTS[name].container
        own = f"dusty_{container}_1"
        scripts = {
            "crash at start": f"docker exec dusty_plain_1 touch /flags/early; docker stop -t 5 {own}",
            "bad image": f"docker rm -f {own}; docker rmi {IMAGE}",
            "killed by hand": f"docker kill {own}",
            "dependency died": "docker exec dusty_plain_1 touch /flags/redis",
        }
        before = time.time()
        if name == LAST:
            restart_engine(self.rig)
            return before, time.time()
        self.shell(scripts.get(name, f"docker exec dusty_plain_1 touch /flags/{container}"))
        if name == "crash at start":
            before = time.time()
            self.shell(f"docker start {own}")
        return before, time.time()

    def has_happened(self, name: str) -> bool:
        """True once the engine shows it."""
        fault = FAULTS[name]
        if name == "bad image":
            return True
        shown = self.rig.run(["docker", "inspect", f"dusty_{fault.container}_1"]).stdout
        (details,) = json.loads(shown)
        state = details["State"]
        if name == "probe fails":
            return state["Health"]["Status"] == "unhealthy"
        if name == "restart loop":
            return details["RestartCount"] >= 2
        if name == "wrong port":
            return "0051" in self.shell("docker exec dusty_port_1 cat /proc/net/tcp /proc/net/tcp6")
        return state["Status"] == "exited"

    @contextmanager
    def watched(self) -> Iterator[Path]:
        """While somebody watches, as `dusty dev` does: the journal is kept, and deaths are told in the file that this gives."""
        heard = self.folder / "heard"
        script = (
            f"import sys, time; sys.path.insert(0, {str(ROOT)!r}); from dusty_tasks import session\n"
            "from dusty_tasks.effects.engine.http import Engine\n"
            "from dusty_tasks.operations.history.deaths import Deaths\n"
            "from dusty_tasks.operations.history.noting import kept_journal\n"
            "with kept_journal(Engine(session.docker_host()), Deaths(session.home())):\n"
            "    print('watching', flush=True)\n"
            "    time.sleep(3000)\n"
        )
        env = {**os.environ, "DUSTY_HOME": str(self.home), "HOME": "/root"}
        with heard.open("w") as file:
            process = subprocess.Popen(
                self.rig.machine.argv([sys.executable, "-c", script]), env=env, stdout=file, stderr=file
            )
        try:
            wait_until(lambda: "watching" in heard.read_text())
            yield heard
        finally:
            process.kill()
            process.wait()

    def why(self, name: str) -> dict[str, Any]:
        return json.loads(self.rig.dusty("why", "--json", name).stdout)

    def take_back(self) -> None:
        """All run again as they did."""
        self.shell(
            f"docker tag busybox:1 {IMAGE}; docker stop -t 5 dusty_loop_1 dusty_port_1 dusty_probe_1 dusty_plain_1 > /dev/null;"
            "docker start dusty_plain_1 > /dev/null; docker exec dusty_plain_1 sh -c 'rm -f /flags/*'"
        )
        self.rig.dusty("up", "--yes")


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)
