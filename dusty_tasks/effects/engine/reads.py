"""What the engine knows: containers, images, networks, volumes, events, last lines. One request each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dusty_tasks.core.plan.found import FoundContainer, containers_of
from dusty_tasks.core.text.namespace import ONE_OFF_LABEL, PROJECT_LABEL, Namespace
from dusty_tasks.core.text.safe import plain_lines
from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT, EngineRefused
from dusty_tasks.effects.engine.http import Engine

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


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


def read_time(engine: Engine) -> float:
    """Seconds since 1970 by the engine's clock; by that of this machine if the engine does not tell, as not every kind of engine does. Raises EngineDown."""
    from dusty_tasks.core.of_verbs.findings import seconds_of

    try:
        return seconds_of(str(read_info(engine).get("SystemTime") or ""))
    except ValueError:
        return time.time()


def read_volumes(engine: Engine) -> dict[str, str]:
    """The named volumes of the stack -> when the engine made them."""
    filters = labelled(engine.host.namespace.label)
    return {
        entry["Name"]: entry.get("CreatedAt") or ""
        for entry in engine.get(f"/volumes?filters={filters}").get("Volumes") or ()
    }


def read_mounts(engine: Engine) -> dict[str, list[str]]:
    """Container -> the volumes and folders of the Docker host that it has mounted, of all that run, whoever started them."""
    return {
        entry["Names"][0].lstrip("/"): [
            str(mount.get("Name") or mount.get("Source") or "") for mount in entry.get("Mounts") or ()
        ]
        for entry in engine.get("/containers/json")
    }


def read_usage(engine: Engine) -> dict[str, Any]:
    """`docker system df`, for which the engine measures every image, container and volume."""
    found: dict[str, Any] = engine.get("/system/df", timeout=10 * ANSWER_TIMEOUT)
    return found


def read_events(engine: Engine, container_ids: list[str]) -> list[dict[str, Any]]:
    """What the engine still remembers of these containers, oldest first (it keeps its last 256 events, until it restarts)."""
    # Up to now by its own clock: by one that is ahead it would wait for what is still to come, by one behind leave out the latest.
    now = read_time(engine)
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
