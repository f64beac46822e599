"""The Compose file (spec-language 4.4): one entry a container of the stack, today's Compose Specification."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from dusty_tasks.core.compose_values import named_volumes
from dusty_tasks.core.entries import Entry, host_path, joined, spec_volume
from dusty_tasks.core.names import PROXY_NAME
from dusty_tasks.core.settings import Settings
from dusty_tasks.core.specs import App, Lib, Origin, Service
from dusty_tasks.core.stack import Route, Stack, containers_of, routes_by_app
from dusty_tasks.core.traced import Artifact, Origins, Span
from dusty_tasks.core.yaml_text import yaml_lines

PROXY_CONFIG = "/etc/nginx/conf.d/dustyNginx.conf"
_HEADER = "# Made by Dusty from the specs; `dusty trace docker-compose.yml:LINE` names what put a line here.\n"
_OF_APPS = ("depends_on", "build", "env_file", "volumes", "ports", "environment", "labels", "networks")
_OF_SERVICES = ("image", "build", "depends_on", "env_file", "volumes", "environment", "labels", "networks")
"""Passed-through keys that need more than passing through, by kind."""


class ComposeFile(NamedTuple):
    mapping: dict[str, Any]
    """As another program reads the file: `$` is doubled already."""
    origins: Origins
    """Key -> what put it there; a key without one has that of its nearest parent."""


def compose_file(stack: Stack, settings: Settings, specs_root: str) -> ComposeFile:
    """The mapping of build/docker-compose.yml. Relative paths of services are joined to `specs_root`."""
    guests, routes = _guests(stack), routes_by_app(stack)
    entries = {name: _app_entry(app, stack, settings, specs_root, guests.get(name, []), routes.get(name, []))
               for name, app in stack.apps.items()}
    entries.update({name: _service_entry(service, stack, settings, specs_root, guests.get(name, []))
                    for name, service in stack.services.items()})
    if stack.routes:
        entries[PROXY_NAME] = _proxy_entry(stack, settings)
    mapping: dict[str, Any] = {"name": "dusty", "services": {name: entries[name].mapping for name in sorted(entries)}}
    origins = {f"services.{name}.{key}" if key else f"services.{name}": origin
               for name, entry in entries.items() for key, origin in entry.origins.items()}
    volumes, volume_origins = _top_level_volumes(stack)
    if volumes:
        mapping["volumes"] = volumes
    return ComposeFile(_doubled(mapping), {**origins, **volume_origins})


def render_compose(file: ComposeFile) -> Artifact:
    """The text of the Compose file, with the origin of each key."""
    texts, keys, origins = yaml_lines(file.mapping, file.origins)
    numbered = enumerate(zip(keys, origins, strict=True), start=2)
    spans = tuple([Span(number, number, key, origin) for number, (key, origin) in numbered if origin])
    return Artifact(_HEADER + "\n".join(texts) + "\n", spans)


def _app_entry(app: App, stack: Stack, settings: Settings, specs_root: str, guests: list[str],
               routes: list[Route]) -> Entry:
    entry = Entry(app.file, ("compose",))
    entry.put("container_name", f"dusty_{app.name}_1", ())
    if app.image:
        entry.put("image", app.image, ("image",))
    else:
        entry.put("build", {"context": build_context(app, settings), **app.compose.get("build", {})}, ("build",))
    entry.put("entrypoint", [], ("commands",))
    entry.put("command", ["sh", "/command_files/start.sh"], ("commands",))
    entry.put("user", "root", ())
    _depend(entry, app, stack)
    entry.env_files(app.compose.get("env_file") or (), specs_root)
    _mount(entry, app, stack, settings)
    entry.environment(app.compose.get("environment") or {}, settings.env.get(app.name, {}), app.name)
    for index, port in enumerate(app.compose.get("ports") or ()):
        entry.add("ports", port, ("compose", "ports", index))
    if settings.routing == "published":
        for route in routes:
            entry.add("ports", f"{settings.bridge_ip}:{route.port}:{route.container_port}", ("host_forwarding", route.index))
    entry.labels(app.compose.get("labels"), {"dusty.kind": "app", "dusty.name": app.name,
                                             "dusty.recreate": recreate_digest(app, stack)})
    entry.networks(app.compose.get("networks"), guests)
    entry.pass_through(app.compose, _OF_APPS)
    return entry


def _service_entry(service: Service, stack: Stack, settings: Settings, specs_root: str, guests: list[str]) -> Entry:
    compose = service.compose
    entry = Entry(service.file, ())
    entry.put("container_name", f"dusty_{service.name}_1", ())
    if compose.get("image"):
        entry.put("image", compose["image"], ("image",))
    if compose.get("build"):
        entry.put("build", service_build(service, specs_root), ("build",))
    needed = compose.get("depends_on")
    if needed:
        entry.put("depends_on", _conditions(needed, stack), ("depends_on",))
    entry.env_files(compose.get("env_file") or (), specs_root)
    for index, volume in enumerate(compose.get("volumes") or ()):
        entry.add("volumes", spec_volume(volume, settings.host.root), ("volumes", index))
    entry.add("volumes", f"{host_path(settings.host.root, 'cp', service.name)}:/cp", ())
    entry.environment(compose.get("environment") or {}, settings.env.get(service.name, {}), service.name)
    entry.labels(compose.get("labels"), {"dusty.kind": "service", "dusty.name": service.name})
    entry.networks(compose.get("networks"), guests)
    entry.pass_through(compose, _OF_SERVICES)
    return entry


def _proxy_entry(stack: Stack, settings: Settings) -> Entry:
    entry = Entry("", ())
    entry.origins[""] = Origin("", ("nginx_image",))
    entry.put("container_name", f"dusty_{PROXY_NAME}_1", ("nginx_image",))
    entry.put("image", settings.nginx_image, ("nginx_image",))
    entry.put("command", ["nginx", "-g", "daemon off;", "-c", PROXY_CONFIG], ("nginx_image",))
    entry.add("volumes", f"{host_path(settings.host.root, 'persist/dustyNginx')}:/etc/nginx/conf.d:ro", ("host", "root"))
    bind = "127.0.0.1:" if settings.host.kind == "local" and not settings.external_bind else ""
    first_routes = {route.host_port: route for route in reversed(stack.routes)}
    for port in host_ports(stack):
        route = first_routes[port]
        entry.add("ports", f"{bind}{port}:{port}", ("host_forwarding", route.index, "host_port"),
                  stack.apps[route.app_name].file)
    entry.labels(None, {"dusty.kind": "proxy", "dusty.name": PROXY_NAME}, ("nginx_image",))
    aliases = proxy_aliases(stack)
    if aliases:
        entry.mapping["networks"] = {"default": {"aliases": list(aliases)}}
        for index, route in enumerate(aliases.values()):
            entry.origins[f"networks.default.aliases[{index}]"] = Origin(
                stack.apps[route.app_name].file, ("host_forwarding", route.index, "host_name"))
    return entry


def host_ports(stack: Stack) -> tuple[int, ...]:
    """The ports that the proxy listens on, ascending."""
    return tuple(sorted({route.host_port for route in stack.routes}))


def proxy_aliases(stack: Stack) -> dict[str, Route]:
    """Each host_name by which containers find the proxy, with its first route. A container's own name stays its own."""
    aliases: dict[str, Route] = {}
    for route in stack.routes:
        if route.host_name not in stack.apps and route.host_name not in stack.services:
            aliases.setdefault(route.host_name, route)
    return aliases


