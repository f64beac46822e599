"""The proxy's config."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dusty_tasks.core.artifacts.templates import Templates
from dusty_tasks.core.artifacts.traced import Artifact
from dusty_tasks.core.settings.slices import ProxySettings
from dusty_tasks.core.stack.https import HTTPS_PORT, certificates, host_names, secured
from dusty_tasks.core.stack.model import Route
from dusty_tasks.core.text.namespace import PROXY, Namespace
from dusty_tasks.core.text.paths import CERTIFICATES_IN_PROXY, PROXY_FILE

PARAMETER_SIZE = 3600
"""Characters of one parameter; nginx refuses 4096, quotes and escapes included."""
MAX_PARTS = 200
"""Parts of the index: their names are one parameter again."""

HTTP = ("http", "grpc")
"""Kinds of routes that nginx reads the requests of; of the others it passes bytes."""

_SPOKEN = {"stream": "TCP", "grpc": "gRPC", "tls": "TLS"}

LOOPBACK = (r"^127\.[0-9.]+$", r"^\[::1\]$")
ANY_ADDRESS = (r"^[0-9.]+$", r"^\[[0-9a-f:.]+\]$")

GATEWAYS = (
    *(f"172.{number}.0.1" for number in range(17, 32)),
    *(f"192.168.{number}.1" for number in range(0, 256, 16)),
)
"""Addresses of this machine on the engine's networks, as engines choose them: what comes from loopback arrives from there."""


class Server(NamedTuple):
    """One `server` block."""

    file: str
    position: int
    app_name: str
    container_port: int
    host_port: int
    names: tuple[str, ...]
    host_name: str
    """As the specs have it."""
    address: str
    upstream: str
    max_upload: str
    timeout: str
    kind: str
    certificate: str
    """Its id where the route is answered on 443, too; ''."""


class ProxySlice(NamedTuple):
    routes: tuple[Route, ...]
    file_of: dict[str, str]
    """App name -> its spec file."""
    settings: ProxySettings


def render_nginx(of: ProxySlice, templates: Templates) -> Artifact:
    """The whole config: a server for each route, in route order, http and stream apart; one more for the list of them all."""
    settings = of.settings
    made = certificates(of.routes, settings.https, settings.hosts_mode, settings.namespace)
    certificate_of = {name: one.id for one in made for name in one.names}
    answering = secured(of.routes, settings.https)
    servers = [
        _server(of, route, certificate_of[route.host_name] if answering.get(route.host_name) is route else "")
        for route in of.routes
    ]
    http = [server for server in servers if server.kind in HTTP]
    tls = [server for server in servers if server.kind == "tls"]
    texts = {
        name: templates.render(f"nginx/{name}.{kind}").text
        for name, kind in (("head", "html"), ("waiting", "html"), ("script", "js"), ("index", "html"))
    }
    return templates.render(
        PROXY_FILE,
        routing=settings.routing,
        world=settings.namespace.world,
        http=http,
        stream=[server for server in servers if server.kind == "stream"],
        tls=[(port, [server for server in tls if server.host_port == port]) for port in _ports(tls)],
        map_key=map_key,
        https=settings.https,
        https_port=HTTPS_PORT,
        certificates=CERTIFICATES_IN_PROXY,
        ports=_ports(server for server in http if server.host_port != HTTPS_PORT or not server.certificate),
        shared_certificate=made[0].id if made else "",
        grpc_ports=_ports(server for server in http if server.kind == "grpc"),
        trusted=trusted_addresses(settings.proxy_trusted),
        known_addresses=ANY_ADDRESS if settings.is_reached_from_outside else LOOPBACK,
        known_names=[map_key(name) for name in known_names(of)],
        rows_html=_parts(_html_rows(of)),
        rows_json=_parts(_json_rows(of)),
        **texts,
    )


def _ports(servers: Iterable[Server]) -> list[int]:
    return sorted({server.host_port for server in servers})


