"""Where names lead, by the real resolver."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from dusty_tasks.core.of_verbs.name_answers import NO_REPLY
from dusty_tasks.effects.machine.resolving import PATIENCE, ask_server, read_addresses, read_all_addresses


def test_a_name_of_the_hosts_file_and_one_of_nobody() -> None:
    assert read_addresses(["localhost", "a..b"]) == {"localhost": "127.0.0.1", "a..b": ""}
    assert read_addresses([]) == {}


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object) -> None:
        over.wait(60)
        raise OSError("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begin = time.monotonic()
    assert read_addresses([f"{number}.test" for number in range(20)]) == {f"{number}.test": "" for number in range(20)}
    assert time.monotonic() - begin < 20 * PATIENCE
    over.set()


def test_a_name_server_is_asked_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def serve() -> None:
            asked, sender = server.recvfrom(500)
            server.sendto(asked[:2] + b"\x81\x83" + asked[4:], sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert ask_server("127.0.0.1", "web.test", port) == "NXDOMAIN"
        thread.join()
    assert ask_server("127.0.0.1", "web.test", port) == NO_REPLY == ask_server("not an address", "web.test")


def test_all_addresses_of_a_name() -> None:
    assert "127.0.0.1" in read_all_addresses(["localhost"])["localhost"]
