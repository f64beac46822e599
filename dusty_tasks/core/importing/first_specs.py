"""The first specs of a repo without a Compose file: a bundle, an app, and the servers that its code talks to. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.dockerfiles import built
from dusty_tasks.core.importing.found_code import Folder, Found
from dusty_tasks.core.importing.languages import languages
from dusty_tasks.core.importing.yaml_text import yaml_text
from dusty_tasks.core.specs.rules import nearest_name

USUAL_NAME, USUAL_PORT = "app", 80


class Choice(NamedTuple):
    """What a person decides."""

    name: str
    """Of the app and its bundle."""
    host_name: str
    port: int
    """0: nothing is forwarded."""
    image: str = ""
    """'' for what was found."""
    command: str = ""
    """The line that starts it; '' for what was found."""


class Code(NamedTuple):
    """Where the code is."""

    repo: str
    folder: str
    """The path in the repo; `.` for the whole."""


def found_in(folder: Folder) -> list[Found]:
    """How the code of a folder can run, the likeliest first: by its Dockerfile, then by its language."""
    container = built(folder)
    return [*([container] if container else []), *languages(folder)]


def usual_name(folder: str) -> str:
    """The name of an app whose code is in a folder of that name."""
    return nearest_name("app", folder) or USUAL_NAME


def usual_host_name(name: str) -> str:
    """The host name of an app: a DNS name below .test, which nobody else can own (RFC 6761)."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return f"{label or USUAL_NAME}.test"


def first_specs(found: Found, choice: Choice, code: Code) -> dict[str, bytes]:
    """Path below the specs -> bytes."""
    servers = {_server_name(server, choice.name): server for server in found.services}
    app = _app(found, choice, code, servers)
    files = {
        f"apps/{choice.name}.yml": f"# {found.what}: {found.source}\n{yaml_text(app)}".encode(),
        f"bundles/{choice.name}.yml": yaml_text({"apps": [choice.name]}).encode(),
    }
    for name, server in servers.items():
        files[f"services/{name}.yml"] = yaml_text(_SERVERS[server].spec(name)).encode()
    return files


def _app(found: Found, choice: Choice, code: Code, servers: Mapping[str, str]) -> dict[str, Any]:
    environment = dict(found.environment)
    if "PORT" in environment and choice.port:
        environment["PORT"] = str(choice.port)
    if found.names_allowed and choice.port:
        environment[found.names_allowed] = choice.host_name
    for name, server in servers.items():
        environment.update(_SERVERS[server].environment(name))
        if "spring-boot" in " ".join(found.always) or "bootRun" in " ".join(found.always):
            environment.update(_SERVERS[server].for_spring(name))
    always = (*found.always[:-1], choice.command) if choice.command else _listening(found, choice.port)
    commands = {**({"once": list(found.once)} if found.once else {}), "always": list(always)}
    compose = {
        **({"environment": environment} if environment else {}),
        **({"volumes": list(found.volumes)} if found.volumes else {}),
    }
    forwarding = {"host_name": choice.host_name, "host_port": USUAL_PORT, "container_port": choice.port}
    return {
        "repo": code.repo,
        "mount": _mount(found, code),
        **_image(found, choice, code),
        **({"commands": commands} if always else {}),
        **({"depends": {"services": sorted(servers)}} if servers else {}),
        **({"host_forwarding": [forwarding]} if choice.port else {}),
        **({"compose": compose} if compose else {}),
    }


def _listening(found: Found, port: int) -> tuple[str, ...]:
    """The lines that start it, with the chosen port where they name the one that was found."""
    return tuple(
        re.sub(rf"\b{found.port}\b", str(port), line) if port and found.port else line for line in found.always
    )


def _mount(found: Found, code: Code) -> str | dict[str, str]:
    folder = posixpath.normpath(posixpath.join(code.folder, found.folder))
    return found.mount if folder == "." else {folder: found.mount}


def _image(found: Found, choice: Choice, code: Code) -> dict[str, Any]:
    if choice.image or not found.dockerfile:
        return {"image": choice.image or found.image}
    if found.dockerfile == "Dockerfile":
        return {"build": code.folder}
    return {"build": {"context": code.folder, "dockerfile": found.dockerfile}}


def _server_name(server: str, app: str) -> str:
    """An app and a service must not share a name."""
    return server if server != app else f"{server}-server"


class _Server(NamedTuple):
    """A server that code talks to, for development: its data is kept, its password is no secret."""

    image: str
    url_name: str
    url: str
    keeps: str
    """The folder of its data in the container."""
    check: tuple[str, ...]
    settings: Mapping[str, str] = {}
    spring: Mapping[str, str] = {}

    def spec(self, name: str) -> dict[str, Any]:
        check = {"test": ["CMD", *self.check], "interval": "2s", "timeout": "5s", "retries": 60}
        return {
            "image": self.image,
            **({"environment": dict(self.settings)} if self.settings else {}),
            "volumes": [f"/persist/{name}:{self.keeps}"],
            "healthcheck": check,
        }

    def environment(self, name: str) -> dict[str, str]:
        return {self.url_name: self.url.replace("HOST", name)}

    def for_spring(self, name: str) -> dict[str, str]:
        return {key: value.replace("HOST", name) for key, value in self.spring.items()}


_SERVERS = {
    "postgres": _Server(
        "postgres:17",
        "DATABASE_URL",
        "postgres://postgres:postgres@HOST:5432/app",
        "/var/lib/postgresql/data",
        ("pg_isready", "-h", "127.0.0.1", "-U", "postgres"),
        {"POSTGRES_PASSWORD": "postgres", "POSTGRES_DB": "app"},
        {
            "SPRING_DATASOURCE_URL": "jdbc:postgresql://HOST:5432/app",
            "SPRING_DATASOURCE_USERNAME": "postgres",
            "SPRING_DATASOURCE_PASSWORD": "postgres",
        },
    ),
    "mysql": _Server(
        "mysql:8.4",
        "DATABASE_URL",
        "mysql://root:mysql@HOST:3306/app",
        "/var/lib/mysql",
        ("mysqladmin", "ping", "-h", "127.0.0.1", "-uroot", "-pmysql"),
        {"MYSQL_ROOT_PASSWORD": "mysql", "MYSQL_DATABASE": "app"},
        {
            "SPRING_DATASOURCE_URL": "jdbc:mysql://HOST:3306/app",
            "SPRING_DATASOURCE_USERNAME": "root",
            "SPRING_DATASOURCE_PASSWORD": "mysql",
        },
    ),
    "redis": _Server(
        "redis:7",
        "REDIS_URL",
        "redis://HOST:6379/0",
        "/data",
        ("redis-cli", "ping"),
        {},
        {"SPRING_DATA_REDIS_HOST": "HOST"},
    ),
    "mongo": _Server(
        "mongo:8",
        "MONGODB_URL",
        "mongodb://HOST:27017/app",
        "/data/db",
        ("mongosh", "--quiet", "--eval", "db.runCommand('ping').ok"),
        {},
        {"SPRING_DATA_MONGODB_URI": "mongodb://HOST:27017/app"},
    ),
}
