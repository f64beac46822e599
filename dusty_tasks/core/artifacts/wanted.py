"""From the stack to what should run: state/wanted.json, all that the run phase knows of the specs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from dusty_tasks.core.artifacts.commands import visible_assets
from dusty_tasks.core.artifacts.compose import build_context, once_digests, service_build
from dusty_tasks.core.artifacts.mount_points import of_stack
from dusty_tasks.core.artifacts.nginx import http_url
from dusty_tasks.core.artifacts.parts import (
    AppParts,
    ContainerSlice,
    Parts,
    ProxyParts,
    ServiceParts,
    namespace_owners,
    network_owner,
    secrets_of,
)
from dusty_tasks.core.code.reloading import Rules
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer, to_json
from dusty_tasks.core.powers.model import Power
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import spec_paths
from dusty_tasks.core.specs.model import App, Lib
from dusty_tasks.core.specs.reload import seen_rules
from dusty_tasks.core.stack.assemble import ordered
from dusty_tasks.core.stack.https import HTTPS_PORT, OFF, certificates, secured
from dusty_tasks.core.stack.model import Stack


def wanted_container(of: ContainerSlice, mapping: dict[str, Any]) -> WantedContainer:
    """A container as it should run, `mapping` being its entry in build/docker-compose.yml."""
    name, parts, settings, specs_root = of
    if isinstance(parts, AppParts):
        return _app(parts, mapping, settings)
    if isinstance(parts, ServiceParts):
        return _service(parts, mapping, settings, specs_root)
    return WantedContainer(name, "proxy", settings.namespace.container(name), mapping)


def start_order(parts: Mapping[str, Parts]) -> list[str]:
    """The containers, each after those that it needs, ties by name; the proxy last."""
    needs = {name: _after(part) for name, part in parts.items() if not isinstance(part, ProxyParts)}
    return [*ordered(needs, lambda name: needs[name]), *(name for name in parts if name not in needs)]


def wanted_json(
    stack: Stack, containers: Iterable[str], settings: ContainerSettings, powers: Iterable[Power] = ()
) -> str:
    """state/wanted.json (core/wanted.from_json reads it); `containers` are the JSON texts of them, in start order."""
    answering = secured(stack.routes, settings.https)
    ports = {route.host_port for route in stack.routes} | ({HTTPS_PORT} if answering else set())
    rest = to_json(
        Wanted(
            (),
            repos=tuple(repo_entries(stack)),
            host_ports=tuple(sorted(ports)),
            https={
                one.id: list(one.names)
                for one in certificates(stack.routes, settings.https, settings.hosts_mode, settings.namespace)
            }
            if settings.https != OFF
            else None,
            bundles=stack.bundles,
            assets={
                key: {"used_by": list(use.used_by), "required_by": list(use.required_by)}
                for key, use in stack.assets.items()
            },
            powers=tuple([power.to_json() for power in powers]),
        )
    )
    del rest["containers"]
    return '{"containers": [' + ",\n".join(containers) + "],\n" + json.dumps(rest, ensure_ascii=False)[1:] + "\n"


def _app(parts: AppParts, mapping: dict[str, Any], settings: ContainerSettings) -> WantedContainer:
    app = parts.app
    assets = visible_assets(app, parts.libs)
    always = [app.always, app.mount, [[asset.key, asset.path] for asset in assets]]
    return WantedContainer(
        app.name,
        "app",
        settings.namespace.container(app.name),
        mapping,
        always_digest=hashlib.sha256(json.dumps(always).encode()).hexdigest() if app.has_commands else "",
        once_digests=once_digests(app, parts.libs) if app.has_commands else {},
        repo_ids=parts.repo_ids,
        asset_keys=tuple(dict.fromkeys(asset.key for asset in assets)),
        mounts_assets=not app.has_commands,
        after=_after(parts),
        shares_network_of=network_owner(app),
        is_job=app.is_job,
        ready_within=str(app.compose["healthcheck"]["start_period"]) if app.is_ready_by else "",
        needs_login=app.image_requires_login,
        build_context=build_context(app, settings) if app.build else "",
        **_route_fields(parts, settings),
        reload=reload_rules(parts),
        code=app.mount or "",
        secrets=secrets_of(parts),
    )


def reload_rules(parts: AppParts) -> dict[str, list[Rules]]:
    """Repo id -> the rules of the app and the libs whose repo it is, where any has some."""
    users: tuple[App | Lib, ...] = (parts.app, *parts.libs)
    by_repo: dict[str, list[Rules]] = {}
    for spec in users:
        if spec.repo and spec.repo.id in parts.repo_ids:
            rules = seen_rules(spec.reload, [mount.folder for mount in spec.mounts])
            if rules not in by_repo.setdefault(spec.repo.id, []):
                by_repo[spec.repo.id].append(rules)
    return {repo_id: found for repo_id, found in by_repo.items() if any(found)}


def _service(
    parts: ServiceParts, mapping: dict[str, Any], settings: ContainerSettings, specs_root: str
) -> WantedContainer:
    service = parts.service
    return WantedContainer(
        service.name,
        "service",
        settings.namespace.container(service.name),
        mapping,
        asset_keys=tuple(dict.fromkeys(asset.key for asset in service.assets)),
        mounts_assets=bool(service.assets),
        spec_files=tuple(spec_paths(service.compose)),
        after=_after(parts),
        shares_network_of=network_owner(service),
        is_job=service.is_job,
        before_copy=service.before_copy,
        after_copy=service.after_copy,
        needs_login=service.image_requires_login,
        build_context=service_build(service, specs_root)["context"] if "build" in service.compose else "",
        **_route_fields(parts, settings),
        secrets=secrets_of(parts),
    )


def _route_fields(parts: AppParts | ServiceParts, settings: ContainerSettings) -> dict[str, Any]:
    """Where a container is to answer: the fields of WantedContainer that tell of its routes."""
    routes, answered = parts.routes, parts.secured if settings.https != OFF else ()
    http = [route for route in routes if route.kind == "http"]
    urls = [
        http_url(route, settings.hosts_mode, settings.namespace, is_secured=route.index in answered) for route in http
    ]
    return {
        "http_urls": tuple(urls),
        "http_ports": tuple([route.container_port for route in http]),
        "route_ports": tuple(dict.fromkeys(route.container_port for route in routes)),
        "stream_ports": tuple(dict.fromkeys(route.container_port for route in routes if route.kind != "http")),
    }


def _after(parts: AppParts | ServiceParts) -> tuple[str, ...]:
    """What it depends on, and whose network, processes or memory it shares."""
    spec, needs = (parts.app, parts.needs) if isinstance(parts, AppParts) else (parts.service, parts.needs)
    return tuple(dict.fromkeys([*needs, *namespace_owners(spec)]))


def repo_entries(stack: Stack) -> Iterable[RepoEntry]:
    """Per repo: who uses it, which libs of which app it is, the repos whose code such a lib depends on, and the mount points in its copy."""
    users: dict[str, list[str]] = {}
    for app_name, repo_ids in stack.same_container_repos.items():
        for repo_id in repo_ids:
            users.setdefault(repo_id, []).append(app_name)
    libs_by_repo: dict[str, dict[str, list[str]]] = {}
    for app_name in stack.apps:
        for lib_name in stack.lib_order[app_name]:
            libs_by_repo.setdefault(stack.libs[lib_name].repo.id, {}).setdefault(app_name, []).append(lib_name)
    mounts = of_stack(stack)
    for repo_id, repo in stack.repos.items():
        lib_of = libs_by_repo.get(repo_id, {})
        lib_names = sorted({name for names in lib_of.values() for name in names})
        yield RepoEntry(
            repo.id,
            repo.written,
            repo.url,
            repo.local_path,
            used_by=tuple(users.get(repo_id, ())),
            lib_of=lib_of,
            lib_repos={name: _code_of(name, stack) for name in lib_names},
            mounts=tuple(mounts.get(repo_id, ())),
        )


def _code_of(lib_name: str, stack: Stack) -> list[str]:
    """The repos of a lib and of the libs that it depends on, sorted."""
    return sorted({stack.libs[name].repo.id for name in (lib_name, *stack.lib_order[f"lib/{lib_name}"])})