def build_context(app: App, settings: Settings) -> str:
    """The absolute folder of an app's `build`."""
    assert app.build is not None
    return joined(settings.path_of(app.repo.id, app.repo.local_path) if app.repo else "/", app.build)


def service_build(service: Service, specs_root: str) -> dict[str, Any]:
    """A service's `build`, its context absolute."""
    build = service.compose["build"]
    build = dict(build) if isinstance(build, dict) else {"context": build}
    return {**build, "context": joined(specs_root, str(build.get("context", ".")))}


def recreate_digest(app: App, stack: Stack) -> str:
    """Digest of what runs once in the life of a container: another one calls for another container."""
    installs = [[name, stack.libs[name].install] for name in stack.lib_order[app.name] if stack.libs[name].install]
    return hashlib.sha256(json.dumps([app.once, installs]).encode()).hexdigest()


def needs_of(app: App, stack: Stack) -> tuple[str, ...]:
    """The containers that an app's container depends on: its links (3.5), then what its own Compose keys need."""
    return tuple(dict.fromkeys((*stack.links[app.name], *(app.compose.get("depends_on") or ()))))


def _depend(entry: Entry, app: App, stack: Stack) -> None:
    needed = _conditions(needs_of(app, stack), stack)
    if not needed:
        return
    entry.put("depends_on", needed, ("depends",))
    for position, name in enumerate(needed):
        key = f"depends_on.{name}" if isinstance(needed, dict) else f"depends_on[{position}]"
        entry.origins[key] = Origin(app.file, _link_path(app, name))


