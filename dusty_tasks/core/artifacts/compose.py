"""The Compose file: one entry a container of the stack, today's Compose Specification.

More than 300 lines: an entry is made key by key, in the order of the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dusty_tasks.core.artifacts.bound_git import folder_volumes, mounted_paths
from dusty_tasks.core.artifacts.commands import VisibleAsset, placed_assets, visible_assets
from dusty_tasks.core.artifacts.compose_entry import Entry, host_path, spec_volume
from dusty_tasks.core.artifacts.parts import AppParts, ContainerSlice, ProxyParts, ServiceParts
from dusty_tasks.core.artifacts.yaml_writer import Lines, yaml_lines
from dusty_tasks.core.code.build_parts import with_whole_paths
from dusty_tasks.core.plan.conditions import COMPLETED, HEALTHY, STARTED
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import joined, stored_paths
from dusty_tasks.core.specs.model import App, CodeMount, Lib, Origin, Service, code_mounts
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.stack.model import Route
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.namespace import KIND_LABEL, NAME_LABEL, PROXY, RECREATE_LABEL, Namespace
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, COPIES, EXCHANGED, PROXY_THERE

ROOT = "0"
"""The user of apps and tests, by number: an image need not have a passwd file."""
PROXY_CONFIG = "/etc/nginx/conf.d/dustyNginx.conf"
_MADE_BY = "# Made by Dusty from the specs; `dusty trace docker-compose.yml:LINE` names what put a line here."
_OF_APPS = (
    "depends_on",
    "build",
    "env_file",
    "volumes",
    "ports",
    "environment",
    "label_file",
    "labels",
    "networks",
    "develop",
)
_OF_SERVICES = (
    "image",
    "build",
    "depends_on",
    "env_file",
    "volumes",
    "environment",
    "label_file",
    "labels",
    "networks",
    "develop",
)
"""Passed-through keys that need more than passing through, by kind."""


def compose_entry(of: ContainerSlice) -> Entry:
    """A container's entry. Its mapping is as another program reads the file: `$` is doubled already."""
    _, parts, settings, specs_root = of
    if isinstance(parts, AppParts):
        entry = _app_entry(parts, settings, specs_root)
    elif isinstance(parts, ServiceParts):
        entry = _service_entry(parts, settings, specs_root)
    else:
        entry = _proxy_entry(parts, settings)
    entry.mapping = _doubled(entry.mapping)
    return entry


def entry_lines(name: str, entry: Entry) -> Lines:
    """The lines of a container's entry as they stand below `services:`. Each has an origin: its file, if nothing closer."""
    origins = {f"services.{name}{'.' if key else ''}{key}": origin for key, origin in entry.origins.items()}
    return yaml_lines({name: entry.mapping}, origins, "  ", "services")


def first_lines(has_services: bool, namespace: Namespace) -> list[str]:
    """What stands before the first service."""
    return [_MADE_BY, f"name: {namespace.project}", "services:" if has_services else "services: {}"]


def _app_entry(parts: AppParts, settings: ContainerSettings, specs_root: str) -> Entry:
    app = parts.app
    entry = Entry(app.file, ("compose",))
    entry.put("container_name", settings.namespace.container(app.name), ())
    if app.image:
        entry.put("image", app.image, ("image",))
    else:
        _share_image(entry, parts.shares_image_of, settings)
        entry.put("build", app_build(app, settings), ("build",))
        entry.origins["build.context"] = Origin(app.file, ("build", "context"))
        entry.origins.update(
            {f"build.{key}": Origin(app.file, ("compose", "build", key)) for key in app.compose.get("build", {})}
        )
    if app.has_commands:
        entry.put("entrypoint", [], ("commands",))
        entry.put("command", ["sh", "/command_files/start.sh"], ("commands",))
        entry.put("user", ROOT, ())
        if app.mount and "working_dir" not in app.compose:
            entry.put("working_dir", app.mount, ("mount",))
        if "init" not in app.compose and "pid" not in app.compose:
            # In a process namespace that is not its own it would not be the first process, and say so in the app's log.
            entry.put("init", True, ())
    _depend(entry, parts)
    entry.env_files(app.compose.get("env_file") or (), specs_root)
    _mount(entry, app, parts.libs, settings)
    written = app.compose.get("environment") or {}
    entry.environment(written, app.bundle_env, settings.env.get(app.name, {}), app.name, settings.home)
    for index, port in enumerate(app.compose.get("ports") or ()):
        entry.add("ports", port, ("compose", "ports", index))
    _publish(entry, parts.routes, settings)
    entry.label_files(app.compose.get("label_file"), specs_root)
    entry.labels(
        app.compose.get("labels"),
        {
            KIND_LABEL: "app",
            NAME_LABEL: app.name,
            **({RECREATE_LABEL: recreate_digest(app, parts.libs)} if app.has_commands else {}),
        },
    )
    entry.networks(app.compose.get("networks"), parts.guests)
    entry.develop(app.compose.get("develop"), specs_root)
    entry.pass_through(app.compose, _OF_APPS)
    if app.is_ready_by and "healthcheck" in entry.origins:
        entry.origins["healthcheck"] = Origin(app.file, ("ready",))
    return entry


