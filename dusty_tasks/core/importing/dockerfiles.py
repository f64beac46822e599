"""What a Dockerfile tells of its container: the port. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dusty_tasks.core.importing.found_code import Folder, Found

USUAL = ("Dockerfile", "Containerfile", "Dockerfile.dev", "docker/Dockerfile", ".docker/Dockerfile")
_CONTINUED = re.compile(r"\\[ \t]*\n(?:[ \t]*#.*\n|[ \t]*\n)*")
_NAMED = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")
_PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)")
_SERVERS = {"nginx": 80, "httpd": 80, "caddy": 80, "traefik": 80}
"""Images whose own EXPOSE holds for what is built on them."""


def built(folder: Folder) -> Found | None:
    """The container of the Dockerfile of a folder."""
    if not (file := folder.first(*USUAL)):
        return None
    return Found(
        "a Dockerfile", file, dockerfile=file, mount=f"/repo/{folder.name}", port=exposed_port(folder.read(file))
    )


def exposed_port(text: str) -> int:
    """The first TCP port that the last stage exposes, or a stage that it starts from; 0 for none."""
    stages: dict[str, tuple[str, int]] = {}
    last, base, port = "", "", 0
    known: dict[str, str] = {}
    for line in _CONTINUED.sub(" ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        match word.upper():
            case "FROM":
                words = [one for one in _filled(rest, known).split() if not one.startswith("--")]
                base, port = words[0] if words else "", 0
                last = words[2].lower() if len(words) > 2 else str(len(stages))
                stages[last] = (base, 0)
            case "ARG" | "ENV":
                known.update(_values(rest, known))
            case "EXPOSE" if not port:
                port = _port(_filled(rest, known))
                stages[last] = (base, port)
    return _inherited(stages, last)


def _inherited(stages: Mapping[str, tuple[str, int]], last: str) -> int:
    seen: set[str] = set()
    while last in stages and last not in seen:
        seen.add(last)
        base, port = stages[last]
        if port:
            return port
        last = base.lower()
    return _SERVERS.get(last.partition("@")[0].split("/")[-1].partition(":")[0], 0)


def _values(text: str, known: Mapping[str, str]) -> dict[str, str]:
    pairs = dict(_PAIR.findall(text))
    if not pairs and len(words := text.split(None, 1)) == 2:
        pairs = {words[0]: words[1]}
    return {name: _filled(value.strip("\"'"), known) for name, value in pairs.items()}


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda found: known.get(found[1] or found[2], found[3] or ""), text)


def _port(text: str) -> int:
    for word in text.split():
        number, _, protocol = word.partition("/")
        first = number.partition("-")[0]
        if protocol.lower() in ("", "tcp") and first.isdecimal() and 0 < int(first) < 65536:
            return int(first)
    return 0