def _link_path(app: App, name: str) -> tuple[str | int, ...]:
    """The spec key that links `app` to `name`."""
    lists = {("depends", "services"): app.services, ("depends", "apps"): app.apps,
             ("conditional_links", "apps"): app.linked_apps, ("conditional_links", "services"): app.linked_services}
    return next(((*path, names.index(name)) for path, names in lists.items() if name in names), ("compose", "depends_on"))


def _conditions(needed: Iterable[str] | dict[str, Any], stack: Stack) -> list[str] | dict[str, Any]:
    """`depends_on` for these names: what has a healthcheck must be healthy first, unless the spec says otherwise."""
    names = list(needed)
    written = needed if isinstance(needed, dict) else {}
    healthy = {name for name in names if name not in written and has_healthcheck(name, stack)}
    if not written and not healthy:
        return names
    return {name: written.get(name) or {"condition": "service_healthy" if name in healthy else "service_started"}
            for name in names}


def has_healthcheck(name: str, stack: Stack) -> bool:
    """True if the spec of this container has a healthcheck that is not switched off."""
    spec = stack.services.get(name) or stack.apps.get(name)
    check = spec.compose.get("healthcheck") if spec else None
    if not isinstance(check, dict) or check.get("disable") in (True, "true"):
        return False
    return check.get("test") not in (None, "NONE", ["NONE"])


def _mount(entry: Entry, app: App, stack: Stack, settings: Settings) -> None:
    root = settings.host.root
    holders: list[App | Lib] = [app, *(stack.libs[name] for name in stack.lib_order[app.name])]
    for index, volume in enumerate(app.compose.get("volumes") or ()):
        entry.add("volumes", spec_volume(volume, root), ("compose", "volumes", index))
    entry.add("volumes", f"{host_path(root, 'cp', app.name)}:/cp", ())
    entry.add("volumes", f"{host_path(root, 'command_files', app.name)}:/command_files", ("commands",))
    files_of_assets = [holder.file for holder in holders if holder.assets]
    if files_of_assets:
        entry.add("volumes", f"{host_path(root, 'persist/dusty_assets', app.name)}:/dusty_assets:ro", ("assets",),
                  files_of_assets[0])
    seen = set()
    for holder in holders:
        if holder.repo and (holder.repo.id, holder.mount) not in seen:
            seen.add((holder.repo.id, holder.mount))
            source = (settings.path_of(holder.repo.id, holder.repo.local_path) if settings.sync_mode == "bind"
                      else host_path(root, "persist/repos", holder.repo.id))
            entry.add("volumes", f"{source}:{holder.mount}", ("mount",), holder.file)


def network_owner(spec: App | Service) -> str:
    """The name of the container whose network this one joins, or ''."""
    mode = str(spec.compose.get("network_mode") or "")
    return mode.removeprefix("service:") if mode.startswith("service:") else ""


def _guests(stack: Stack) -> dict[str, list[str]]:
    """Owner of a network -> the containers that join it, also through another guest: their names must lead to it."""
    specs: dict[str, App | Service] = {**stack.apps, **stack.services}
    guests: dict[str, list[str]] = {}
    for name in sorted(specs):
        owner, steps = network_owner(specs[name]), 0
        while owner in specs and network_owner(specs[owner]) and steps < len(specs):
            owner, steps = network_owner(specs[owner]), steps + 1
        if owner in specs and "network_mode" not in specs[owner].compose:
            guests.setdefault(owner, []).append(name)
    return guests


def _top_level_volumes(stack: Stack) -> tuple[dict[str, Any], Origins]:
    """The declarations of all named volumes, sorted."""
    drivers: dict[str, str] = {}
    origins: Origins = {}
    for spec in containers_of(stack):
        for name in named_volumes(spec.compose):
            drivers[name] = drivers.get(name) or spec.volume_driver
            path = ("compose", "volumes") if isinstance(spec, App) else ("volumes",)
            origins.setdefault(f"volumes.{name}", Origin(spec.file, path))
    return {name: {"driver": drivers[name]} if drivers[name] else None for name in sorted(drivers)}, origins


def _doubled(value: Any) -> Any:
    """The value with `$$` for each `$`: Compose interpolates nothing then."""
    if isinstance(value, str):
        return value.replace("$", "$$") if "$" in value else value
    if isinstance(value, dict):
        return {key: _doubled(item) for key, item in value.items()}
    return [_doubled(item) for item in value] if isinstance(value, (list, tuple)) else value
