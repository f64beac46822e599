"""Ports and volumes as Compose writes them, in short or long form."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.specs.build import at
from dusty_tasks.core.specs.rules import NOT_INTERPOLATED, Wrong, check_container_path, normal_path
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.safe import shown, unsafe_part

_RANGE = r"[0-9]{1,5}(?:-[0-9]{1,5})?"
_IP = r"\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}"
_PORT = rf"(?:(?P<ip>{_IP})?:(?=.*:))?(?:(?P<published>{_RANGE})?:)?(?P<target>{_RANGE})(?:/(?P<protocol>(?i:tcp|udp|sctp)))?"
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
PORT_TYPES: dict[str, type] = {"target": int, "published": str, "host_ip": str, "protocol": str}
VOLUME_TYPES: dict[str, type] = {"type": str, "source": str, "target": str, "tmpfs": dict}
"""What the keys of a long form hold that are looked at here."""
_OCTAL = r"0?o?[0-7]{1,5}"
_MODE = r"[A-Za-z]+(?:,[A-Za-z]+)*"


class Published(NamedTuple):
    """Ports of the Docker host that a container publishes itself: a range, both ends included."""

    first: int
    last: int
    protocol: str = "tcp"
    ip: str = ""
    """The address of the Docker host; '' for all."""
    is_choice: bool = False
    """True where the engine takes any one port of the range."""

    def meets(self, other: Published) -> bool:
        """True if both cannot be published at once."""
        if self.is_choice or other.is_choice or self.protocol != other.protocol:
            return False
        return self.first <= other.last and other.first <= self.last and _meet(self.ip, other.ip)


_ALL_ADDRESSES = {"0.0.0.0": 4, "::": 6}


def _meet(one: str, other: str) -> bool:
    """True if the engine cannot bind one port at both addresses."""
    if not one or not other or one == other:
        return True
    family = {ip: 6 if ":" in ip else 4 for ip in (one, other)}
    return family[one] == family[other] and bool({one, other} & _ALL_ADDRESSES.keys())


class Volume(NamedTuple):
    """One volume of a container: `source` is '' for an anonymous one or a tmpfs."""

    source: str
    target: str

    @property
    def is_named(self) -> bool:
        return bool(self.source) and not self.source.startswith(("/", "."))

    @property
    def spec_path(self) -> str:
        """The file or folder of the specs repo that it shows, from the top of it, '.' for all; '' for another volume."""
        return posixpath.normpath(self.source) if self.source.startswith(".") else ""


def is_well_typed(entry: Any, types: dict[str, type]) -> bool:
    """False for a long form with a value of another type, of which the schema says what is wrong."""
    return not isinstance(entry, dict) or all(
        isinstance(entry[key], kind) for key, kind in types.items() if key in entry
    )


def published_port(entry: Any) -> Published | None:
    """What one item of `ports` publishes on a fixed port, or None. Raises Wrong for what is no port mapping."""
    if isinstance(entry, dict):
        if "target" not in entry:
            raise Wrong(Code.PORT_MAPPING, "missing: target", "target: 80")
        ip, published, target = (str(entry.get(key, "")) for key in ("host_ip", "published", "target"))
        protocol = str(entry.get("protocol", "tcp"))
    else:
        match = re.fullmatch(_PORT, str(entry))
        if not match:
            hint = NOT_INTERPOLATED if "$" in str(entry) else 'for example "8080:80"'
            raise Wrong(Code.PORT_MAPPING, f"{shown(entry)} is not a port mapping", hint)
        ip, published, target, protocol = (match[name] or "" for name in ("ip", "published", "target", "protocol"))
    if ip:
        _check_ip(ip.strip("[]"), entry)
    inner = _range(target, entry)
    if not published.strip("0"):
        return None  # No port, and port 0, stand for any free one.
    outer = _range(published, entry)
    if inner[0] != inner[1] and inner[1] - inner[0] != outer[1] - outer[0]:
        raise Wrong(Code.PORT_MAPPING, f"{shown(entry)} is not a port mapping", "both ranges must have the same length")
    is_choice = inner[0] == inner[1] and outer[0] != outer[1]
    return Published(*outer, protocol.lower() or "tcp", ip.strip("[]"), is_choice)


def _check_ip(text: str, entry: Any) -> None:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Wrong(
            Code.PORT_MAPPING, f"{shown(entry)} is not a port mapping", f"{shown(text)} is not an IP address"
        ) from None


def _range(text: str, entry: Any) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not re.fullmatch(_RANGE, text) or not 1 <= int(first) <= int(last or first) <= 65535:
        raise Wrong(
            Code.PORT_MAPPING, f"{shown(entry)} is not a port mapping", 'ports are 1 to 65535; for example "8080:80"'
        )
    return int(first), int(last or first)


def volume_of(entry: Any) -> Volume:
    """One item of `volumes`. Raises Wrong for sources and targets that cannot be mounted (1.5)."""
    if isinstance(entry, dict):
        volume = Volume(str(entry.get("source", "")), str(entry.get("target", "")))
        _check_long_form(entry, volume)
    else:
        parts = str(entry).split(":")
        if len(parts) > 3 or (len(parts) == 3 and not re.fullmatch(_MODE, parts[2])):
            raise Wrong(Code.VOLUME, f"{shown(entry)} is not a volume", "source:target, or source:target:ro")
        volume = Volume(parts[0], parts[1]) if len(parts) > 1 else Volume("", parts[0])
        if len(parts) > 1 and not volume.source:
            raise Wrong(Code.VOLUME, f"{shown(entry)} is not a volume", "source:target, or source:target:ro")
    _check_source(volume.source)
    check_container_path(volume.target)
    return volume._replace(target=normal_path(volume.target))


def _check_long_form(entry: dict[str, Any], volume: Volume) -> None:
    kind = entry.get("type")
    if not volume.target or (kind == "bind" and not volume.source):
        raise Wrong(Code.VOLUME, f"missing: {'source' if volume.target else 'target'}")
    if kind == "bind" and volume.is_named:
        raise Wrong(Code.RELATIVE_VOLUME, *of_this_machine(volume.source))
    if kind == "volume" and volume.source and not volume.is_named:
        raise Wrong(Code.VOLUME, f"{shown(volume.source)} is not a name for a volume", "type: bind, for a path")
    mode = at(entry, "tmpfs", "mode")
    if isinstance(mode, str) and not re.fullmatch(_OCTAL, mode):
        raise Wrong(Code.VOLUME, f"{shown(mode)} is not a mode", "for example 0755")


def completed(entry: dict[str, Any]) -> dict[str, Any]:
    """The long form of a volume as Compose takes it: its type is written, the mode of a tmpfs is a number."""
    source, mode = str(entry.get("source", "")), at(entry, "tmpfs", "mode")
    whole = {"type": "bind" if source.startswith(("/", ".")) else "volume", **entry}
    return (
        {**whole, "tmpfs": {**entry["tmpfs"], "mode": int(mode.replace("o", ""), 8)}}
        if isinstance(mode, str)
        else whole
    )


def of_this_machine(source: str) -> tuple[str, str]:
    """What is said of a path that is not absolute."""
    return (
        f"{shown(source)} is a path of this machine, which containers do not see",
        f"/persist/… keeps data on the Docker host; `{DUSTY} cp` or an asset brings a file in",
    )


def _check_source(source: str) -> None:
    if unsafe := unsafe_part(source):
        raise Wrong(
            Code.VOLUME,
            f"{shown(source)} contains {unsafe}",
            NOT_INTERPOLATED if "$" in source else "a path without it",
        )
    if source.startswith("/"):
        if ".." in source.split("/"):
            raise Wrong(Code.VOLUME, f'{shown(source)} contains a ".." component', "write the path it points to")
    elif source.startswith(("./", "../")) or source == ".":
        if posixpath.normpath(source).startswith(".."):
            raise Wrong(
                Code.RELATIVE_VOLUME,
                f"{shown(source)} points outside the specs repo",
                "copy the file into the specs repo; a path that starts with ./ is relative to its top",
            )
    elif source and (not _VOLUME_NAME.fullmatch(source)):
        raise Wrong(Code.RELATIVE_VOLUME, *of_this_machine(source))


def volumes(compose: dict[str, Any]) -> Iterator[tuple[int, Volume]]:
    """The volumes of a container that can be understood, with their index."""
    entries = compose.get("volumes")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            yield index, volume_of(entry)
        except Wrong:
            continue


def is_persistent(source: str) -> bool:
    """True for a source below /persist, as it is spelt: only that spelling means the folder that the Docker host keeps."""
    return source == "/persist" or source.startswith("/persist/")


def stored_paths(compose: dict[str, Any]) -> list[str]:
    """The paths of a container whose files lie in a volume, below /persist or in memory: in none of a user's own folders."""
    tmpfs = compose.get("tmpfs") or ()
    in_memory = [normal_path(str(entry).partition(":")[0]) for entry in ([tmpfs] if isinstance(tmpfs, str) else tmpfs)]
    return [
        *(
            volume.target
            for _, volume in volumes(compose)
            if not volume.source.startswith("/") or f"{volume.source}/".startswith("/persist/")
        ),
        *in_memory,
    ]


def spec_paths(compose: dict[str, Any]) -> list[str]:
    """The files and folders of the specs repo that a container mounts, each once, in order."""
    return list(dict.fromkeys(volume.spec_path for _, volume in volumes(compose) if volume.spec_path))


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


def joined(folder: str, path: str) -> str:
    """A path of a spec, absolute: joined to `folder` unless it is so already, or is a URL (which Compose builds from, too)."""
    if "://" in path or path.startswith("git@"):
        return path
    return posixpath.normpath(posixpath.join(folder, path))


def pairs_of(value: Any) -> Iterator[tuple[str, str]]:
    """Name and value of a key that takes a map or a list of `name=value`."""
    if isinstance(value, Mapping):
        yield from ((str(name), str(text)) for name, text in value.items())
    for item in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        name, _, text = str(item).partition("=")
        yield name, text


def local_folder(context: str) -> str:
    """The folder that an additional context reads, '' for what is no folder of this machine."""
    for scheme in ("oci-layout://", "file://"):
        if context.startswith(scheme):
            return context.removeprefix(scheme)
    return "" if "://" in context or context.startswith(("service:", "git@", "target:")) else context
