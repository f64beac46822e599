"""The line to an engine: one request and its whole answer, over its socket; and what may go wrong on any line to it.

A request here is a few lines over a socket: importing http.client alone would cost a no-op 13 ms, the SDK 51 ms. Requests are HTTP/1.0,
so an answer ends where the connection ends.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.ssh_trouble import PASSING, SshTrouble
from dusty_tasks.effects.doors.failures import Failure

ANSWER_TIMEOUT = 60.0
"""Seconds for one answer; a restart's own stop time is added to it."""
FIRST_WORD = 3.0
"""Seconds after which an engine that has not begun its answer is asked whether it is there at all."""
PING_TIMEOUT, PING_TIMEOUT_OVER_SSH = 4.0, 10.0


class EngineDown(Failure):
    """The engine does not answer; `what` says at which address and why."""

    code = 2
    is_absence = True

    def __init__(self, what: str, hint: str = "", code: int | None = None, trouble: SshTrouble = PASSING) -> None:
        super().__init__(what, hint, code)
        self.trouble = trouble


class EngineSilent(EngineDown):
    """The engine takes the connection and says nothing, not even to a ping."""


class EngineDenied(EngineDown):
    """The engine is there, and this account may not talk to it: waiting does not mend that."""

    code = 1


class EngineRefused(Failure):
    """The engine answered with an error of its own."""

    code = 2

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def http_request(method: str, path: str, body: Any = None) -> bytes:
    """A request in HTTP/1.0."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


PING = http_request("GET", "/_ping")


def body_of(answer: bytes) -> bytes:
    """The body of an HTTP answer. Raises EngineRefused with the engine's own message, EngineDown for no HTTP at all."""
    head, found, body = answer.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if not found or len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise EngineDown("the Docker engine closed the connection without an answer")
    status = int(words[1])
    if status >= 400:
        raise EngineRefused(status, _message(body) or f"the Docker engine answered with status {status}")
    return body


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()


def exchange(address: str, request: bytes, timeout: float) -> bytes:
    """Send `request` to the engine at `address` (unix:// or tcp://), and all that it answers. Raises EngineDown, EngineDenied."""
    try:
        with connect(address, timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(request)
            first = _first_word(connection, address, timeout)
            return first + b"".join(iter(lambda: connection.recv(1 << 18), b"")) if first else b""
    except TimeoutError as error:
        raise EngineSilent(
            f"the Docker engine at {address} does not answer: it took too long to answer", f"{DUSTY} start"
        ) from error
    except PermissionError as error:
        raise EngineDenied(
            f"this account may not use the Docker engine at {address} (members of the group docker may)",
            f"{DUSTY} up, which asks before it changes that; after a change by hand log out and in again",
        ) from error
    except OSError as error:
        raise EngineDown(
            f"the Docker engine at {address} does not answer: {error.strerror or error}", f"{DUSTY} start"
        ) from error


def _first_word(connection: socket.socket, address: str, timeout: float) -> bytes:
    """The beginning of an answer. An engine that is dead is not waited for as one that is busy is. Raises TimeoutError, OSError."""
    connection.settimeout(min(FIRST_WORD, timeout))
    try:
        return connection.recv(1 << 18)
    except TimeoutError:
        if timeout <= FIRST_WORD or not _answers_ping(address):
            raise
    connection.settimeout(timeout)
    return connection.recv(1 << 18)


def _answers_ping(address: str) -> bool:
    try:
        with connect(address, PING_TIMEOUT) as connection:
            connection.settimeout(PING_TIMEOUT)
            connection.sendall(PING)
            return bool(connection.recv(1))
    except OSError:
        return False


def connect(address: str, timeout: float) -> socket.socket:
    if address.startswith("unix://"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        try:
            connection.connect(address.removeprefix("unix://"))
        except OSError:
            connection.close()
            raise
        return connection
    if address.startswith(("tcp://", "http://")):
        name, _, port = address.partition("://")[2].rstrip("/").rpartition(":")
        if not name or not port.isdigit():
            raise EngineDown(
                f"DOCKER_HOST is {address}, which names no port", f"for example {address.rstrip('/')}:2375"
            )
        return socket.create_connection((name.strip("[]"), int(port)), timeout=min(timeout, 10))
    raise EngineDown(
        f"DOCKER_HOST is {address}, which is neither a unix:// nor a tcp:// address",
        f"for an ssh Docker host: {DUSTY} config set host.kind ssh, and host.ssh",
    )
