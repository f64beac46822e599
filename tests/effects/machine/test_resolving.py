"""Where names lead, by the real resolver."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from dusty_tasks.effects.machine.resolving import PATIENCE, read_addresses


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
