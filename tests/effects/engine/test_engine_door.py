"""The engine's door: requests and answers as bytes, which engine is meant, logs without frames; one reading over ssh."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.plan.listening import address_of
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.namespace import STACK
from dusty_tasks.effects.docker_host import dial_stdio, engine_line
from dusty_tasks.effects.docker_host.dial_stdio import exchange_over_ssh
from dusty_tasks.effects.docker_host.engine_address import engine_address
from dusty_tasks.effects.docker_host.engine_line import (
    ANSWER_TIMEOUT,
    EngineDenied,
    EngineDown,
    EngineRefused,
    EngineSilent,
    body_of,
    exchange,
    http_request,
)
from dusty_tasks.effects.docker_host.files_there import FilesThere
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import Finished
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import listing, without_frames
from dusty_tasks.effects.observe.docker_host import found_of, read_host
from dusty_tasks.operations.machine.docker_host import wait_for_engine


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.0 %d X\r\nContent-Type: application/json\r\n\r\n" % status + body


def test_a_body_is_what_follows_the_head() -> None:
    assert body_of(answer(200, b"[]\r\n\r\n[]")) == b"[]\r\n\r\n[]"
    assert body_of(answer(304, b"")) == b""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "no such container"}', "no such container"),
        (b"<html>", "<html>"),
        (b"", "the Docker engine answered with status 404"),
    ],
)
def test_what_the_engine_refuses_is_said_in_its_words(body: bytes, said: str) -> None:
    with pytest.raises(EngineRefused) as refused:
        body_of(answer(404, body))
    assert (refused.value.what, refused.value.status, refused.value.code) == (said, 404, 2)


@pytest.mark.parametrize("garbage", [b"", b"HTTP/1.0", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.0 abc\r\n\r\n"])
def test_no_answer_is_an_engine_that_is_down(garbage: bytes) -> None:
    with pytest.raises(EngineDown):
        body_of(garbage)


def test_a_socket_is_asked_and_an_absent_one_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with pytest.raises(EngineDown, match=r"engine\.sock does not answer"):
        exchange(f"unix://{path}", b"", 1)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            asked = connection.recv(1000)
            connection.sendall(answer(200, asked.split(b"\r\n")[0]))
            connection.close()

        threading.Thread(target=serve).start()
        assert body_of(exchange(f"unix://{path}", http_request("GET", "/x"), 5)) == b"GET /x HTTP/1.0"


def test_an_engine_that_is_closed_to_this_account_is_no_engine_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(address: str, timeout: float) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(engine_line, "connect", refuse)
    with pytest.raises(EngineDenied, match="may not use the Docker engine") as denied:
        exchange("unix:///var/run/docker.sock", b"", 1)
    assert denied.value.code == 1
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waiting does not open it"))
    with pytest.raises(EngineDenied):
        wait_for_engine(Engine(docker_host(Settings(home=str(tmp_path)))), 60)


def test_an_engine_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        with pytest.raises(EngineDown, match="took too long"):
            exchange(f"unix://{path}", b"x", 0.05)


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        ({}, {}, "unix:///var/run/docker.sock"),
        ({}, {"DOCKER_HOST": "tcp://1.2.3.4:5"}, "tcp://1.2.3.4:5"),
        ({"currentContext": "vm"}, {}, "unix:///vm.sock"),
        ({"currentContext": "vm"}, {"DOCKER_CONTEXT": "default"}, "unix:///var/run/docker.sock"),
        ("garbage", {}, "unix:///var/run/docker.sock"),
    ],
)
def test_which_engine_is_meant(tmp_path: Path, config: Any, environ: dict[str, str], expected: str) -> None:
    import hashlib

    (tmp_path / "config.json").write_text(json.dumps(config))
    meta = tmp_path / "contexts/meta" / hashlib.sha256(b"vm").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": "unix:///vm.sock"}}}))
    assert engine_address({"DOCKER_CONFIG": str(tmp_path), **environ}) == expected


@pytest.mark.parametrize(
    ("config", "environ", "hint"),
    [
        ({"currentContext": "gone"}, {}, "docker context use default"),
        ({}, {"DOCKER_CONTEXT": "gone"}, "unset DOCKER_CONTEXT"),
    ],
)
def test_a_context_that_is_gone_is_no_other_engine(
    tmp_path: Path, config: Any, environ: dict[str, str], hint: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Failure, match='no docker context named "gone"') as raised:
        engine_address({"DOCKER_CONFIG": str(tmp_path), **environ})
    assert (raised.value.hint, raised.value.code) == (hint, 1)


def test_logs_lose_their_frames_and_a_terminals_have_none() -> None:
    framed = b"\1\0\0\0\0\0\0\4out\n" + b"\2\0\0\0\0\0\0\4err\n"
    assert without_frames(framed) == b"out\nerr\n"
    assert without_frames(b"plain text\n") == b"plain text\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0100007F:0050", ("127.0.0.1", 80)),
        ("00000000:1F90", ("0.0.0.0", 8080)),
        ("00000000000000000000000001000000:0050", ("::1", 80)),
        ("0000000000000000FFFF00000100007F:0050", ("127.0.0.1", 80)),
    ],
)
def test_addresses_of_the_kernels_tables(text: str, expected: tuple[str, int]) -> None:
    assert address_of(text) == expected


class SshHost:
    """An ssh Docker host that answers with given text."""

    root, name, namespace = "/", "vm", STACK

    def __init__(self, out: str, err: str = "") -> None:
        self.finished = Finished(0, out, err)
        here: Any = self
        self.files = FilesThere(here, "/persist/repos")

    def path(self, *parts: str) -> str:
        return "/" + "/".join(parts)

    def run_script(self, *_: Any, **__: Any) -> Finished:
        return self.finished


def test_one_answer_over_ssh_holds_everything() -> None:
    listing = json.dumps(
        [{"Id": "1", "Names": ["/dusty_web_1"], "State": "running", "Status": "Up", "Labels": {"dusty.name": "web"}}]
    )
    out = (
        'persist/.dusty/started.json:{"dusty_web_1": {"container_id": "1"}}\npersist/.dusty/owner.json:{"half":\n'
        "@digest:abc123  persist/dustyNginx/dustyNginx.conf\n@inode:41ed 77 /src/a folder\n@inode:c1ed 78 /run/x.sock\n@receipts:\n"
        + '{"id": "src/x", "fingerprint": "f"}\n'
        + "@answer:\nHTTP/1.0 200 OK\r\n\r\n"
        + listing
    )
    host: Any = SshHost(out)
    engine = Engine(host)
    found = found_of(read_host(host, engine, ["src/x"]), engine)
    assert (found.nginx_digest, found.owner, found.started["dusty_web_1"]["container_id"]) == ("abc123", None, "1")
    assert found.inodes == {"/src/a folder": 77}, "a socket is made anew at each start of its service"
    assert set(found.receipts) == {"src/x"} and set(found.containers) == {"web"}
    assert engine.reads == 1


def test_an_engine_that_is_off_over_there_is_said_with_its_own_words() -> None:
    host: Any = SshHost("@receipts:\n@answer:\n", "Cannot connect to the Docker daemon\n")
    reading = read_host(host, Engine(host), [])
    assert reading.containers == {} and reading.engine_trouble.endswith(
        "does not answer: Cannot connect to the Docker daemon"
    )


def test_an_engine_over_there_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def run_script(*_: Any, timeout: float | None = None, **__: Any) -> Finished:
        limits.append(timeout)
        return Finished(process.TIMED_OUT, "@receipts:\n@answer:\n", "")

    host: Any = SshHost("")
    monkeypatch.setattr(host, "run_script", run_script)
    assert (
        read_host(host, Engine(host), []).engine_trouble
        == "the Docker engine on vm does not answer: it took too long to answer"
    )
    assert limits == [ANSWER_TIMEOUT]


class PrintingHost:
    """An ssh Docker host whose engine answers with given bytes."""

    name = "vm"

    def __init__(self, folder: Path, answer: bytes) -> None:
        self.path = folder / "answer"
        self.path.write_bytes(answer)

    def run(self, argv: Any, **options: Any) -> Finished:
        return process.run(["cat", str(self.path)], **options)

    def exchange(self, request: bytes, timeout: float) -> bytes:
        here: Any = self
        return exchange_over_ssh(here, request, timeout)


def test_logs_arrive_over_ssh_as_they_are(tmp_path: Path) -> None:
    long_line = "é" * 100 + "\n"
    framed = b"\1\0\0\0\0\0\0" + bytes([len(long_line.encode())]) + long_line.encode() + b"\2\0\0\0\0\0\0\2e\n"
    host: Any = PrintingHost(tmp_path, b"HTTP/1.0 200 OK\r\n\r\n" + framed)
    assert reads.read_last_lines(Engine(host), "1") == f"{long_line}e"


def test_an_answer_that_breaks_off_is_an_engine_that_is_down(tmp_path: Path) -> None:
    host: Any = PrintingHost(tmp_path, answer(200, b'[{"Id": "1", "Na'))
    with pytest.raises(EngineDown, match="in the middle of its answer"):
        Engine(host).get("/containers/json")


def test_events_are_asked_for_up_to_now_by_the_engines_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def request(_engine: Engine, _method: str, path: str, *_: Any, **__: Any) -> bytes:
        asked.append(path)
        return b'{"SystemTime": "2030-01-01T00:00:00.5Z"}' if path == "/info" else b""

    monkeypatch.setattr(Engine, "request", request)
    host: Any = None
    assert reads.read_events(Engine(host), ["1"]) == []
    assert "until=1893456000.500000&" in asked[-1]


@pytest.mark.parametrize("said", [b"{}", b'{"SystemTime": ""}', b'{"SystemTime": "soon"}'])
def test_an_engine_that_does_not_tell_its_time_has_that_of_this_machine(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "request", lambda *_, **__: said)
    host: Any = None
    before = time.time()
    assert before <= reads.read_time(Engine(host)) <= time.time()


class Removing(Engine):
    """An engine on which somebody else removes the container, which is gone after a few looks; or never."""

    def __init__(self, looks: float) -> None:
        super().__init__(docker_host(Settings(home="/nowhere")))
        self.looks = looks

    def get(self, path: str, timeout: float = 0) -> Any:
        self.looks -= 1
        if self.looks < 0:
            raise EngineRefused(404, "No such container: 1")
        return {"Mounts": []}

    def request(self, method: str, path: str, body: Any = None, timeout: float = 0) -> bytes:
        raise EngineRefused(409, "removal of container 1 is already in progress")


def test_a_removal_that_is_under_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Removing(3)
    acts.run_remove(engine, "1")
    assert engine.looks == -1
    acts.run_remove(Removing(0), "1")
    monkeypatch.setattr(acts, "REMOVAL_TIME", 0.2)
    with pytest.raises(EngineRefused, match="already in progress"):
        acts.run_remove(Removing(10**6), "1")


class Socket:
    """An engine of a few lines: what it does with each request is a function of its connection."""

    def __init__(self, path: Path, serve: Any) -> None:
        self.address, self._serve = f"unix://{path}", serve
        self.paths: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            path = connection.recv(1 << 16).split()[1].decode()
            self.paths.append(path)
            threading.Thread(target=self._serve, args=(connection, path), daemon=True).start()

    def close(self) -> None:
        self._listener.close()


def mute(connection: socket.socket, _path: str) -> None:
    threading.Event().wait(20)
    connection.close()


def busy(connection: socket.socket, path: str) -> None:
    """Answers a ping at once, all else after a while."""
    if path != "/_ping":
        time.sleep(0.8)
    connection.sendall(answer(200, b"OK" if path == "/_ping" else b"[]"))
    connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST_WORD", 0.2), ("PING_TIMEOUT", 0.3), ("PING_TIMEOUT_OVER_SSH", 0.5)):
        for module in (engine_line, dial_stdio):
            monkeypatch.setattr(module, name, seconds, raising=False)


def test_an_engine_that_does_not_even_answer_a_ping_is_given_up_within_seconds(tmp_path: Path, impatient: None) -> None:
    assert engine_line.FIRST_WORD < 1
    engine = Socket(tmp_path / "s", mute)
    with pytest.raises(EngineSilent, match="took too long to answer"):
        exchange(engine.address, http_request("GET", listing(STACK)), 60)
    assert engine.paths == [listing(STACK), "/_ping"]
    engine.close()


def test_an_engine_that_is_busy_is_waited_for(tmp_path: Path, impatient: None) -> None:
    engine = Socket(tmp_path / "s", busy)
    assert body_of(exchange(engine.address, http_request("GET", listing(STACK)), 60)) == b"[]"
    assert engine.paths == [listing(STACK), "/_ping"]
    engine.close()


class SlowHost:
    """An ssh Docker host with an engine that takes its time, and a `dial-stdio` that prints this when it is pinged."""

    name, round_trips = "vm", 0

    def __init__(self, pinged: str) -> None:
        self.pinged = pinged

    def exchange(self, request: bytes, timeout: float) -> bytes:
        here: Any = self
        return exchange_over_ssh(here, request, timeout)

    def run(self, _argv: Any, **options: Any) -> Finished:
        return process.run(["sh", "-c", "sleep 1.5; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n[]'"], **options)

    def run_script(self, _script: str, **options: Any) -> Finished:
        return process.run(["sh", "-c", f"printf '{self.pinged}'; exec sleep 9"], **{**options, "check": False})


@pytest.mark.parametrize(
    ("pinged", "is_mute"),
    [("\\n", True), ("\\nHTTP/1.0 200 OK", False), ("", False)],
    ids=["mute", "busy", "a slow line"],
)
def test_the_same_over_ssh(pinged: str, is_mute: bool, impatient: None) -> None:
    host: Any = SlowHost(pinged)
    if is_mute:
        with pytest.raises(EngineSilent, match="on vm does not answer: it took too long"):
            Engine(host).get("/containers/json")
    else:
        assert Engine(host).get("/containers/json") == []


def test_up_gives_up_a_mute_engine_after_seconds_and_waits_for_one_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    engine = Engine(docker_host(Settings(home="/nowhere")))
    for failure, least, most in ((EngineSilent("mute"), 3, 15), (EngineDown("off"), 100, 120)):

        def read(_engine: Engine, failure: EngineDown = failure) -> Any:
            now[0] += 7 if isinstance(failure, EngineSilent) else 0
            raise failure

        monkeypatch.setattr(reads, "read_containers", read)
        begin = now[0]
        with pytest.raises(Failure, match="waited"):
            wait_for_engine(engine, 120)
        assert least <= now[0] - begin <= most