def _service_entry(parts: ServiceParts, settings: ContainerSettings, specs_root: str) -> Entry:
    service = parts.service
    compose = service.compose
    entry = Entry(service.file, ())
    entry.put("container_name", settings.namespace.container(service.name), ())
    if compose.get("image"):
        entry.put("image", compose["image"], ("image",))
    if compose.get("build"):
        _share_image(entry, parts.shares_image_of, settings)
        entry.put("build", service_build(service, specs_root), ("build",))
    needed = compose.get("depends_on")
    if needed:
        entry.put("depends_on", _conditions(needed, parts), ("depends_on",))
    entry.env_files(compose.get("env_file") or (), specs_root)
    for index, volume in enumerate(compose.get("volumes") or ()):
        entry.add("volumes", spec_volume(volume, settings.host.root), ("volumes", index))
    entry.add("volumes", f"{host_path(settings.host.root, EXCHANGED, service.name)}:/cp", ())
    _mount_assets(entry, service.name, visible_assets(service, ()), settings.host.root)
    written, given = compose.get("environment") or {}, settings.env.get(service.name, {})
    entry.environment(written, service.bundle_env, given, service.name, settings.home)
    entry.label_files(compose.get("label_file"), specs_root)
    entry.labels(compose.get("labels"), {KIND_LABEL: "service", NAME_LABEL: service.name})
    entry.networks(compose.get("networks"), parts.guests)
    entry.develop(compose.get("develop"), specs_root)
    entry.pass_through(compose, _OF_SERVICES)
    if parts.routes and "ports" in compose:
        entry.mapping["ports"] = list(compose["ports"])
    _publish(entry, parts.routes, settings)
    return entry


def _proxy_entry(parts: ProxyParts, settings: ContainerSettings) -> Entry:
    entry = Entry("", ())
    entry.origins[""] = Origin("", ("nginx_image",))
    entry.put("container_name", settings.namespace.container(PROXY), ("nginx_image",))
    entry.put("image", settings.nginx_image, ("nginx_image",))
    entry.put("command", ["nginx", "-g", "daemon off;", "-c", PROXY_CONFIG], ("nginx_image",))
    entry.add("volumes", f"{host_path(settings.host.root, PROXY_THERE)}:/etc/nginx/conf.d:ro", ("host", "root"))
    bind = "" if settings.is_reached_from_outside else "127.0.0.1:"
    first_routes = {route.host_port: route for route in reversed(parts.routes)}
    for port, route in sorted(first_routes.items()):
        entry.add(
            "ports",
            f"{bind}{port}:{port}",
            ("host_forwarding", route.index, "host_port"),
            parts.file_of[route.app_name],
        )
    entry.labels(None, {KIND_LABEL: "proxy", NAME_LABEL: PROXY}, ("nginx_image",))
    if parts.aliases:
        entry.mapping["networks"] = {"default": {"aliases": list(parts.aliases)}}
        for index, route in enumerate(parts.aliases.values()):
            entry.origins[f"networks.default.aliases[{index}]"] = Origin(
                parts.file_of[route.app_name], ("host_forwarding", route.index, "host_name")
            )
    return entry


def _publish(entry: Entry, routes: Iterable[Route], settings: ContainerSettings) -> None:
    """The ports of the bridge at which the proxy finds a container."""
    for route in routes if settings.routing == "published" else ():
        entry.add(
            "ports", f"{settings.bridge_ip}:{route.port}:{route.container_port}", ("host_forwarding", route.index)
        )


def _share_image(entry: Entry, owner: str, settings: ContainerSettings) -> None:
    """Let a container run the image that is built for `owner` from the same."""
    if owner:
        entry.put("image", settings.namespace.built_image(owner), ("build",))


def app_build(app: App, settings: ContainerSettings) -> dict[str, Any]:
    """An app's `build`, its paths absolute: relative ones start at the repo."""
    root = _repo_folder(app, settings)
    options = with_whole_paths({**app.build_options, **app.compose.get("build", {})}, root)
    return {"context": build_context(app, settings), **options}


def build_context(app: App, settings: ContainerSettings) -> str:
    """The absolute folder of an app's `build`."""
    assert app.build is not None
    return joined(_repo_folder(app, settings), app.build)


def _repo_folder(app: App, settings: ContainerSettings) -> str:
    return settings.path_of(app.repo.id, app.repo.local_path) if app.repo else "/"


def service_build(service: Service, specs_root: str) -> dict[str, Any]:
    """A service's `build`, its context absolute."""
    build = service.compose["build"]
    build = dict(build) if isinstance(build, dict) else {"context": build}
    return {**with_whole_paths(build, specs_root), "context": joined(specs_root, str(build.get("context", ".")))}


def recreate_digest(app: App, libs: Iterable[Lib]) -> str:
    """Digest of what runs once in the life of a container: another one calls for another container."""
    installs = [[lib.name, lib.install] for lib in libs if lib.install]
    return hashlib.sha256(json.dumps([app.once, installs]).encode()).hexdigest()