def _server(of: ProxySlice, route: Route, certificate: str) -> Server:
    settings = of.settings
    if settings.routing == "network":
        upstream = f"{route.app_name}:{route.container_port}"
    else:
        upstream = f"{settings.bridge_ip}:{route.port}"
    return Server(
        of.file_of[route.app_name],
        route.index,
        route.app_name,
        route.container_port,
        route.host_port,
        host_names(route, settings.hosts_mode, settings.namespace),
        route.host_name,
        f"{route.host_name}:{route.host_port}",
        upstream,
        route.max_upload or ("0" if route.kind == "grpc" else settings.proxy_max_upload),
        route.timeout,
        route.kind,
        certificate,
    )


def http_url(route: Route, hosts_mode: str, namespace: Namespace, *, is_secured: bool = False) -> str:
    """The URL of an http route as it is typed into a browser."""
    name = host_names(route, hosts_mode, namespace)[-1]
    if is_secured:
        return f"https://{name}/"
    return f"http://{name}/" if route.host_port == 80 else f"http://{name}:{route.host_port}/"


def known_names(of: ProxySlice) -> list[str]:
    """The names under which the list of routes is shown, where they lead to no app: this machine's, the proxy's, and the stack's."""
    settings = of.settings
    own = [
        "localhost",
        PROXY.lower(),
        settings.namespace.container(PROXY).lower(),
        settings.bridge_ip,
        *settings.names_of_host,
    ]
    return list(
        dict.fromkeys(
            [
                *own,
                *(name for route in of.routes for name in host_names(route, settings.hosts_mode, settings.namespace)),
            ]
        )
    )


def map_key(name: str) -> str:
    """A name as the key of a `map`, where some words mean something else."""
    return f"\\{name}" if name in ("default", "hostnames", "include", "volatile") else name


def trusted_addresses(addresses: Iterable[str]) -> list[str]:
    """Networks as `geo` takes them. Whoever trusts this machine's loopback means what comes through the published ports."""
    import ipaddress

    found: list[str] = []
    for text in addresses:
        network = ipaddress.ip_network(text, strict=False)
        found.append(str(network))
        if network.is_loopback:
            found += GATEWAYS
    return list(dict.fromkeys(found))


def _html_rows(of: ProxySlice) -> Iterator[str]:
    answering = secured(of.routes, of.settings.https)
    for route in of.routes:
        is_secured = answering.get(route.host_name) is route
        address = f"{route.host_name}:{route.host_port}"
        link = (
            f'<a href="{http_url(route, of.settings.hosts_mode, of.settings.namespace, is_secured=is_secured)}">{address}</a>'
            if route.kind == "http"
            else f"{address} ({_SPOKEN[route.kind]})"
        )
        yield f'<li>{link}<small>{route.app_name}: <!--#include virtual="/.dusty/{route.app_name}.word" stub="unknown"--></small></li>'


def _json_rows(of: ProxySlice) -> Iterator[str]:
    answering = secured(of.routes, of.settings.https)
    for number, route in enumerate(of.routes):
        facts = {"host_name": route.host_name, "port": route.host_port, "type": route.kind, "app": route.app_name}
        if route.kind == "http":
            is_secured = answering.get(route.host_name) is route
            facts["url"] = http_url(route, of.settings.hosts_mode, of.settings.namespace, is_secured=is_secured)
        state = f'<!--#include virtual="/.dusty/{route.app_name}.json" stub="unknown"-->'
        yield f'{"," if number else ""}{json.dumps(facts)[:-1]}, "state": {state}}}'


def _parts(rows: Iterable[str]) -> list[str]:
    """The rows in parts that nginx takes as one parameter each; what is beyond MAX_PARTS of them is left out."""
    parts: list[str] = []
    for row in rows:
        if parts and len(parts[-1]) + len(row) < PARAMETER_SIZE:
            parts[-1] += row
        elif len(parts) < MAX_PARTS:
            parts.append(row)
    return parts
