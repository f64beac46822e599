"""How a Node project runs in a container: package.json. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.importing.found_code import Folder, Found, port_in, services_of, version_in

USUAL_VERSION = "22"
_TO_ALL = "--host 0.0.0.0"
_SERVERS: Mapping[str, tuple[int, str]] = {
    "next": (3000, ""),
    "nuxt": (3000, _TO_ALL),
    "nuxi": (3000, _TO_ALL),
    "vite": (5173, _TO_ALL),
    "astro": (4321, _TO_ALL),
    "ng": (4200, _TO_ALL),
    "gatsby": (8000, _TO_ALL),
    "webpack": (8080, _TO_ALL),
    "react-scripts": (3000, ""),
    "vue-cli-service": (8080, ""),
    "parcel": (1234, ""),
}
"""Development servers: the port that each has without being told, and what makes it listen outside the container."""


def node(folder: Folder) -> Found | None:
    """The project that package.json describes."""
    if "package.json" not in folder.names:
        return None
    package = _object(folder.read("package.json"))
    scripts = {name: text for name, text in _part(package, "scripts").items() if isinstance(text, str)}
    manager = "pnpm" if "pnpm-lock.yaml" in folder.names else "yarn" if "yarn.lock" in folder.names else "npm"
    name = next((name for name in ("dev", "start", "serve") if name in scripts), "")
    script = scripts.get(name, "")
    server = next((one for one in _SERVERS if re.search(rf"(?:^|[\s;&/]){one}(?:\s|$)", script)), "")
    file = _entry(folder, package, script)
    usual, option = _SERVERS.get(server, (3000, ""))
    port = port_in(script, r"(?:--port|\s-p|\bPORT)[= ](\d+)")
    port = port or (
        usual
        if server
        else port_in(folder.read(file), r"\.listen\(\D{0,60}?(\d{2,5})\b", r"(?i)port\D{0,40}?(\d{4,5})\b")
    )
    port = port or usual
    start = (
        _start(manager, name, option if "--host" not in script else "") if name else f"exec node {file}" if file else ""
    )
    asked = folder.read(".nvmrc") or folder.read(".node-version") or str(_part(package, "engines").get("node", ""))
    packages = {*_part(package, "dependencies"), *_part(package, "devDependencies")}
    install = ("npm install -g pnpm", "pnpm install") if manager == "pnpm" else (f"{manager} install",)
    return Found(
        "Node",
        "package.json",
        f"node:{version_in(asked, USUAL_VERSION, r'[0-9]+')}",
        once=install,
        always=(start,) if start else (),
        needs_command=not start,
        port=port,
        environment={} if server and server != "react-scripts" else {"HOST": "0.0.0.0", "PORT": str(port)},
        names_allowed="__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS" if server in ("vite", "astro", "nuxt") else "",
        services=services_of(packages),
    )


def _start(manager: str, name: str, option: str) -> str:
    between = " --" if manager == "npm" and option else ""
    return f"exec {manager} run {name}{between}{f' {option}' if option else ''}"


def _entry(folder: Folder, package: Mapping[str, Any], script: str) -> str:
    """The file that is run, as far as one is named."""
    named = re.findall(r"[\w./-]+\.(?:[mc]?js|ts)\b", script)
    if isinstance(package.get("main"), str):
        named.append(package["main"])
    return folder.first(
        *(name.removeprefix("./") for name in named),
        "server.js", "index.js", "app.js", "src/index.js", "src/server.js", "src/main.ts", "src/index.ts",
    )  # fmt: skip


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _part(package: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = package.get(key)
    return value if isinstance(value, dict) else {}
