"""Requests to an engine and its JSON answers, over the line that its Docker host has to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT, EngineDown, body_of, http_request

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

BROKEN_ANSWER = "the Docker engine closed the connection in the middle of its answer"


class Engine:
    """Requests to one engine, counted: `reads` goes into the receipt of `up`."""

    def __init__(self, host: DockerHost) -> None:
        self.host = host
        self.reads = 0

    def get(self, path: str, timeout: float = ANSWER_TIMEOUT) -> Any:
        """The JSON that the engine answers. Raises EngineDown, EngineRefused."""
        self.reads += 1
        answer = self.request("GET", path, timeout=timeout)
        try:
            return json.loads(answer or b"null")
        except ValueError as error:
            raise EngineDown(BROKEN_ANSWER, f"{DUSTY} start") from error

    def post(self, path: str, body: Any = None, timeout: float = ANSWER_TIMEOUT) -> Any:
        """Ask for a change; its JSON answer, if any. Raises EngineDown, EngineRefused (304, "already so", is fine)."""
        answer = self.request("POST", path, body, timeout)
        try:
            return json.loads(answer or b"null")
        except ValueError:
            return None

    def request(self, method: str, path: str, body: Any = None, timeout: float = ANSWER_TIMEOUT) -> bytes:
        """The body of the answer to one request. Raises EngineDown, EngineRefused."""
        return body_of(self.host.exchange(http_request(method, path, body), timeout))
