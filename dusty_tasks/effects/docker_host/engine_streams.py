"""Answers of the engine that have no end, as they come: over its socket, all in this process.

For an ssh Docker host the engine's socket is forwarded by the shared connection; where that machine forwards no sockets, each stream
goes through a `docker system dial-stdio` of its own.
"""

from __future__ import annotations

import os
import secrets
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host import engine_line
from dusty_tasks.effects.docker_host.engine_address import DEFAULT_SOCKET
from dusty_tasks.effects.docker_host.engine_line import PING, EngineDown, body_of, http_request
from dusty_tasks.effects.docker_host.ssh import control_path
from dusty_tasks.effects.doors.process import piped

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.over_ssh import SshHost

CHUNK = 1 << 16
LONGEST_HEAD = 1 << 16


class Streams(ABC):
    """Opens streams of one engine; what it needed for that is gone after the block."""

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give up what it needed."""

    def open(self, path: str) -> Stream:
        """Ask for `path`. Raises EngineDown, EngineDenied."""
        return self.send(http_request("GET", path))

    @abstractmethod
    def send(self, request: bytes) -> Stream:
        """The answer to a request. Raises EngineDown, EngineDenied."""


class SocketStreams(Streams):
    def __init__(self, address: str) -> None:
        self.address = address

    def close(self) -> None:
        pass

    def send(self, request: bytes) -> Stream:
        return SocketStream(self.address, request)


class ForwardedStreams(Streams):
    """Those of an ssh Docker host."""

    def __init__(self, host: SshHost) -> None:
        self.host = host
        self._stack = ExitStack()
        self._forwarded: str | None = None
        """The socket here that leads to that of the Docker host; '' where there can be none, None while it was not tried."""

    def close(self) -> None:
        self._stack.close()

    def send(self, request: bytes) -> Stream:
        for _attempt in range(2):
            if self._forwarded is None:
                self._forwarded = self._forward()
            if not self._forwarded:
                break
            try:
                return SocketStream(f"unix://{self._forwarded}", request)
            except EngineDown:
                self._forwarded = None  # The shared connection was cut, and is another by now.
        return PipedStream(self.host, request)

    def _forward(self) -> str:
        """A socket here that leads to the engine's there, for us alone; '' if that machine does not forward it."""
        path = f"{control_path(self.host.home, self.host.target)[:-6]}{secrets.token_hex(3)}"
        words = ("-L", f"{path}:{DEFAULT_SOCKET}")
        if self.host.run_ssh("-O", "forward", *words).code:
            return ""
        self._stack.callback(self._end_forward, path, words)
        try:
            # A machine that forwards no sockets accepts the connection here, and closes it.
            return path if engine_line.exchange(f"unix://{path}", PING, engine_line.PING_TIMEOUT_OVER_SSH) else ""
        except EngineDown:
            return ""

    def _end_forward(self, path: str, words: tuple[str, ...]) -> None:
        self.host.run_ssh("-O", "cancel", *words)
        with suppress(OSError):
            os.unlink(path)


class Stream(ABC):
    """The body of one answer. `close` may come from another thread, and ends it."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes as they come. Raises EngineRefused, EngineDown."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = self._read()
            head += data
            if not data or len(head) > LONGEST_HEAD:
                body_of(head)  # says what is wrong
                return
        status, _, first = head.partition(b"\r\n\r\n")
        if status.split(None, 2)[1:2] != [b"200"]:
            body_of(head + b"".join(iter(self._read, b"")))
        if first:
            yield first
        yield from iter(self._read, b"")

    @abstractmethod
    def _read(self) -> bytes:
        """What came, b"" at its end."""

    @abstractmethod
    def close(self) -> None:
        """Give up the connection, or the process, that it comes through."""


class SocketStream(Stream):
    def __init__(self, address: str, request: bytes) -> None:
        try:
            self._socket = engine_line.connect(address, engine_line.ANSWER_TIMEOUT)
            self._socket.settimeout(None)
            self._socket.sendall(request)
        except PermissionError as error:
            raise engine_line.EngineDenied(
                f"this account may not use the Docker engine at {address} (members of the group docker may)"
            ) from error
        except OSError as error:
            raise EngineDown(
                f"the Docker engine at {address} does not answer: {error.strerror or error}", f"{DUSTY} start"
            ) from error

    def _read(self) -> bytes:
        try:
            return self._socket.recv(CHUNK)
        except OSError:
            return b""  # reset, or closed by close()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class PipedStream(Stream):
    def __init__(self, host: SshHost, request: bytes) -> None:
        self._stack = ExitStack()
        self._pipe = self._stack.enter_context(
            piped(host.command(["docker", "system", "dial-stdio"]), env=host.engine_environment())
        )
        # What is written last keeps its pipe open: for the engine an asker who closes his end has gone away.
        self._pipe.input.write(request)
        self._pipe.input.flush()

    def _read(self) -> bytes:
        try:
            return os.read(self._pipe.out.fileno(), CHUNK)
        except (OSError, ValueError):
            return b""

    def close(self) -> None:
        self._stack.close()
