"""Streams of the engine of an ssh Docker host: through a forwarded socket, or through a program each where that is not to be had."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.docker_host.engine_streams import ForwardedStreams

ANSWER = b"HTTP/1.0 200 OK\r\n\r\n"


class Host:
    """An ssh Docker host: `forwards` says what comes of a forwarded socket (None: ssh refuses it)."""

    target = "me@far"

    def __init__(self, folder: Path, forwards: bytes | None, program: str) -> None:
        self.home, self.forwards, self.program = str(folder), forwards, program
        self.asked: list[str] = []
        self.sockets: list[str] = []

    def run_ssh(self, *words: str) -> Any:
        self.asked.append(words[1])
        if words[1] == "forward" and self.forwards is not None:
            self.listen(words[3].partition(":")[0], self.forwards)
        return SimpleNamespace(code=int(self.forwards is None))

    def listen(self, path: str, data: bytes) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        self.sockets.append(path)
        server.listen()

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    if data:
                        connection.recv(1000)
                        connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()

    def command(self, argv: list[str]) -> list[str]:
        self.asked.append(" ".join(argv))
        return ["sh", "-c", self.program]

    def engine_environment(self) -> dict[str, str]:
        return dict(os.environ)


def streams_of(host: Host) -> ForwardedStreams:
    there: Any = host
    return ForwardedStreams(there)


PIPED = r"read -r line; printf 'HTTP/1.0 200 OK\r\n\r\npiped %s' \"$line\"".replace('\\"', '"')


@pytest.mark.parametrize(
    ("forwards", "wanted"),
    [(ANSWER + b"forwarded", b"forwarded"), (b"", b"piped GET /x"), (None, b"piped GET /x")],
    ids=["forwarded", "closed at once", "refused"],
)
def test_a_stream_comes_whatever_the_machine_forwards(tmp_path: Path, forwards: bytes | None, wanted: bytes) -> None:
    host = Host(tmp_path, forwards, PIPED)
    with streams_of(host) as streams:
        for _ in range(2):
            stream = streams.open("/x")
            assert b"".join(stream.chunks()).startswith(wanted)
            stream.close()
    assert host.asked.count("forward") == 1, "it is tried once"
    assert not [path for path in host.sockets if os.path.lexists(path)]


def test_what_the_engine_refuses_is_its_own_words(tmp_path: Path) -> None:
    host = Host(tmp_path, b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "No such container: x"}', "exit 1")
    with streams_of(host) as streams, pytest.raises(EngineRefused, match="No such container: x"):
        list(streams.open("/x").chunks())
