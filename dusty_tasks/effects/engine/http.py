"""The engine's HTTP interface: over its unix socket, or through `docker system dial-stdio` on an ssh Docker host.

A request here is a few lines over a socket: importing http.client alone would cost a no-op 13 ms, the SDK 51 ms
(and the SDK cannot use our multiplexed ssh connection). Requests are HTTP/1.0, so an answer ends where the connection ends.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dusty_tasks.core.plan.found import FoundContainer, containers_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import ONE_OFF_LABEL, PROJECT_LABEL, Namespace
from dusty_tasks.core.text.safe import plain_lines
from dusty_tasks.core.text.ssh_trouble import PASSING, SshTrouble, ssh_trouble
from dusty_tasks.effects.docker_host.engine_address import engine_address
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import TIMED_OUT, Finished, Look

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

ANSWER_TIMEOUT = 60.0
"""Seconds for one answer; a restart's own stop time is added to it."""
FIRST_WORD = 3.0
"""Seconds after which an engine that has not begun its answer is asked whether it is there at all."""
PING_TIMEOUT, PING_TIMEOUT_OVER_SSH = 4.0, 10.0
REMOVAL_TIME = 10.0
"""Seconds for a removal that somebody else has begun."""


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
            raise EngineDown(
                "the Docker engine ended the connection in the middle of its answer", f"{DUSTY} start"
            ) from error

    def post(self, path: str, body: Any = None, timeout: float = ANSWER_TIMEOUT) -> Any:
        """Ask for a change; its JSON answer, if any. Raises EngineDown, EngineRefused (304, "already so", is fine)."""
        answer = self.request("POST", path, body, timeout)
        try:
            return json.loads(answer or b"null")
        except ValueError:
            return None

    def request(self, method: str, path: str, body: Any = None, timeout: float = ANSWER_TIMEOUT) -> bytes:
        """The body of the answer to one request. Raises EngineDown, EngineRefused."""
        text = http_request(method, path, body)
        if self.host.kind == "ssh":
            answer = exchange_over_ssh(self.host, text, timeout)
        else:
            answer = exchange(engine_address(self.host.engine_environment()), text, timeout)
        return body_of(answer)


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
        raise EngineDown("the Docker engine ended the connection without an answer")
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
            f"the Docker engine at {address} is closed to this account (in the group docker it is open)",
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


def exchange_over_ssh(host: DockerHost, request: bytes, timeout: float) -> bytes:
    """The same through the ssh connection of the Docker host. Raises EngineDown.

    The request's pipe stays open until the answer ends: for the engine an asker who closes his end has gone away, and it
    gives up ("context canceled") what takes it longer than a moment: listing volumes, stopping, /system/df.
    """
    finished = host.run(
        ["docker", "system", "dial-stdio"],
        input=request,
        timeout=timeout,
        hold_input=True,
        errors="surrogateescape",
        still_worth_it=look_at(host),
    )
    if finished.code == TIMED_OUT or not finished.out:
        trouble = ssh_trouble(finished.err)
        raise (EngineSilent if finished.code == TIMED_OUT else EngineDown)(
            silence(host, finished), trouble.hint.format(name=host.name) or f"{DUSTY} start", trouble=trouble
        )
    return finished.out.encode("utf-8", "surrogateescape")


def look_at(host: DockerHost) -> Look:
    """Whether the engine of an ssh Docker host is worth waiting for: it answers a ping. Where the line says nothing, ssh itself is the judge."""

    def look() -> bool:
        try:
            said = host.run_script(
                "echo; exec docker system dial-stdio",
                input=PING,
                hold_input=True,
                timeout=PING_TIMEOUT_OVER_SSH,
                check=False,
            ).out
        except Failure:
            return True
        return said != "\n"

    return Look(FIRST_WORD, look)


def silence(host: DockerHost, finished: Finished) -> str:
    """Why `docker system dial-stdio` on an ssh Docker host gave no answer, as a sentence."""
    last = (
        "it took too long to answer"
        if finished.code == TIMED_OUT
        else (finished.err.strip().splitlines() or ["it ended without an answer"])[-1]
    )
    return f"the Docker engine on {host.name} does not answer: {last}"


def listing(namespace: Namespace) -> str:
    """The request for the containers of a stack, running or not."""
    return f"/containers/json?all=1&filters={labelled(namespace.label)}"


def labelled(label: str) -> str:
    """What carries a label, `key` or `key=value`, as the value of a request's `filters`."""
    return quote(json.dumps({"label": [label]}))


def read_containers(engine: Engine) -> dict[str, FoundContainer]:
    """The containers of the stack, running or not, by spec name: one read. Raises EngineDown."""
    return containers_of(engine.get(listing(engine.host.namespace)))


def list_containers(host: DockerHost) -> list[FoundContainer]:
    """The same for a verb, sorted by name."""
    return sorted(read_containers(Engine(host)).values())


