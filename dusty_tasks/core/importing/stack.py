"""A Compose project as specs: which services become apps, their specs, bundles, variables and copied files. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.alike import with_templates
from dusty_tasks.core.importing.binds import Binds, Kind, bind_parts
from dusty_tasks.core.importing.converting import converted
from dusty_tasks.core.importing.files_of_variables import Copied
from dusty_tasks.core.importing.keys.conversion import Stack
from dusty_tasks.core.importing.proxy_labels import HTTP, owners
from dusty_tasks.core.importing.reading import Project, evaluated_node
from dusty_tasks.core.importing.report import Outcome, Report
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.surroundings import Checkout, Surroundings
from dusty_tasks.core.importing.top_level import say_top_level
from dusty_tasks.core.importing.variables import Variables
from dusty_tasks.core.importing.yaml_text import yaml_text
from dusty_tasks.core.specs.compose_values import local_folder
from dusty_tasks.core.specs.rules import Wrong, check_spec_name, nearest_name

LOST = Outcome.LOST


class Imported(NamedTuple):
    """What an import comes to."""

    project: Project
    around: Surroundings
    variables: Variables
    binds: Binds
    report: Report
    specs: dict[str, Spec]
    """By the name of the service in the Compose file."""
    bundles: dict[str, list[str]]
    """Bundle -> the services of the Compose file that it names."""
    libs: dict[str, dict[str, Any]]
    assets: dict[str, str]
    env_copies: dict[str, Copied]
    texts: dict[str, str]
    used: set[str]
    """Copied files and folders that some spec needs."""
    routed: frozenset[str]
    repos: dict[str, Checkout]
    """The checkout of each app, by the name of its service."""

    @property
    def checkouts(self) -> list[Checkout]:
        """All that binds of the project lead to."""
        return [*self.repos.values(), *self.around.own_from.values()]


def imported(project: Project, around: Surroundings) -> Imported:
    """The specs of a project, with what became of each key. Raises Refused."""
    variables = Variables(project.values, project.services, project.folder)
    binds, report = Binds(project.folder, around), Report()
    services = {name: node for name, node in project.services.items() if _is_container(node)}
    repos = {name: checkout for name in services if (checkout := _checkout(name, project, around, binds, variables))}
    kinds = {name: "app" if name in repos else "service" for name in services}
    seen = {name: evaluated_node(node, variables.values) for name, node in services.items()}
    hosts = owners(seen)
    routed = frozenset(str(HTTP) for _ in hosts)
    stack = Stack(
        project, variables, binds, around, report, _names(kinds), kinds, repos, {}, {}, {}, {},
        _aliases_of_links(kinds, seen), set(), routed, hosts,
    )  # fmt: skip
    specs = {name: converted(stack, name, node) for name, node in services.items()}
    for name, node in project.services.items():
        if name not in services:
            for key, child in node.value.items():
                report.begin(name, key, child.place)
                why, hint = (
                    "Dusty runs containers only: this service has neither image nor build",
                    "an image that offers the same",
                )
                report.say(name, key, LOST, "", why, hint)
    say_top_level(project, variables, seen, report, specs)
    return Imported(
        project, around, variables, binds, report, specs, bundles_of(project, variables, specs),
        stack.libs, stack.assets, stack.env_copies, stack.texts, stack.used, routed, repos,
    )  # fmt: skip


def _is_container(node: Any) -> bool:
    return any(
        node.value.get(key) is not None and node.value[key].value not in (None, "") for key in ("image", "build")
    )


def _checkout(name: str, project: Project, around: Surroundings, binds: Binds, variables: Variables) -> Checkout | None:
    """The git checkout that makes a service an app: of --own, of its build, else that of most of its binds."""
    node = project.services[name]
    if name in around.own:
        folder = _owned_folder(name, project, around, variables) or f"/{name}"
        return Checkout(folder, around.own[name].repo)
    found: list[Checkout] = []
    for item in _items(node, "volumes"):
        parts = bind_parts(item, variables)
        bind = binds.find(parts[0], parts[1]) if parts else None
        if bind and bind.kind is Kind.CODE and bind.checkout:
            found.append(bind.checkout)
    build = evaluated_node(node.value["build"], variables.values) if "build" in node.value else None
    if isinstance(build, dict):
        context = str(build.get("context", "."))
        if local_folder(context):
            whole = posixpath.normpath(posixpath.join(project.folder, context))
            bind = binds.find(f"./{posixpath.relpath(whole, project.folder)}", "")
            if bind.kind is Kind.CODE and bind.checkout and around.checkout_of(whole):
                return bind.checkout
            if bind.kind is Kind.CODE and bind.checkout and bind.checkout in around.own_from.values():
                return bind.checkout
    return max(dict.fromkeys(found), key=found.count) if found else None


def _owned_folder(name: str, project: Project, around: Surroundings, variables: Variables) -> str:
    """Where the code of an owned service lies here, as far as its binds and build say so."""
    node = project.services[name]
    for item in _items(node, "volumes"):
        parts = bind_parts(item, variables)
        if parts and parts[2].rstrip("/") == around.own[name].mount.rstrip("/"):
            return posixpath.normpath(posixpath.join(project.folder, parts[0]))
    build = evaluated_node(node.value["build"], variables.values) if "build" in node.value else None
    if isinstance(build, dict):
        return posixpath.normpath(posixpath.join(project.folder, str(build.get("context", "."))))
    return ""


def _items(node: Any, key: str) -> list[Any]:
    child = node.value.get(key)
    return list(child.value) if child is not None and isinstance(child.value, list) else []


def _names(kinds: Mapping[str, str]) -> dict[str, str]:
    """The name of each spec: that of the service, or the nearest one that Dusty allows."""
    names: dict[str, str] = {}
    for name, kind in kinds.items():
        found = name
        try:
            check_spec_name(kind, name)
        except Wrong:
            base = nearest_name(kind, name) or "container"
            base = f"{base}-of-stack" if base.lower() == name.lower() and kind == "service" else base
            number, found = 1, base
            while found in names.values() or (found in kinds and found != name):
                number += 1
                found = f"{base}-{number}"
        names[name] = found
    return names


def _aliases_of_links(kinds: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, list[str]]:
    """Service -> the names by which links of apps find it: an app's container finds others by their own names only."""
    found: dict[str, list[str]] = {}
    for name, service in seen.items():
        for link in service.get("links") or () if kinds[name] == "app" else ():
            target, _, alias = str(link).partition(":")
            if alias and target in kinds:
                found.setdefault(target, []).append(alias)
    return found


