"""An engine that is a few values, and a `docker` that is a script: for verbs on running containers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.effects.docker_host import engine_streams
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.local import LocalHost
from dusty_tasks.effects.engine import http, reads
from dusty_tasks.effects.observe import docker_host as observe


def container(name: str, state: str = "running", kind: str = "app", **fields: Any) -> FoundContainer:
    return FoundContainer(
        name=name,
        container_name=f"dusty_{name}_1",
        id=f"id-{name}",
        state=state,
        image="busybox:1",
        labels={"dusty.name": name, "dusty.kind": kind},
        **fields,
    )


ANSWERS: dict[str, Any] = {
    "/info": {"SystemTime": "2026-01-01T00:00:00Z"},
    "/version": {"Version": "28.0", "ApiVersion": "1.48"},
    "/networks/bridge": {"IPAM": {"Config": [{"Gateway": "172.17.0.1"}]}},
    "/system/df": {},
    "/volumes": {"Volumes": None},
    "/events": b"",
}
WEB, DB, OLD = container("web"), container("db", kind="service"), container("old", "exited", exit_status=3)


class LogStream(engine_streams.Stream):
    """What the engine sends of a log, a few bytes at a time; None is what it says of a container that it does not have."""

    def __init__(self, lines: list[tuple[str, bool, str]] | None) -> None:
        data = b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "No such container"}'
        if lines is not None:
            texts = [(is_error, f"{time} {text}\n".encode()) for time, is_error, text in lines]
            data = b"HTTP/1.0 200 OK\r\n\r\n" + b"".join(
                bytes([1 + is_error, 0, 0, 0]) + len(text).to_bytes(4, "big") + text for is_error, text in texts
            )
        self.pieces = iter([*(data[at : at + 7] for at in range(0, len(data), 7)), b""])

    def _read(self) -> bytes:
        return next(self.pieces)

    def close(self) -> None:
        pass


class Engine:
    """What the engine answers, and what it was asked to do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.containers, self.answers, self.asked = folder, [WEB, DB, OLD], dict(ANSWERS), []
        self.is_down = False
        self.script('echo "$@"')
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(http.Engine, "get", lambda _self, path, timeout=0: self._answer("GET", path))
        monkeypatch.setattr(
            http.Engine, "request", lambda _self, method, path, body=None, timeout=0: self._answer(method, path)
        )
        self.logs: dict[str, list[tuple[str, bool, str]]] = {}
        """Container id -> (time, whether to stderr, text) of each line."""
        self.logs_asked: list[str] = []
        monkeypatch.setattr(engine_streams.Streams, "open", lambda _self, path: self._opened(path))
        monkeypatch.setattr(reads, "read_containers", lambda _engine: self._listed())
        monkeypatch.setattr(LocalHost, "exchange", lambda _self, _request, _timeout: self._exchanged())
        monkeypatch.setattr(observe, "containers_of", lambda _listing: self._listed())

    def _opened(self, path: str) -> engine_streams.Stream:
        self.logs_asked.append(path)
        return LogStream(self.logs.get(path.split("/")[2]) if "follow=1" not in path else [])

    def _exchanged(self) -> bytes:
        """What observing asks of it: its containers."""
        self._fail_if_down()
        return b"HTTP/1.0 200 OK\r\n\r\n[]"

    def _listed(self) -> dict[str, FoundContainer]:
        self._fail_if_down()
        return {found.name: found for found in self.containers}

    def _fail_if_down(self) -> None:
        if self.is_down:
            raise EngineDown("the Docker engine at unix:///x does not answer: No such file or directory", "dusty start")

    def _answer(self, method: str, path: str) -> Any:
        self._fail_if_down()
        if method != "GET":
            self.asked.append(f"{method} {path}")
            return b"[]" if "/images/" in path else b""
        nothing: Any = {} if path.startswith("/containers/") and path.endswith("/json") else []
        found = next((answer for prefix, answer in self.answers.items() if path.startswith(prefix)), nothing)
        if isinstance(found, Exception):
            raise found
        return found

    def script(self, text: str) -> None:
        """What `docker` does; each call's words are kept."""
        program = self.folder / "docker"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{self.folder}/calls"\n{text}\n')
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


def wanted(home: Path, *names: str) -> None:
    """A compiled stack of these containers."""
    (home / "state").mkdir(parents=True, exist_ok=True)
    containers = [{"name": name, "kind": "app", "container_name": f"dusty_{name}_1", "mapping": {}} for name in names]
    (home / "state/wanted.json").write_text(json.dumps({"containers": containers}))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dusty: object) -> Engine:
    (tmp_path / "programs").mkdir()
    return Engine(tmp_path / "programs", monkeypatch)
