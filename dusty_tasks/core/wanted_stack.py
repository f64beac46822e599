"""From the stack to what should run: state/wanted.json, all that the run phase knows of the specs."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from dusty_tasks.core.compose import PROXY_NAME, build_context, host_ports, network_owner, service_build
from dusty_tasks.core.graph import ordered
from dusty_tasks.core.nginx import http_url
from dusty_tasks.core.scripts import visible_assets
from dusty_tasks.core.settings import Settings
from dusty_tasks.core.specs import App, Service
from dusty_tasks.core.stack import Route, Stack, routes_by_app
from dusty_tasks.core.wanted import Wanted, WantedContainer


def wanted_of(stack: Stack, settings: Settings, specs_root: str, compose: dict[str, Any]) -> Wanted:
    """What should run, `compose` being the mapping of build/docker-compose.yml."""
    mappings, routes = compose["services"], routes_by_app(stack)
    containers: dict[str, WantedContainer] = {}
    for name, app in stack.apps.items():
        containers[name] = _app(app, stack, settings, mappings[name], routes.get(name, []))
    for name, service in stack.services.items():
        containers[name] = _service(service, mappings[name], specs_root)
    order = ordered(containers, lambda name: containers[name].after)
    found = [containers[name] for name in order]
    if PROXY_NAME in mappings:
        found.append(WantedContainer(PROXY_NAME, "proxy", f"dusty_{PROXY_NAME}_1", mappings[PROXY_NAME]))
    return Wanted(
        tuple(found), repos=tuple(_repo_entries(stack)), host_ports=host_ports(stack), bundles=stack.bundles,
        assets={key: {"used_by": list(use.used_by), "required_by": list(use.required_by)} for key, use in stack.assets.items()})


def _app(app: App, stack: Stack, settings: Settings, mapping: dict[str, Any], routes: Iterable[Route]) -> WantedContainer:
    libs = [stack.libs[name] for name in stack.lib_order[app.name]]
    assets = visible_assets(app, libs)
    always = [app.always, app.mount, [[asset.key, asset.path] for asset in assets]]
    return WantedContainer(
        app.name, "app", f"dusty_{app.name}_1", mapping,
        always_digest=hashlib.sha256(json.dumps(always).encode()).hexdigest(),
        repo_ids=stack.same_container_repos[app.name], asset_keys=tuple(dict.fromkeys(asset.key for asset in assets)),
        after=_after(app, mapping), shares_network_of=network_owner(app), needs_login=app.image_requires_login,
        build_context=build_context(app, settings) if app.build else "",
        http_urls=tuple(http_url(route, settings) for route in routes if route.kind == "http"))


def _service(service: Service, mapping: dict[str, Any], specs_root: str) -> WantedContainer:
    return WantedContainer(
        service.name, "service", f"dusty_{service.name}_1", mapping, after=_after(service, mapping),
        shares_network_of=network_owner(service), needs_login=service.image_requires_login,
        build_context=service_build(service, specs_root)["context"] if "build" in service.compose else "")


def _after(spec: App | Service, mapping: dict[str, Any]) -> tuple[str, ...]:
    owner = network_owner(spec)
    return tuple(dict.fromkeys([*(mapping.get("depends_on") or ()), *([owner] if owner else [])]))


def _repo_entries(stack: Stack) -> Iterable[dict[str, Any]]:
    """Per repo: who uses it, which libs of which app it is, and the repos whose code such a lib depends on."""
    users: dict[str, list[str]] = {}
    for app_name, repo_ids in stack.same_container_repos.items():
        for repo_id in repo_ids:
            users.setdefault(repo_id, []).append(app_name)
    libs_by_repo: dict[str, dict[str, list[str]]] = {}
    for app_name in stack.apps:
        for lib_name in stack.lib_order[app_name]:
            libs_by_repo.setdefault(stack.libs[lib_name].repo.id, {}).setdefault(app_name, []).append(lib_name)
    for repo_id, repo in stack.repos.items():
        lib_of = libs_by_repo.get(repo_id, {})
        lib_names = sorted({name for names in lib_of.values() for name in names})
        yield {"id": repo.id, "written": repo.written, "url": repo.url, "local_path": repo.local_path,
               "used_by": users.get(repo_id, []), "lib_of": lib_of,
               "lib_repos": {name: _code_of(name, stack) for name in lib_names}}


def _code_of(lib_name: str, stack: Stack) -> list[str]:
    """The repos of a lib and of the libs that it depends on, sorted."""
    return sorted({stack.libs[name].repo.id for name in (lib_name, *stack.lib_order[f"lib/{lib_name}"])})
