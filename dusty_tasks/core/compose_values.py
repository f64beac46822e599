"""Ports and volumes as Compose writes them, in short or long form."""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from dusty_tasks.core.names import NOT_INTERPOLATED, Wrong, check_container_path, normal_path
from dusty_tasks.core.safe_text import shown, unsafe_part

_RANGE = r"[0-9]{1,5}(?:-[0-9]{1,5})?"
_IP = r"\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}"
_PORT = re.compile(rf"(?:(?:{_IP}):(?=.*:))?(?:(?P<published>{_RANGE})?:)?(?P<target>{_RANGE})(?:/(?P<protocol>tcp|udp|sctp))?")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MODE = re.compile(r"[A-Za-z]+(?:,[A-Za-z]+)*")


class Published(NamedTuple):
    """Ports of the Docker host that a container publishes itself: a range, both ends included."""

    first: int
    last: int
    protocol: str = "tcp"


class Volume(NamedTuple):
    """One volume of a container: `source` is '' for an anonymous one or a tmpfs."""

    source: str
    target: str

    @property
    def is_named(self) -> bool:
        return bool(self.source) and not self.source.startswith("/")


def published_port(entry: Any) -> Published | None:
    """What one item of `ports` publishes on a fixed port, or None. Raises Wrong for what is no port mapping."""
    if isinstance(entry, dict):
        return _published(str(entry.get("published", "")), str(entry.get("protocol", "tcp")), entry)
    match = _PORT.fullmatch(str(entry))
    if not match:
        raise Wrong(f"{shown(entry)} is not a port mapping", 'for example "8080:80"')
    _range(match["target"], entry)
    return _published(match["published"] or "", match["protocol"] or "tcp", entry)


def _published(text: str, protocol: str, entry: Any) -> Published | None:
    """No port, and port 0, stand for any free one."""
    return Published(*_range(text, entry), protocol) if text.strip("0") else None


def _range(text: str, entry: Any) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not re.fullmatch(_RANGE, text) or not 1 <= int(first) <= int(last or first) <= 65535:
        raise Wrong(f"{shown(entry)} is not a port mapping", 'ports are 1 to 65535; for example "8080:80"')
    return int(first), int(last or first)


def volume_of(entry: Any) -> Volume:
    """One item of `volumes`. Raises Wrong for sources and targets that cannot be mounted (1.5)."""
    if isinstance(entry, dict):
        volume = Volume(str(entry.get("source", "")), str(entry.get("target", "")))
        if not volume.target:
            raise Wrong("missing: target")
    else:
        parts = str(entry).split(":")
        if len(parts) > 3 or (len(parts) == 3 and not _MODE.fullmatch(parts[2])):
            raise Wrong(f"{shown(entry)} is not a volume", "source:target, or source:target:ro")
        volume = Volume(parts[0], parts[1]) if len(parts) > 1 else Volume("", parts[0])
        if len(parts) > 1 and not volume.source:
            raise Wrong(f"{shown(entry)} is not a volume", "source:target, or source:target:ro")
    _check_source(volume.source)
    check_container_path(volume.target)
    return volume._replace(target=normal_path(volume.target))


def _check_source(source: str) -> None:
    if unsafe := unsafe_part(source):
        raise Wrong(f"{shown(source)} contains {unsafe}", NOT_INTERPOLATED if "$" in source else "a path without it")
    if source.startswith("/"):
        if ".." in source.split("/"):
            raise Wrong(f'{shown(source)} contains a ".." component', "write the path it leads to")
    elif source and (not _VOLUME_NAME.fullmatch(source)):
        raise Wrong(f"{shown(source)} is a path of this machine, which containers do not see",
                    "/persist/… keeps data on the Docker host; `dusty cp` or an asset brings a file in")


def volumes(compose: dict[str, Any]) -> Iterator[tuple[int, Volume]]:
    """The volumes of a container that can be understood, with their index."""
    entries = compose.get("volumes")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            yield index, volume_of(entry)
        except Wrong:
            continue


def named_volumes(compose: dict[str, Any]) -> list[str]:
    """The named volumes of a container, each once, in order."""
    return list(dict.fromkeys(volume.source for _, volume in volumes(compose) if volume.is_named))


def published_ports(compose: dict[str, Any]) -> Iterator[tuple[int, Published]]:
    """The fixed ports that a container publishes itself, with the index of their item."""
    entries = compose.get("ports")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            published = published_port(entry)
        except Wrong:
            continue
        if published:
            yield index, published
