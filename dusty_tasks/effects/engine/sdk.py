"""The docker SDK, over the line that a Docker host has to its engine: for whatever changes something there.

The SDK's own ways to an ssh host are paramiko, or a connection of its own for each call; here its requests go where all others go, so they share the
one connection, its options, its time limits and its words for an engine that is away. What is not asked through it, and why:

* *Reads of a run that changes nothing*: the import alone takes longer than all else that a no-op does (`engine_line`). Counted by valgrind, it is
  502 million instructions; a whole `dusty validate` of 100 apps is 478, `engine_streams` with all that it imports 160.
* *Streams* (`engine_streams`): its stream of a log does not say which line came from stderr (the number of each frame is dropped), and asks one
  question more for each container to learn whether it has a terminal: over ssh, twenty round trips for the logs of twenty containers.
* *The output of a program in a container*: it is read without any time limit (docker/utils/socket.py polls for ever), and a hung `nginx -t` would hold up `up`.
* *Pulls*: the docker client asks the credential helpers, draws the bars, and can be given up after the first seconds without an answer.
* *Building and creating* are Compose's: the SDK knows no BuildKit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from docker import APIClient

    from dusty_tasks.effects.engine.http import Engine

VERSION = "1.44"
"""Of the API that the SDK goes by. It asks the engine for none, which then answers by its own: what is used here is the same since 20.10."""


def client(engine: Engine, timeout: float = ANSWER_TIMEOUT) -> APIClient:
    """The SDK's client of an engine, `timeout` in seconds for one answer. Its calls raise EngineDown, EngineRefused.

    Raises Failure if the docker client's configuration cannot be read.
    """
    from docker import APIClient
    from docker.errors import DockerException

    class Client(APIClient):
        def _url(self, pathfmt: str, *args: Any, **_: Any) -> str:
            return str(super()._url(pathfmt, *args, versioned_api=False))

    try:
        made = Client(base_url="http://engine:2375", version=VERSION, timeout=timeout)
    except DockerException as error:
        raise Failure(
            f"the configuration of the docker client cannot be read: {error}", "fix ~/.docker/config.json"
        ) from error
    made.trust_env = False  # No proxy, no .netrc: the line is no matter of the environment.
    made.mount("http://", OverTheLine(engine))
    return made


class OverTheLine:
    """What requests calls an adapter: carries a request of the SDK's to the engine, and the answer back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def send(self, request: Any, timeout: Any = None, **_: Any) -> Any:
        from requests import Response

        response = Response()
        response.request, response.url, response.status_code = request, request.url, 200
        response._content = self.engine.request(
            request.method,
            request.path_url,
            body=json.loads(request.body) if request.body else None,
            timeout=ANSWER_TIMEOUT if timeout is None else timeout,
        )
        return response

    def close(self) -> None:
        """Nothing is kept open."""