def read_details(engine: Engine, container_id: str) -> dict[str, Any]:
    """What the engine knows of one container (`docker inspect`). Raises EngineDown, EngineRefused (404: it is gone)."""
    found: dict[str, Any] = engine.get(f"/containers/{quote(container_id)}/json")
    return found


def read_restart_count(engine: Engine, container_id: str) -> int:
    """How often the engine started a container again by itself since somebody started it; 0 for one that is gone."""
    try:
        return int(read_details(engine, container_id).get("RestartCount") or 0)
    except EngineRefused:
        return 0


def read_started_at(engine: Engine, container_id: str) -> float:
    """When it was started last, by the clock of the Docker host; 0 for one that is gone."""
    from dusty_tasks.core.of_verbs.findings import seconds_of

    try:
        return seconds_of(str((read_details(engine, container_id).get("State") or {}).get("StartedAt") or ""))
    except (EngineRefused, ValueError):
        return 0


def read_strangers(engine: Engine) -> dict[str, str]:
    """Container name -> id of all containers on the engine that are not of the project, or were run once in it by hand."""

    def is_ours(labels: Mapping[str, str]) -> bool:
        return labels.get(PROJECT_LABEL) == engine.host.namespace.project and labels.get(ONE_OFF_LABEL) != "True"

    return {
        name.lstrip("/"): entry["Id"]
        for entry in engine.get("/containers/json?all=1")
        for name in entry.get("Names") or []
        if not is_ours(entry.get("Labels") or {})
    }


def read_images(engine: Engine) -> dict[str, dict[str, str]]:
    """Image name -> its labels, for all images with a name."""
    listing = engine.get("/images/json")
    return {
        name: entry.get("Labels") or {}
        for entry in listing
        for name in [*(entry.get("RepoTags") or []), *(entry.get("RepoDigests") or [])]
        if "<none>" not in name
    }


def has_file(engine: Engine, container_id: str, path: str) -> bool:
    """True if there is something at `path` of a container."""
    try:
        engine.request("HEAD", f"/containers/{container_id}/archive?path={quote(path)}")
    except EngineRefused:
        return False
    return True


def read_network_id(engine: Engine) -> str:
    """The id of the project's network, '' if there is none."""
    try:
        return str(engine.get(f"/networks/{quote(engine.host.namespace.network)}")["Id"])
    except EngineRefused as refused:
        if refused.status != 404:
            raise
        return ""


def read_subnet(engine: Engine) -> str:
    """The subnet of the project's network, '' if it has none."""
    config = (
        (engine.get(f"/networks/{quote(engine.host.namespace.network)}").get("IPAM") or {}).get("Config") or [{}]
    )[0]
    return str(config.get("Subnet") or "")


def read_bridge_address(engine: Engine) -> str:
    """The address of the engine's default bridge on the Docker host, '' if it has none."""
    import ipaddress

    try:
        config = ((engine.get("/networks/bridge").get("IPAM") or {}).get("Config") or [{}])[0]
    except EngineRefused:
        return ""
    if config.get("Gateway") or not config.get("Subnet"):
        return str(config.get("Gateway") or "")
    # Engine 20.10 names its gateway only where a daemon setting did; otherwise it takes the first address.
    return str(next(ipaddress.ip_network(config["Subnet"]).hosts()))


def read_info(engine: Engine) -> dict[str, Any]:
    """`docker info`."""
    found: dict[str, Any] = engine.get("/info")
    return found


def read_volumes(engine: Engine) -> dict[str, str]:
    """The named volumes of the stack -> when the engine made them."""
    filters = labelled(engine.host.namespace.label)
    return {
        entry["Name"]: entry.get("CreatedAt") or ""
        for entry in engine.get(f"/volumes?filters={filters}").get("Volumes") or ()
    }


def read_usage(engine: Engine) -> dict[str, Any]:
    """`docker system df`, for which the engine measures every image, container and volume."""
    found: dict[str, Any] = engine.get("/system/df", timeout=10 * ANSWER_TIMEOUT)
    return found


def read_events(engine: Engine, container_ids: list[str]) -> list[dict[str, Any]]:
    """What the engine still remembers of these containers, oldest first (it keeps its last 256 events, until it restarts)."""
    from dusty_tasks.core.of_verbs.findings import seconds_of

    # Up to now by its own clock: by one that is ahead it would wait for what is still to come, by one behind leave out the latest.
    now = seconds_of(read_info(engine)["SystemTime"])
    filters = quote(
        json.dumps({"type": ["container"], "container": container_ids, "event": ["start", "die", "kill", "stop"]})
    )
    engine.reads += 1
    answer = engine.request("GET", f"/events?since=0&until={now:.6f}&filters={filters}")
    return [json.loads(line) for line in answer.splitlines() if line.strip()]


def read_last_lines(engine: Engine, container_id: str, count: int = 10, since: int = 0) -> str:
    """The last lines that a container printed, both streams; with `since` (ns since 1970) those printed after that."""
    span = f"since={since // 10**9}.{since % 10**9:09d}&" if since else ""
    answer = engine.request("GET", f"/containers/{quote(container_id)}/logs?{span}stdout=1&stderr=1&tail={count}")
    return plain_lines(without_frames(answer).decode("utf-8", "replace")).rstrip()


