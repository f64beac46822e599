"""One reading of the Docker host: containers, records, receipts, pushed files. On an ssh host it is one command.

What lies on the Docker host about itself, all below `host.root`:
  persist/.dusty/started.json           what each container was started with
  persist/.dusty/owner.json             whose containers and data these are
  persist/repos/.receipts/<id>.json     which source each repo's copy is
  command_files/.pushed.json            app or lib -> digest of its command files
  persist/dusty_assets/.pushed.json     app -> digest of its assets
"""
from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.found import Found, FoundContainer, containers_of
from dusty_tasks.core.lifetimes import has_finished
from dusty_tasks.effects.docker import LISTING, Engine, EngineDown, body_of, http_request, read_containers, read_events
from dusty_tasks.effects.files import read_bytes

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host import DockerHost

STARTED, OWNER = "persist/.dusty/started.json", "persist/.dusty/owner.json"
RECEIPTS = "persist/repos/.receipts"
COMMANDS_PUSHED, ASSETS_PUSHED = "command_files/.pushed.json", "persist/dusty_assets/.pushed.json"
NGINX_CONFIG = "persist/dustyNginx/dustyNginx.conf"

READ_ALL = r"""
cd "$1" 2>/dev/null || mkdir -p "$1" 2>/dev/null
cd "$1" 2>/dev/null && {
    find persist/.dusty persist/repos/.receipts command_files/.pushed.json persist/dusty_assets/.pushed.json \
        -type f -name '*.json' -exec grep -H '' /dev/null {} + 2>/dev/null
    sha256sum persist/dustyNginx/dustyNginx.conf 2>/dev/null | sed 's/^/@nginx:/'
}
echo @containers:
docker system dial-stdio
"""
"""Prints every JSON file line by line as `path:line`, the proxy config's digest, then the engine's answer to stdin."""


class Reading(NamedTuple):
    """The files and containers of one look at the Docker host."""

    files: dict[str, Any]
    """Path below host.root -> its JSON; what is no JSON counts as missing."""
    nginx_digest: str
    containers: dict[str, FoundContainer]
    engine_trouble: str = ""
    """Why the engine did not answer, if it did not."""


def read_host(host: DockerHost, engine: Engine) -> Reading:
    """Read all of it: one engine read; on an ssh host one round trip in all. Raises Failure if an ssh host is away."""
    return _read_over_ssh(host, engine) if host.kind == "ssh" else _read_here(host, engine)


def found_of(reading: Reading, engine: Engine) -> Found:
    """What core.changes wants to know, as far as it lies on the Docker host."""
    return Found(
        containers=reading.containers,
        started=_mapping(reading.files.get(STARTED)),
        receipts={receipt["id"]: receipt for path, receipt in reading.files.items()
                  if path.startswith(f"{RECEIPTS}/") and isinstance(receipt, dict) and "id" in receipt},
        command_files=_mapping(reading.files.get(COMMANDS_PUSHED)),
        assets=_mapping(reading.files.get(ASSETS_PUSHED)),
        nginx_digest=reading.nginx_digest,
        owner=_mapping(reading.files.get(OWNER)) or None,
        finished=read_finished(reading.containers, _mapping(reading.files.get(STARTED)), engine))


def read_finished(containers: dict[str, FoundContainer], started: dict[str, Any], engine: Engine) -> frozenset[str]:
    """The containers that ended with status 0 by themselves. Asks the engine's events only about those not noted yet."""
    ended = {name: container for name, container in containers.items() if container.exit_status == 0}
    records = {name: _mapping(started.get(container.container_name)) for name, container in ended.items()}
    noted = {name for name, record in records.items() if record.get("finished") and not record.get("stopped")}
    unknown = [container for name, container in ended.items()
               if name not in noted and not records[name].get("stopped") and container.kind != "proxy"]
    if unknown:
        events = read_events(engine, [container.id for container in unknown], time.time())
        noted |= {container.name for container in unknown if has_finished(container.id, events)}
    return frozenset(noted)


def _read_here(host: DockerHost, engine: Engine) -> Reading:
    files = {path: _json_of(read_bytes(f"{host.root}/{path}")) for path in (STARTED, OWNER, COMMANDS_PUSHED, ASSETS_PUSHED)}
    for path in _files_below(f"{host.root}/{RECEIPTS}"):
        files[os.path.relpath(path, host.root)] = _json_of(read_bytes(path))
    config = read_bytes(f"{host.root}/{NGINX_CONFIG}")
    try:
        containers, trouble = read_containers(engine), ""
    except EngineDown as down:
        containers, trouble = {}, str(down)
    return Reading(files, hashlib.sha256(config).hexdigest() if config is not None else "", containers, trouble)


def _files_below(folder: str) -> list[str]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found += _files_below(entry.path) if entry.is_dir(follow_symlinks=False) else [entry.path]
    except OSError:
        pass
    return found


def _read_over_ssh(host: DockerHost, engine: Engine) -> Reading:
    engine.reads += 1
    finished = host.run(["sh", "-c", READ_ALL, "sh", host.root], input=http_request("GET", LISTING))
    head, _, answer = finished.out.partition("@containers:\n")
    lines: dict[str, list[str]] = {}
    for line in head.splitlines():
        path, _, text = line.partition(":")
        lines.setdefault(path, []).append(text)
    digest = (lines.pop("@nginx", [""])[0].split() or [""])[0]
    files = {path: _json_of("\n".join(text).encode()) for path, text in lines.items()}
    try:
        containers = containers_of(json.loads(body_of(answer.encode("utf-8", "replace")) or b"[]"))
        return Reading(files, digest, containers)
    except (EngineDown, ValueError):
        last = (finished.err.strip().splitlines() or ["it ended without an answer"])[-1]
        return Reading(files, digest, {}, f"the Docker engine on {host.name} does not answer: {last}")


def _json_of(data: bytes | None) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
