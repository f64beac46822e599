"""Who holds a port or a name: a stranger, nobody, ourselves, or the engine that is about to give it back."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from dusty_tasks.core.plan.change import CREATE, Change, Plan
from dusty_tasks.core.plan.found import Found, Sources
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.docker_host.port_owners import process_there
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import Finished
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.port_holders import Holder, read_holder
from dusty_tasks.operations.launch import preconditions
from dusty_tasks.operations.launch.preconditions import PortsKept, check_names, check_ports
from dusty_tasks.operations.look import View

LISTEN = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); open('/proc/self/comm', 'w').write(sys.argv[1]); print(s.getsockname()[1], flush=True); sys.stdin.read()"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine without containers."""
    listing: list[dict[str, Any]] = []
    monkeypatch.setattr(Engine, "get", lambda _self, _path: listing)
    engine = Engine(docker_host(Settings(home="/nowhere")))
    engine.listing = listing  # type: ignore[attr-defined]
    return engine


def entry(project: str, port: int, **changed: Any) -> dict[str, Any]:
    return {
        "Id": "1",
        "Names": ["/some_web_1"],
        "Labels": {"com.docker.compose.project": project} if project else None,
        "Ports": [{"IP": "127.0.0.1", "PublicPort": port, "PrivatePort": 80, "Type": "tcp"}],
        **changed,
    }


@pytest.fixture
def listener() -> Iterator[Any]:
    """Starts a program of this name that listens; (its port, the process)."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str) -> tuple[int, subprocess.Popen[str]]:
        program = subprocess.Popen(
            [sys.executable, "-c", LISTEN, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(program)
        assert program.stdout
        return int(program.stdout.readline()), program

    yield start
    for program in started:
        program.kill()
        program.wait()


def view(*ports: int) -> View:
    web = WantedContainer("web", "app", "dusty_web_1", {"ports": [f"127.0.0.1:{port}:80" for port in ports]})
    return View(Wanted(containers=(web,)), Sources(), Found(), Plan((Change(CREATE, "web", ""),)))


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
def test_a_container_of_ours_is_in_nobodys_way_whatever_its_state(engine: Any, listener: Any, state: str) -> None:
    port, _ = listener("docker-proxy")
    engine.listing.append(entry("dusty", port, State=state))
    assert read_holder(engine, ("127.0.0.1", port)) is None
    check_ports(engine, view(port))


@pytest.mark.parametrize("project", ["", "theirs", "dusty2"])
def test_a_strangers_container_is_named(engine: Any, project: str) -> None:
    engine.listing.append(entry(project, 8080))
    assert read_holder(engine, ("127.0.0.1", 8080)) == Holder("the container some_web_1")
    with pytest.raises(
        Failure, match=r"port 8080 of 127\.0\.0\.1 \(web\) is held by the container some_web_1"
    ) as raised:
        check_ports(engine, view(8080))
    assert "stop that program" in raised.value.hint


def test_a_strangers_process_is_named_at_once(engine: Engine, listener: Any) -> None:
    port, program = listener("httpd")
    giving_back, _ = listener("docker-proxy")
    with pytest.raises(Failure) as raised:
        check_ports(engine, view(port, giving_back))
    assert (
        f"port {port} of 127.0.0.1 (web) is held by httpd (pid {program.pid})" in raised.value.what
        and "stop that program" in raised.value.hint
    )


def test_what_the_engine_gives_back_is_waited_for(
    engine: Engine, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, program = listener("docker-proxy")
    assert read_holder(engine, ("127.0.0.1", port)) == Holder(f"docker-proxy (pid {program.pid})", is_engine=True)
    looks: list[float] = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        program.kill()
        program.wait()

    monkeypatch.setattr(preconditions.time, "sleep", wait)
    check_ports(engine, view(port))
    assert len(looks) == 1
    assert read_holder(engine, ("127.0.0.1", port)) is None


def test_what_the_engine_never_gives_back_is_no_program_to_end(
    engine: Engine, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = listener("docker-proxy")
    monkeypatch.setattr(preconditions, "GIVEN_BACK", 0.3)
    with pytest.raises(Failure, match="though no container publishes it") as raised:
        check_ports(engine, view(port))
    assert "stop that program" not in raised.value.hint and "restart the Docker engine" in raised.value.hint
    assert isinstance(raised.value, PortsKept) and raised.value.addresses == [("web", ("127.0.0.1", port))]


def test_a_port_that_anybody_else_holds_is_not_only_the_engines(engine: Engine, listener: Any) -> None:
    ports = [listener(name)[0] for name in ("docker-proxy", "httpd")]
    with pytest.raises(Failure) as raised:
        check_ports(engine, view(*ports))
    assert not isinstance(raised.value, PortsKept)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ('LISTEN 0 128 127.0.0.1:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))', Holder("nginx (pid 7)")),
        ("LISTEN 0 4096 127.0.0.1:80 0.0.0.0:*\ndocker-proxy 812", Holder("docker-proxy (pid 812)", is_engine=True)),
        ("LISTEN 0 4096 127.0.0.1:80 0.0.0.0:*", Holder("a process of another user")),
        ("", None),
        ("LISTEN 0 4096 172.17.0.1:80 0.0.0.0:*\ndocker-proxy 812", None),
    ],
    ids=["a process", "the engine's, without root", "another user's", "nobody", "another address"],
)
def test_over_ssh(printed: str, expected: Holder | None, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.host, "process_on", partial(process_there, engine.host))
    monkeypatch.setattr(engine.host, "run_script", lambda *_words, **_options: Finished(0, printed, ""))
    assert read_holder(engine, ("127.0.0.1", 80)) == expected


def test_the_script_for_ssh_finds_listeners_and_forwarders(listener: Any) -> None:
    from dusty_tasks.effects.docker_host.port_owners import LISTENERS

    port, program = listener("httpd")
    assert f"pid={program.pid}" in process.run(["sh", "-c", LISTENERS, "dusty", str(port)]).out
    words = [
        sys.executable,
        "-c",
        "import sys; sys.stdin.read()",
        "docker-proxy",
        "-proto",
        "tcp",
        "-host-port",
        str(port),
        "-container-ip",
        "x",
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as forwarder:
        assert f"docker-proxy {forwarder.pid}\n" in process.run(["sh", "-c", LISTENERS, "dusty", str(port)]).out
        assert "docker-proxy" not in process.run(["sh", "-c", LISTENERS, "dusty", str(port)[:-1]]).out


def test_a_free_port_is_free(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert read_holder(engine, ("127.0.0.1", port)) is None


@pytest.mark.parametrize(
    ("labels", "is_stranger"),
    [
        ({"com.docker.compose.project": "dusty"}, False),
        ({"com.docker.compose.project": "theirs"}, True),
        (None, True),
        ({"com.docker.compose.project": "dusty", "com.docker.compose.oneoff": "True"}, True),
    ],
    ids=["a leftover of ours", "another project's", "nobody's", "run by hand"],
)
def test_a_name_is_held_by_a_stranger_unless_its_label_is_ours(
    engine: Any, labels: dict[str, str] | None, is_stranger: bool
) -> None:
    engine.listing.append({"Id": "1" * 20, "Names": ["/dusty_web_1"], "State": "removing", "Labels": labels})
    if is_stranger:
        with pytest.raises(Failure, match="the name dusty_web_1 is held by a container that is not Dusty's"):
            check_names(engine, view())
    else:
        check_names(engine, view())