def without_frames(data: bytes) -> bytes:
    """The text of a log whose pieces carry 8-byte headers (stream, three zeros, length); a terminal's log has none."""
    pieces, rest = [], data
    while len(rest) >= 8 and rest[0] in (0, 1, 2) and rest[1:4] == b"\0\0\0":
        size = int.from_bytes(rest[4:8], "big")
        pieces.append(rest[8 : 8 + size])
        rest = rest[8 + size :]
    return b"".join(pieces) + rest


def run_start(engine: Engine, container_id: str) -> None:
    engine.post(f"/containers/{quote(container_id)}/start")


def run_unpause(engine: Engine, container_id: str) -> None:
    engine.post(f"/containers/{quote(container_id)}/unpause")


def run_stop(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Stop; `seconds` of None is the container's own stop time."""
    engine.post(
        f"/containers/{quote(container_id)}/stop{_stop_time(seconds)}", timeout=ANSWER_TIMEOUT + (seconds or 60)
    )


def run_restart(engine: Engine, container_id: str, seconds: int | None) -> None:
    """Restart, also a container that has ended."""
    engine.post(
        f"/containers/{quote(container_id)}/restart{_stop_time(seconds)}", timeout=ANSWER_TIMEOUT + (seconds or 60)
    )


def run_remove(engine: Engine, container_id: str, *, keep_volumes: bool = False) -> None:
    """Remove a container with its anonymous volumes; one that is gone already, or by the time the engine is done with it, is fine.

    Raises EngineRefused if the engine does not get rid of it.
    """
    try:
        mounts = [] if keep_volumes else engine.get(f"/containers/{quote(container_id)}/json").get("Mounts") or []
        engine.request("DELETE", f"/containers/{quote(container_id)}?v={int(not keep_volumes)}&force=1")
        for mount in mounts:
            # Compose hands an anonymous volume to the next container by its name, and the engine then keeps it.
            if mount.get("Type") == "volume" and re.fullmatch("[0-9a-f]{64}", mount.get("Name") or ""):
                _remove_volume(engine, mount["Name"])
    except EngineRefused as refused:
        if refused.status != 404 and not (refused.status == 409 and _is_gone_soon(engine, container_id)):
            raise


def _is_gone_soon(engine: Engine, container_id: str) -> bool:
    """Wait for a removal that is under way; False if the container is still there after REMOVAL_TIME."""
    end = time.monotonic() + REMOVAL_TIME
    while time.monotonic() < end:
        try:
            engine.get(f"/containers/{quote(container_id)}/json")
        except EngineRefused as refused:
            if refused.status == 404:
                return True
            raise
        time.sleep(0.05)
    return False


def _remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume; one that is gone, or that another container uses, is fine."""
    try:
        engine.request("DELETE", f"/volumes/{quote(name)}")
    except EngineRefused as refused:
        if refused.status not in (404, 409):
            raise


def reconnect(engine: Engine, container_id: str, network: str, aliases: list[str]) -> None:
    """Take a container off a network and put it back under `aliases`; it goes on running."""
    try:
        engine.post(f"/networks/{quote(network)}/disconnect", {"Container": container_id, "Force": True})
    except EngineRefused as refused:
        if "not connected" not in str(refused):
            raise
    engine.post(
        f"/networks/{quote(network)}/connect", {"Container": container_id, "EndpointConfig": {"Aliases": aliases}}
    )


def _stop_time(seconds: int | None) -> str:
    return "" if seconds is None else f"?t={seconds}"


def each_at_once(calls: Sequence[Callable[[], None]]) -> list[Failure | None]:
    """Run `calls` in threads; for each its Failure, or None."""
    from concurrent.futures import ThreadPoolExecutor

    def attempt(call: Callable[[], None]) -> Failure | None:
        try:
            call()
        except Failure as failure:
            return failure
        return None

    if len(calls) < 2:
        return [attempt(call) for call in calls]
    with ThreadPoolExecutor(min(len(calls), 16)) as pool:
        return list(pool.map(attempt, calls))


def run_exec(engine: Engine, container_id: str, argv: list[str]) -> tuple[int, str]:
    """Run a command in a running container: its exit status and what it printed."""
    made = engine.post(
        f"/containers/{quote(container_id)}/exec", {"Cmd": argv, "AttachStdout": True, "AttachStderr": True}
    )
    printed = without_frames(engine.request("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False}))
    return int(engine.get(f"/exec/{made['Id']}/json")["ExitCode"] or 0), printed.decode("utf-8", "replace")


def run_signal(engine: Engine, container_id: str, signal_name: str) -> None:
    """Send a signal to a container's first process."""
    engine.post(f"/containers/{quote(container_id)}/kill?signal={signal_name}")
