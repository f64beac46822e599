"""What `lookup` tells scripts and agents of a stack: URLs, containers, ports and data folders, from what was compiled. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.specs.compose_values import named_volumes, published_ports
from dusty_tasks.core.stack.model import Route
from dusty_tasks.core.text.paths import ASSETS_THERE, COPIES, PROXY_THERE, RECORDS


def stack_facts(wanted: Wanted, routes: Iterable[Route], settings: Settings) -> dict[str, Any]:
    """The stack as it was compiled; nothing of it says whether it runs."""
    streams: dict[str, list[str]] = {}
    for route in routes:
        if route.kind == "stream":
            streams.setdefault(route.app_name, []).append(
                f"{settings.namespace.host_name(route.host_name)}:{route.host_port}"
            )
    containers = [
        _container(container, streams.get(container.name, []), settings)
        for container in sorted(wanted.containers, key=lambda each: (each.kind == "proxy", each.name))
    ]
    return {
        "project": settings.namespace.project,
        "network": settings.namespace.network,
        "urls": [url for container in containers for url in container["urls"]],
        "containers": containers,
    }


def _container(container: WantedContainer, streams: list[str], settings: Settings) -> dict[str, Any]:
    return {
        "name": container.name,
        "type": container.kind,
        "container": container.container_name,
        "urls": list(container.http_urls),
        "streams": streams,
        "ports": [
            {"address": port.ip, "port": number, "protocol": port.protocol}
            for _, port in published_ports(container.mapping)
            if not port.is_choice
            for number in range(port.first, port.last + 1)
        ],
        "code": container.code,
        "data": data_folders(container.mapping, settings.host),
        "volumes": [settings.namespace.volume(name) for name in named_volumes(container.mapping)],
    }


def data_folders(mapping: Mapping[str, Any], host: HostSettings) -> list[str]:
    """The files and folders below `host.data` in which a container keeps data: what it mounts there beside what Dusty puts there."""
    top = host.root.rstrip("/")
    made = [f"{top}/{place}" for place in (COPIES, ASSETS_THERE, PROXY_THERE, RECORDS)]
    return [
        path
        for path in bind_sources([mapping])
        if f"{path}/".startswith(f"{top}/{host.data}/")
        and not any(f"{path}/".startswith(f"{place}/") for place in made)
    ]


def repo_of_folder(folder: str, sources: Mapping[str, str]) -> str:
    """The id of the repo whose working tree (repo id -> path) holds `folder`, the innermost one; '' for none."""
    holding = [
        (len(path), repo_id) for repo_id, path in sources.items() if f"{folder}/".startswith(f"{path.rstrip('/')}/")
    ]
    return max(holding)[1] if holding else ""


def told(facts: Mapping[str, Any]) -> list[str]:
    """The facts as lines for a person."""
    lines = [f"world    {facts['world']} ({facts['why']})", f"home     {facts['home']}"]
    lines.append(f"network  {facts['network']}")
    if facts["repo"]:
        users = f", used by {', '.join(facts['parts'])}" if facts["parts"] else ""
        lines.append(f"repo     {facts['repo']}{users}")
    for container in facts["containers"]:
        lines += ["", f"{container['name']} ({container['type']}): container {container['container']}"]
        ports = [
            f"{':'.join(filter(None, [port['address'], str(port['port'])]))}/{port['protocol']}"
            for port in container["ports"]
        ]
        for title, values in (
            ("url", container["urls"]),
            ("stream", container["streams"]),
            ("port", ports),
            ("data", container["data"]),
            ("volume", container["volumes"]),
        ):
            lines += [f"  {title:<7}{value}" for value in values]
    return lines
