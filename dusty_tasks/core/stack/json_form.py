"""The JSON form of a stack, build/stack.json. It holds no line numbers, so that moved lines change nothing after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dusty_tasks.core.specs.model import App, Asset, CodeMount, Forwarding, Lib, Script, Service, Suite, Tests
from dusty_tasks.core.specs.reload import rules_from_json
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.stack.model import AssetUse, Route, Stack
from dusty_tasks.core.stack.ports import PortMemory

VERSION = 1


def stack_json(stack: Stack, ports: PortMemory) -> str:
    """build/stack.json: the stack, and all remembered ports, so that losing state/ loses none of them."""
    data = {"version": VERSION, **_fields(stack), "ports": ports_to_json(ports)}
    return json.dumps(data, ensure_ascii=False, default=_fields, separators=(",", ":")) + "\n"


def stack_from_json(text: str | bytes) -> Stack:
    """The stack that stack_json wrote. Raises ValueError, KeyError or TypeError on anything else."""
    data = json.loads(text)
    if data["version"] != VERSION:
        raise ValueError(f"build/stack.json has version {data['version']}")
    return Stack(
        bundles=tuple(data["bundles"]),
        apps=_each(data["apps"], _app),
        libs=_each(data["libs"], _lib),
        services=_each(data["services"], _service),
        lib_order=_each(data["lib_order"], tuple),
        links=_each(data["links"], tuple),
        routes=tuple(Route(*route) for route in data["routes"]),
        assets=_each(data["assets"], lambda value: AssetUse(value[0], tuple(value[1]), tuple(value[2]))),
        repos=_each(data["repos"], lambda value: Repo(*value)),
        same_container_repos=_each(data["same_container_repos"], tuple),
    )


def ports_to_json(ports: PortMemory) -> list[list[Any]]:
    """The JSON form of a port memory: one list a route, its port last."""
    return [[*key, port] for key, port in sorted(ports.items())]


def ports_from_json(data: Any) -> PortMemory:
    """The inverse of ports_to_json. Raises ValueError or TypeError on anything else."""
    ports: PortMemory = {}
    for app_name, host_name, host_port, container_port, port in data:
        if not isinstance(port, int) or not isinstance(app_name, str):
            raise ValueError("not a port memory")
        ports[(app_name, host_name, host_port, container_port)] = port
    return ports


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _each(values: Mapping[str, Any], make: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: make(value) for name, value in values.items()}


def _tuples(value: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


def _app(value: dict[str, Any]) -> App:
    return App(
        **{
            **_tuples(value),
            "repo": value["repo"] and Repo(*value["repo"]),
            "forwardings": tuple(Forwarding(*item) for item in value["forwardings"]),
            "scripts": tuple(Script(name, tuple(command), text) for name, command, text in value["scripts"]),
            "assets": tuple(Asset(*item) for item in value["assets"]),
            "bundle_env": {name: tuple(given) for name, given in value["bundle_env"].items()},
            "tests": _tests(value["tests"]),
            "reload": rules_from_json(value["reload"]),
            "mounts": tuple(CodeMount(*item) for item in value["mounts"]),
        }
    )


def _service(value: dict[str, Any]) -> Service:
    return Service(
        **{
            **_tuples(value),
            "forwardings": tuple(Forwarding(*item) for item in value["forwardings"]),
            "assets": tuple(Asset(*item) for item in value["assets"]),
            "bundle_env": {name: tuple(given) for name, given in value["bundle_env"].items()},
        }
    )


def _lib(value: dict[str, Any]) -> Lib:
    return Lib(
        **{
            **_tuples(value),
            "repo": Repo(*value["repo"]),
            "tests": _tests(value["tests"]),
            "assets": tuple(Asset(*item) for item in value["assets"]),
            "reload": rules_from_json(value["reload"]),
        }
    )


def _tests(value: dict[str, Any] | None) -> Tests | None:
    if value is None:
        return None
    return Tests(**{**_tuples(value), "suites": tuple(Suite(**_tuples(suite)) for suite in value["suites"])})