def once_digests(app: App, libs: Iterable[Lib]) -> dict[str, str]:
    """The same in parts: name of a lib -> digest of its install lines, '' -> that of `once`."""
    parts = {"": app.once, **{lib.name: lib.install for lib in libs if lib.install}}
    return {name: hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16] for name, lines in parts.items()}


def _depend(entry: Entry, parts: AppParts) -> None:
    needed = _conditions(parts.needs, parts, parts.app.until)
    if not needed:
        return
    entry.put("depends_on", needed, ("depends",))
    for position, name in enumerate(needed):
        key = f"depends_on.{name}" if isinstance(needed, dict) else f"depends_on[{position}]"
        entry.origins[key] = Origin(parts.app.file, _link_path(parts.app, name))


def _link_path(app: App, name: str) -> tuple[str | int, ...]:
    """The spec key that links `app` to `name`."""
    lists = {
        ("depends", "services"): app.services,
        ("depends", "apps"): app.apps,
        ("conditional_links", "apps"): app.linked_apps,
        ("conditional_links", "services"): app.linked_services,
    }
    return next(
        ((*path, names.index(name)) for path, names in lists.items() if name in names), ("compose", "depends_on")
    )


def _conditions(
    needed: Iterable[str] | dict[str, Any],
    parts: AppParts | ServiceParts,
    until: Mapping[str, str] = MappingProxyType({}),
) -> list[str] | dict[str, Any]:
    """`depends_on` for these names: a job must have ended and what has a healthcheck be healthy first, unless the spec says otherwise."""
    names = list(needed)
    written = needed if isinstance(needed, dict) else {}
    if not (written or parts.healthy or parts.jobs or until):
        return names

    def condition(name: str) -> str:
        usual = COMPLETED if name in parts.jobs else HEALTHY if name in parts.healthy else STARTED
        return until.get(name, usual)

    return {name: {"condition": condition(name), **(written.get(name) or {})} for name in names}


def _mount(entry: Entry, app: App, libs: Sequence[Lib], settings: ContainerSettings) -> None:
    root = settings.host.root
    holders: list[App | Lib] = [app, *libs]
    for index, volume in enumerate(app.compose.get("volumes") or ()):
        entry.add("volumes", spec_volume(volume, root), ("compose", "volumes", index))
    entry.add("volumes", f"{host_path(root, EXCHANGED, app.name)}:/cp", ())
    if app.has_commands or app.scripts:
        where = "commands" if app.has_commands else "scripts"
        entry.add("volumes", f"{host_path(root, COMMANDS_THERE, app.name)}:/command_files", (where,))
    files_of_assets = [holder.file for holder in holders if holder.assets]
    if files_of_assets:
        entry.add(
            "volumes", f"{host_path(root, ASSETS_THERE, app.name)}:/dusty_assets:ro", ("assets",), files_of_assets[0]
        )
    seen, own = set(), mounted_paths(app.compose)
    for holder in holders:
        for mount in code_mounts(holder):
            if holder.repo and (holder.repo.id, mount) not in seen:
                seen.add((holder.repo.id, mount))
                path: KeyPath = ("mount", *_written_folder(mount, holder))
                for volume in _code_volumes(holder.repo, mount, settings, own):
                    entry.add("volumes", volume, path, holder.file)
    if not app.has_commands:
        is_bound = settings.sync_mode == "bind"
        _mount_assets(entry, app.name, placed_assets(app, libs, is_bound, stored_paths(app.compose)), root)


def _mount_assets(entry: Entry, name: str, assets: Iterable[VisibleAsset], root: str) -> None:
    """Each asset at its place, where no start script of Dusty's could put it there."""
    for asset in assets:
        source = host_path(root, ASSETS_THERE, name, asset.key)
        entry.add("volumes", f"{source}:{asset.path}:ro", ("assets", asset.position, "path"), asset.file)


def _written_folder(mount: CodeMount, holder: App | Lib) -> tuple[str, ...]:
    """The key below `mount` that put a folder there; none where `mount` is a path."""
    return (mount.folder or ".",) if isinstance(holder, App) and holder.mounts else ()


def _code_volumes(repo: Repo, mount: CodeMount, settings: ContainerSettings, own: set[str]) -> Iterable[str]:
    """What shows a repo, or a folder of it, in a container; `own` are the paths where the spec mounts something itself."""
    if settings.sync_mode == "bind":
        tree = settings.path_of(repo.id, repo.local_path)
        return folder_volumes(tree, mount, settings, own)
    return [f"{host_path(settings.host.root, COPIES, repo.id, *filter(None, [mount.folder]))}:{mount.path}"]


def _doubled(value: Any) -> Any:
    """The value with `$$` for each `$`: Compose interpolates nothing then."""
    if isinstance(value, str):
        return value.replace("$", "$$") if "$" in value else value
    if isinstance(value, dict):
        return {key: _doubled(item) for key, item in value.items()}
    return [_doubled(item) for item in value] if isinstance(value, (list, tuple)) else value
