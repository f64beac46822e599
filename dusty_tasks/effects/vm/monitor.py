"""qemu's monitor: one JSON command a line over a socket in the VM's folder (QMP), and the commands for people within it.

It serves one client at a time, so a connection is short; the next one waits.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dusty_tasks.core.vm.machine import MONITOR
from dusty_tasks.effects.doors.failures import Failure

PATIENCE = 10.0


class MonitorGone(Failure):
    """No qemu listens there, or it does not answer."""

    code = 2


class Monitor:
    """An open connection."""

    def __init__(self, stream: socket.socket) -> None:
        self._file = stream.makefile("rw", encoding="utf-8", newline="\n")
        self._next()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command; what it returns. Raises Failure with qemu's own words, MonitorGone."""
        self._file.write(json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})}) + "\n")
        self._file.flush()
        while True:
            answer = self._next()
            if "error" in answer:
                raise Failure(f"qemu refused {command}: {answer['error'].get('desc', '')}", code=2)
            if "return" in answer:
                return answer["return"]

    def told(self, line: str) -> str:
        """Run a command for people; what it prints, '' for nothing."""
        return str(self.execute("human-monitor-command", **{"command-line": line})).replace("\r\n", "\n").strip()

    def _next(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise MonitorGone("qemu's monitor closed the connection")
        return dict(json.loads(line))


@contextmanager
def connected(folder: str) -> Iterator[Monitor]:
    """A connection to the monitor of the VM in `folder`. Raises MonitorGone."""
    # A socket's path has at most a hundred characters, and DUSTY_HOME may be longer: on Linux the folder is named by a descriptor.
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise MonitorGone(f"{folder}: {error.strerror}") from error
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(PATIENCE)
        try:
            begin = f"/proc/self/fd/{handle}" if sys.platform == "linux" else folder
            stream.connect(f"{begin}/{MONITOR}")
            yield Monitor(stream)
        except (OSError, ValueError) as error:
            raise MonitorGone(f"qemu's monitor in {folder} does not answer: {error}") from error
        finally:
            os.close(handle)
