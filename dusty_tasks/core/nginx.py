"""The proxy's config, build/nginx/dustyNginx.conf (spec-language 4.3)."""
from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.settings import Settings
from dusty_tasks.core.stack import Route, Stack
from dusty_tasks.core.templating import Templates
from dusty_tasks.core.traced import Artifact


class Server(NamedTuple):
    """One `server` block."""

    file: str
    position: int
    app_name: str
    container_port: int
    host_port: int
    names: tuple[str, ...]
    address: str
    upstream: str


def render_nginx(stack: Stack, settings: Settings, templates: Templates) -> Artifact:
    """The whole config: a server for each route, in route order, http and stream apart."""
    servers = [(route.kind, _server(stack, settings, route)) for route in stack.routes]
    waiting = templates.render("nginx/waiting.html").text
    return templates.render("nginx/dustyNginx.conf", routing=settings.routing, waiting=waiting,
                            http=[server for kind, server in servers if kind == "http"],
                            stream=[server for kind, server in servers if kind == "stream"])


def _server(stack: Stack, settings: Settings, route: Route) -> Server:
    if settings.routing == "network":
        upstream = f"{route.app_name}:{route.container_port}"
    else:
        upstream = f"{settings.bridge_ip}:{route.port}"
    return Server(stack.apps[route.app_name].file, route.index, route.app_name, route.container_port, route.host_port,
                  host_names(route, settings), f"{route.host_name}:{route.host_port}", upstream)


def host_names(route: Route, settings: Settings) -> tuple[str, ...]:
    """The names that a route answers to; browsers resolve those below .localhost by themselves."""
    names = (route.host_name,)
    return (*names, f"{route.host_name}.localhost") if settings.hosts_mode == "localhost" else names


def http_url(route: Route, settings: Settings) -> str:
    """The URL of an http route as it is typed into a browser."""
    port = "" if route.host_port == 80 else f":{route.host_port}"
    return f"http://{host_names(route, settings)[-1]}{port}/"