def bundles_of(project: Project, variables: Variables, specs: Mapping[str, Spec]) -> dict[str, list[str]]:
    """What no profile holds in a bundle of the project's name, and a bundle for each profile, with all that it needs."""
    seen = {name: evaluated_node(project.services[name], variables.values) for name in specs}
    profiles = {name: [str(profile) for profile in service.get("profiles") or ()] for name, service in seen.items()}
    idle = [name for name, service in seen.items() if _is_idle(service)]
    # The profile '' is the one that is active where nobody asks for any.
    plain = [name for name in specs if "" in (profiles[name] or [""]) and name not in idle]
    names: dict[str, str] = {}
    for profile in dict.fromkeys(profile for name in specs for profile in profiles[name] if profile):
        names[_bundle_name(profile, names)] = profile
    found = {
        bundle: needed([name for name in specs if profile in profiles[name]], seen) for bundle, profile in names.items()
    }
    title = project.name if project.name not in names else f"{project.name}-base"
    alone = {name: needed([name], seen) for name in idle if not profiles[name]}
    return {
        **({title: plain} if plain else {}),
        **found,
        **{name: all_ for name, all_ in alone.items() if name not in found},
    }


def _bundle_name(profile: str, taken: Collection[str]) -> str:
    """The name of a profile's bundle: the profile's own where a bundle may have it."""
    base = profile.replace("/", "-")
    try:
        check_spec_name("bundle", base)
    except Wrong:
        base = nearest_name("bundle", base) or "profile"
    return next(name for name in (base, *(f"{base}-{number}" for number in range(2, 1000))) if name not in taken)


