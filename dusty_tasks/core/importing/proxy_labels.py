"""Names that Traefik or nginx-proxy would lead to a service, found in its labels and variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.short_forms import split_colons
from dusty_tasks.core.specs.rules import Wrong, check_host_name

HTTP = 80
_ROUTER = re.compile(r"traefik\.http\.routers\.([^.]+)\.rule")
_PORT = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port")
_HOST = re.compile(r"Host\(([^)]*)\)")
_NAME = re.compile(r"[`'\"]([^`'\"]+)[`'\"]")


class Found(NamedTuple):
    """What a service says to a proxy."""

    key: str = ""
    """`labels` or `environment`, '' for nothing."""
    forwardings: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    """What its proxy would do and Dusty's does not."""


def forwardings_of(service: Mapping[str, Any]) -> Found:
    """The host names of a service whose variables are filled in."""
    labels, environment = service.get("labels"), service.get("environment")
    if isinstance(labels, dict):
        found = _of_traefik({str(name): str(value) for name, value in labels.items()}, service)
        if found.key:
            return found
    if isinstance(environment, dict) and environment.get("VIRTUAL_HOST"):
        port = environment.get("VIRTUAL_PORT")
        hosts = [host.strip().partition(":")[0] for host in str(environment["VIRTUAL_HOST"]).split(",")]
        return _found("environment", hosts, str(port or _first_port(service)), ())
    return Found()


def _of_traefik(labels: Mapping[str, str], service: Mapping[str, Any]) -> Found:
    rules = [value for name, value in labels.items() if _ROUTER.fullmatch(name)]
    if not rules or labels.get("traefik.enable", "true").lower() == "false":
        return Found()
    ports = [value for name, value in labels.items() if _PORT.fullmatch(name)]
    hosts, notes = [], []
    for rule in rules:
        hosts += [name for group in _HOST.findall(rule) for name in _NAME.findall(group)]
        if _HOST.sub("", rule).replace("|", "").strip(" ()"):
            notes.append("Dusty's proxy routes by host name only, not by paths or headers")
    return _found("labels", hosts, ports[0] if ports else str(_first_port(service)), tuple(dict.fromkeys(notes)))


def _found(key: str, hosts: list[str], port: str, notes: tuple[str, ...]) -> Found:
    forwardings, said = [], list(notes)
    for host in dict.fromkeys(host.lower() for host in hosts if host):
        try:
            check_host_name(host)
        except Wrong as wrong:
            said.append(f"{host} is left out: {wrong.what}")
            continue
        if port.isdigit() and 0 < int(port) < 65536:
            forwardings.append({"host_name": host, "host_port": HTTP, "container_port": int(port)})
    return Found(key, tuple(forwardings), tuple(said))


def _first_port(service: Mapping[str, Any]) -> int:
    """The port that a proxy takes where none is said: the first that the service exposes or publishes, else 80."""
    for key in ("expose", "ports"):
        for item in service.get(key) or ():
            text = (
                str(item.get("target", ""))
                if isinstance(item, dict)
                else split_colons(str(item).replace("$", "$$"))[-1]
            )
            digits = text.partition("/")[0].partition("-")[0]
            if digits.isdigit():
                return int(digits)
    return HTTP


def owners(seen: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Host name -> the one service that it can lead to: the first whose rules are about host names alone, else the first."""
    found: dict[str, str] = {}
    exact: dict[str, str] = {}
    for name, service in seen.items():
        told = forwardings_of(service)
        for forwarding in told.forwardings:
            found.setdefault(forwarding["host_name"], name)
            if not told.notes:
                exact.setdefault(forwarding["host_name"], name)
    return {**found, **exact}