def _is_idle(service: Mapping[str, Any]) -> bool:
    """True for a service of which no container is to run."""
    deploy = service.get("deploy")
    replicas = deploy.get("replicas") if isinstance(deploy, dict) else None
    return str(service.get("scale", replicas)) == "0"


def needed(names: list[str], seen: Mapping[str, Any]) -> list[str]:
    """The services, and all that they depend on."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in seen:
            continue
        found[name] = None
        depends = seen[name].get("depends_on") or {}
        waiting += [
            other for other, words in depends.items() if str((words or {}).get("required", True)).lower() != "false"
        ]
        waiting += [other for other in implied_by(seen[name]) if other not in depends]
    return list(found)


def implied_by(service: Mapping[str, Any]) -> list[str]:
    """The services that one needs without a word in depends_on: those of its links and of what it shares."""
    shared = [str(service.get(key) or "").partition(":") for key in ("network_mode", "pid", "ipc")]
    mounted = [str(item).partition(":")[0] for item in service.get("volumes_from") or ()]
    links = [str(link).partition(":")[0] for link in service.get("links") or ()]
    return [*links, *mounted, *(name for kind, _, name in shared if kind == "service")]


def files_of(made: Imported, *, has_templates: bool = True) -> dict[str, bytes]:
    """Path below the specs -> bytes: all that is to be written; what specs share in templates, or in each."""
    files: dict[str, bytes] = {}
    by_kind: dict[str, dict[str, dict[str, Any]]] = {"app": {}, "service": {}}
    for spec in made.specs.values():
        by_kind[spec.kind][spec.name] = spec.value()
    for kind, specs in by_kind.items():
        written, templates = with_templates(specs, []) if has_templates else (specs, {})
        for name, value in {**templates, **written}.items():
            files[f"{kind}s/{name}.yml"] = yaml_text(value).encode()
    for name, lib in made.libs.items():
        files[f"libs/{name}.yml"] = yaml_text(lib).encode()
    for name, members in made.bundles.items():
        files[f"bundles/{name}.yml"] = yaml_text(_bundle(name, members, made)).encode()
    if made.variables.declared:
        files["vars.yml"] = yaml_text(
            {
                name: {
                    **({"default": variable.default} if variable.default is not None else {}),
                    **({"secret": True} if variable.is_secret else {}),
                    **({"description": variable.description} if variable.description else {}),
                }
                for name, variable in sorted(made.variables.declared.items())
            }
        ).encode()
    for copy in made.env_copies.values():
        if copy.text is not None:
            files[copy.path] = copy.text.encode()
    files.update({path: text.encode() for path, text in made.texts.items()})
    for path, origin in copies_of(made).items():
        if (data := made.around.read(origin)) is not None:
            files[path] = data
    return files


def _bundle(name: str, members: list[str], made: Imported) -> dict[str, Any]:
    kinds = {
        kind: sorted(made.specs[member].name for member in members if made.specs[member].kind == kind)
        for kind in ("app", "service")
    }
    return {
        "description": f"The Compose project {made.project.name}."
        if name.removesuffix("-base") == made.project.name
        else f"What the profile {name} of the Compose project {made.project.name} starts.",
        **{f"{kind}s": names for kind, names in kinds.items() if names},
    }


def copies_of(made: Imported) -> dict[str, str]:
    """Path below the specs -> the absolute path of the file that is copied there."""
    found: dict[str, str] = {}
    for path in sorted(made.used & made.binds.copies.keys()):
        origin = made.binds.copies[path]
        if made.around.kind_of(origin) == "file":
            found[path] = origin
        for name in made.around.files_in(origin) or () if made.around.kind_of(origin) == "folder" else ():
            found[posixpath.join(path, name)] = posixpath.join(origin, name)
    return found
