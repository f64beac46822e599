"""The proof of an import: what it wrote is compiled, both sides are put into canonical form, and compared. Pure.

Named rules (docs/import.md) say what is the same although it is written otherwise. What then still differs has to be what the
report calls bent or lost, and the other way round; anything else is a bug of ours.

More than 300 lines: both sides stand beside each other, rule by rule.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.canonical import canonical, flat
from dusty_tasks.core.importing.compiled import HOME, ROOT, Compiled
from dusty_tasks.core.importing.compose_yaml import text_of
from dusty_tasks.core.importing.dotenv import variables_of
from dusty_tasks.core.importing.proxy_labels import forwardings_of
from dusty_tasks.core.importing.reading import resolved
from dusty_tasks.core.importing.report import Outcome
from dusty_tasks.core.importing.short_forms import port_of
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.stack import Imported, needed
from dusty_tasks.core.plan.given_values import file_of
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.stack.assemble import activated
from dusty_tasks.core.text.namespace import OWN_LABELS, STACK
from dusty_tasks.core.text.paths import ASSETS_THERE, COPIES, EXCHANGED, SPEC_FILES

_LEFT_OUT = ("profiles", "extends", "container_name", "restart_policy", "image_requires_login", "provider")
"""Keys whose rule is that they say nothing about the container itself."""
_SOURCES = {
    "environment": ("environment", "env_file"),
    "files of variables": ("env_file",),
    "volumes": ("volumes", "configs", "secrets"),
    "networks": ("networks", "container_name", "links"),
    "depends_on": ("depends_on", "links"),
    "labels": ("labels",),
    "image": ("image", "build"),
    "containers": ("scale", "deploy"),
    "routes": ("labels", "environment"),
}
"""Key of the canonical form -> the keys of the Compose file that it is made of, where that is not the key itself."""


class Difference(NamedTuple):
    """One thing that is not the same on both sides."""

    service: str
    key: str
    """Of the canonical form."""
    before: Any
    after: Any


def differences(made: Imported, compiled: Compiled, files: Mapping[str, bytes]) -> list[Difference]:
    """What differs, by service, after the rules."""
    found: list[Difference] = []
    originals = {name: resolved(made.project.services[name], made.variables.values) for name in made.specs}
    for name, spec in made.specs.items():
        before = _original(name, originals, made)
        after = _written(spec, made, compiled, files)
        for key in sorted({*before, *after}):
            one, other = before.get(key), after.get(key)
            if key == "networks":
                one, other = _networks(one, other)
            if key == "depends_on":
                other = _explicit(one or {}, other or {}, originals[name])
                one = one or {}
            if key == "volumes":
                other = _without_own(one or {}, other or {}, spec)
                one = one or {}
            if one != other:
                found.append(Difference(name, key, one, other))
    return found


def unexplained(made: Imported, found: Iterable[Difference]) -> list[str]:
    """Sentences about what differs and is not told, and about what is told and does not differ; none if the proof holds."""
    said, told = [], set()
    for difference in found:
        keys = _SOURCES.get(difference.key, (difference.key,))
        worse = {key for key in keys if made.report.outcome(difference.service, key) in (Outcome.BENT, Outcome.LOST)}
        told |= {(difference.service, key) for key in worse}
        if not worse:
            said.append(f"{difference.service}.{difference.key}: {difference.before!r} became {difference.after!r}")
    for row in made.report.rows():
        is_kept = row.service in made.specs
        if row.outcome in (Outcome.BENT, Outcome.LOST) and is_kept and (row.service, row.key) not in told:
            said.append(f"{row.name} is called {row.outcome.value}, and is the same")
    return said


def wrong_bundles(made: Imported, compiled: Compiled) -> list[str]:
    """Sentences about bundles that start something else than their profile does."""
    said = []
    seen = {name: resolved(made.project.services[name], made.variables.values) for name in made.specs}
    by_spec = {spec.name: name for name, spec in made.specs.items()}
    for bundle, members in made.bundles.items():
        if bundle not in compiled.specs.bundles:
            said.append(f"the bundle {bundle} is missing")
            continue
        active = {by_spec.get(name, name) for name in activated(compiled.specs, compiled.specs.bundles[bundle])}
        wanted = {name for name in needed(members, seen) if name in made.specs}
        if not wanted <= active:
            said.append(f"the bundle {bundle} lacks {', '.join(sorted(wanted - active))}")
    return said


# --- the Compose file ----------------------------------------------------------------------------------------------


def _original(name: str, originals: Mapping[str, Any], made: Imported) -> dict[str, Any]:
    service, folder = dict(originals[name]), made.project.folder
    found: dict[str, Any] = {}
    variables, absent = _variables_of(service, folder, made)
    environment = {**variables, **_environment(service.pop("environment", None))}
    files = service.pop("env_file", None)
    if environment:
        found["environment"] = environment
    if absent and files:
        found["files of variables"] = absent
    volumes = canonical("volumes", service.pop("volumes", None), folder)
    volumes = {target: _device(entry, made) for target, entry in volumes.items()}
    for entry in volumes.values():
        if entry["source"].startswith("~"):
            entry["source"] = f"{made.variables.values.get('HOME', '')}{entry['source'][1:]}"
        if entry["type"] == "bind":
            entry["source"] = made.binds.as_found(entry["source"])
    volumes.update(_secrets(service.pop("secrets", None), "secret", made))
    volumes.update(_secrets(service.pop("configs", None), "config", made))
    found["volumes"] = volumes
    found["containers"] = _containers(service)
    found["routes"] = _routes(originals[name])
    found["networks"] = _original_networks(name, originals, made)
    service.pop("networks", None)
    links = {str(link) for link in service.pop("links", None) or () if str(link).partition(":")[0] in made.specs}
    found["links"] = sorted(link for link in links if ":" in link) if made.specs[name].kind == "service" else None
    if "ports" in service:
        ports = service["ports"]
        kept = [port for port in (ports if isinstance(ports, list) else [ports]) if port_of(port) not in made.routed]
        service["ports"] = kept or None
    if "depends_on" in service:
        depends = canonical("depends_on", service.pop("depends_on"), folder)
        found["depends_on"] = {other: words for other, words in depends.items() if other in made.specs}
    for key, value in service.items():
        if key not in _LEFT_OUT and value is not None and key not in found:
            form = canonical(key, value, folder)
            if form not in (None, {}, []):
                found[key] = form
    if made.specs[name].kind == "app" and "build" in found:
        found.pop("image", None)
    if isinstance(found.get("build"), dict) and str(found["build"].get("context", "")).startswith("/"):
        found["build"]["context"] = made.binds.as_found(found["build"]["context"])
    if isinstance(found.get("build"), dict) and "secrets" in found["build"]:
        found["build"]["secrets"] = [
            {**words, "source": f"secret:{words.get('source')}"} for words in found["build"]["secrets"]
        ]
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def _environment(value: Any) -> dict[str, Any]:
    return {str(name): None if text is None else text_of(text) for name, text in (value or {}).items()}


def _variables_of(service: Mapping[str, Any], folder: str, made: Imported) -> tuple[dict[str, Any], list[Any]]:
    """What files of variables say, and those of them that are not there."""
    found: dict[str, Any] = {}
    absent: list[Any] = []
    for item in service.get("env_file") or ():
        words = item if isinstance(item, dict) else {"path": item}
        path = posixpath.normpath(posixpath.join(folder, text_of(words.get("path"))))
        data = made.around.read(path)
        if data is None:
            absent.append((path, text_of(words.get("required", True))))
            continue
        text = data.decode("utf-8", "replace")
        values = variables_of(text, made.variables.values, is_raw=words.get("format") == "raw")
        copy = made.env_copies.get(path)
        found.update({**values, **(copy.secrets if copy else {})})
    return found, absent


def _secrets(items: Any, kind: str, made: Imported) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items or ():
        words = item if isinstance(item, dict) else {"source": item}
        source = text_of(words.get("source"))
        target = text_of(words.get("target") or (source if kind == "secret" else f"/{source}"))
        target = target if target.startswith("/") else f"/run/secrets/{target}"
        rest = {key: text_of(words[key]) for key in ("uid", "gid", "mode") if key in words}
        found[target.rstrip("/")] = {"type": kind, "source": source, **rest}
    return found


def _device(entry: dict[str, Any], made: Imported) -> dict[str, Any]:
    """A named volume that stands for a folder is a bind of that folder."""
    node = made.project.named.get("volumes", {}).get(entry["source"]) if entry["type"] == "volume" else None
    options = resolved(node, made.variables.values) if node is not None and isinstance(node.value, dict) else {}
    opts = options.get("driver_opts") or {}
    if isinstance(opts, dict) and "bind" in str(opts.get("o", "")).split(",") and opts.get("device"):
        source = posixpath.normpath(posixpath.join(made.project.folder, str(opts["device"])))
        return {**entry, "type": "bind", "source": source}
    return entry


def _containers(service: dict[str, Any]) -> Any:
    """How many containers: 1, or 0, of which no bundle starts any, is the rule."""
    deploy = service.get("deploy")
    replicas = deploy.get("replicas") if isinstance(deploy, dict) else None
    count = text_of(service.pop("scale", None) or replicas or 1)
    if isinstance(deploy, dict) and "replicas" in deploy:
        service["deploy"] = {key: value for key, value in deploy.items() if key != "replicas"} or None
    return count if count not in ("0", "1", "") else None


def _routes(service: Mapping[str, Any]) -> Any:
    found = forwardings_of(service)
    return {
        **(
            {"names": sorted((one["host_name"], one["container_port"]) for one in found.forwardings)}
            if found.forwardings
            else {}
        ),
        **({"beyond": list(found.notes)} if found.notes else {}),
    }


def _original_networks(name: str, originals: Mapping[str, Any], made: Imported) -> Any:
    service = originals[name]
    if service.get("network_mode"):
        return None
    aliases = [service["container_name"]] if service.get("container_name") else []
    options: dict[str, Any] = {}
    networks = service.get("networks") or {}
    for network, words in networks.items():
        for key, value in (words or {}).items():
            if key == "aliases":
                aliases += value or []
            elif network == "default" or key in ("priority", "gw_priority"):
                options[key] = flat(value)
            else:
                options[f"{network}.{key}"] = flat(value)
    own = set(networks or {"default": None})
    apart = sorted(
        other
        for other, value in originals.items()
        if networks and not value.get("network_mode") and not own & set(value.get("networks") or {"default": None})
    )
    return {"aliases": sorted(set(map(text_of, aliases)) - {made.specs[name].name}), "options": options, "apart": apart}


# --- the specs -----------------------------------------------------------------------------------------------------


def _written(spec: Spec, made: Imported, compiled: Compiled, files: Mapping[str, bytes]) -> dict[str, Any]:
    entry = dict(compiled.entries.get(spec.name) or {})
    found: dict[str, Any] = {}
    variables, absent = _written_variables(spec, entry.pop("env_file", None), made, files)
    environment = {
        **variables,
        **_environment(entry.pop("environment", None)),
        **compiled.secrets.get(spec.name, {}),
    }
    if environment:
        found["environment"] = environment
    if absent:
        found["files of variables"] = absent
    volumes = canonical("volumes", entry.pop("volumes", None), ROOT)
    found["volumes"] = {target: _origin(target, volume, spec, made) for target, volume in volumes.items()}
    labels = {name: text for name, text in (entry.pop("labels", None) or {}).items() if not name.startswith(OWN_LABELS)}
    if labels:
        entry["labels"] = labels
    if str(entry.get("image", "")).startswith(f"{STACK.project}") and "build" in entry:
        entry.pop("image")
    networks = entry.pop("networks", None)
    default = dict((networks or {}).get("default") or {})
    if not entry.get("network_mode"):
        aliases = sorted(text_of(alias) for alias in default.pop("aliases", None) or ())
        found["networks"] = {"aliases": aliases, "options": flat(default) or {}, "apart": []}
    routes = sorted(
        (route.host_name, route.container_port) for route in compiled.stack.routes if route.app_name == spec.name
    )
    found["routes"] = {"names": routes} if routes else None
    back = {other.name: name for name, other in made.specs.items()}
    if "depends_on" in entry:
        depends = canonical("depends_on", entry.pop("depends_on"), ROOT)
        found["depends_on"] = {back.get(name, name): words for name, words in depends.items()}
    links = [str(link) for link in entry.pop("links", None) or ()]
    found["links"] = (
        sorted(f"{back.get(link.partition(':')[0], link)}:{link.partition(':')[2]}" for link in links) or None
    )
    for key in ("network_mode", "pid", "ipc"):
        mode, _, name = str(entry.get(key) or "").partition(":")
        if mode == "service":
            entry[key] = f"service:{back.get(name, name)}"
    if "volumes_from" in entry:
        entry["volumes_from"] = [_renamed(str(item), back) for item in entry["volumes_from"]]
    folder = made.around.specs
    for key, value in entry.items():
        if key not in _LEFT_OUT and value is not None and key not in found:
            form = canonical(key, value, folder)
            if form not in (None, {}, []):
                found[key] = form
    if isinstance(found.get("build"), dict):
        found["build"] = _build(found["build"], spec, made)
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def _renamed(item: str, back: Mapping[str, str]) -> str:
    name, colon, rest = item.partition(":")
    return f"{back.get(name, name)}{colon}{rest}"


def _written_variables(
    spec: Spec, entries: Any, made: Imported, files: Mapping[str, bytes]
) -> tuple[dict[str, Any], list[Any]]:
    found: dict[str, Any] = {}
    absent: list[Any] = []
    origins = {copy.path: path for path, copy in made.env_copies.items()}
    for item in entries or ():
        words = item if isinstance(item, dict) else {"path": item}
        path = str(words["path"])
        if path == file_of(HOME, spec.name):
            continue
        below = posixpath.relpath(path, made.around.specs)
        data = files.get(below, made.around.read(path))
        if data is None:
            absent.append((origins.get(below, path), text_of(words.get("required", True))))
            continue
        found.update(variables_of(data.decode("utf-8", "replace"), {}, is_raw=words.get("format") == "raw"))
    return found, absent


def _origin(target: str, volume: dict[str, Any], spec: Spec, made: Imported) -> dict[str, Any]:
    """A mount of the compiled stack as the Compose file would say it: the rule of copies, read backwards."""
    source = volume["source"]
    if volume["type"] != "bind":
        return volume
    if source.startswith(f"{ROOT}/{COPIES}/"):
        return {**volume, "source": _of_repo(source.removeprefix(f"{ROOT}/{COPIES}/"), made), "is_copy": True}
    if source.startswith(f"{ROOT}/{SPEC_FILES}/"):
        below = source.removeprefix(f"{ROOT}/{SPEC_FILES}/")
        if below.startswith("configs/") and below in made.texts:
            return {"type": "config", "source": below.removeprefix("configs/")}
        origin = made.binds.copies.get(below) or posixpath.join(made.around.specs, below)
        return {**volume, "source": origin, **_as_config(origin, made)}
    if source.startswith(f"{ROOT}/{ASSETS_THERE}/"):
        kind, _, name = made.assets.get(posixpath.basename(source), ":").partition(":")
        return {"type": "bind", "source": name, "is_copy": True} if kind == "file" else {"type": kind, "source": name}
    if source.startswith(f"{ROOT}/persist/"):
        below = source.removeprefix(f"{ROOT}/persist/")
        kept = made.binds.kept.get(below)
        return (
            {**volume, "source": kept, **_as_config(kept, made)} if kept else {**volume, "source": f"/persist/{below}"}
        )
    return volume


def _as_config(origin: str, made: Imported) -> dict[str, Any]:
    """The config that a file is, as a mark for the comparison."""
    for name, node in made.project.named.get("configs", {}).items():
        value = resolved(node, made.variables.values) if isinstance(node.value, dict) else {}
        if value.get("file") and posixpath.normpath(posixpath.join(made.project.folder, str(value["file"]))) == origin:
            return {"config": name}
    return {}


def _folders(made: Imported) -> dict[str, str]:
    """Repo id -> its folder on this machine."""
    found: dict[str, str] = {}
    for spec in made.specs.values():
        if "repo" in spec.top:
            found[repo_of(spec.top["repo"]).id] = made.repos[spec.source].folder
    for lib in made.libs.values():
        for checkout in made.checkouts:
            if checkout.repo == lib["repo"]:
                found.setdefault(repo_of(lib["repo"]).id, checkout.folder)
    return found


def _of_repo(below: str, made: Imported) -> str:
    for repo_id, folder in _folders(made).items():
        if below == repo_id or below.startswith(f"{repo_id}/"):
            return posixpath.normpath(posixpath.join(folder, below.removeprefix(repo_id).lstrip("/")))
    return below


def _build(build: dict[str, Any], spec: Spec, made: Imported) -> dict[str, Any]:
    found = dict(build)
    for key in ("context",):
        found[key] = _of_clone(str(found.get(key, "")), made)
    if "additional_contexts" in found:
        found["additional_contexts"] = {
            name: _of_clone(text, made) for name, text in found["additional_contexts"].items()
        }
    if "secrets" in found:
        found["secrets"] = [
            {**words, "source": made.assets.get(str(words["source"]), str(words["source"])),
             "target": made.assets.get(str(words["target"]), str(words["target"])).removeprefix("secret:")
             if words["target"] == words["source"] else words["target"]}
            for words in found["secrets"]
        ]  # fmt: skip
    return found


def _of_clone(path: str, made: Imported) -> str:
    """A path below the clone of a repo, as it is on this machine."""
    start = f"{HOME}/repos/"
    return _of_repo(path.removeprefix(start), made) if path.startswith(start) else path


# --- what is compared otherwise ------------------------------------------------------------------------------------


def _networks(before: Any, after: Any) -> tuple[Any, Any]:
    """Aliases may be more than before; the rest is as it is."""
    before = before or {"aliases": [], "options": {}, "apart": []}
    after = after or {"aliases": [], "options": {}, "apart": []}
    missing = sorted(set(before["aliases"]) - set(after["aliases"]))
    return {**before, "aliases": missing}, {**after, "aliases": []}


def _explicit(before: Mapping[str, Any], after: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """What is waited for, without what links, volumes_from and shared namespaces imply."""
    implied = {str(link).partition(":")[0] for link in service.get("links") or ()}
    implied |= {str(item).partition(":")[0] for item in service.get("volumes_from") or ()}
    implied |= {str(service.get(key) or "").partition(":")[2] for key in ("network_mode", "pid", "ipc")}
    found = {name: words for name, words in after.items() if name in before or name not in implied}
    # A conditional link is compiled only to what is active, as a dependency that is not required is.
    return {
        name: (words[0], before[name][1], words[2]) if name in before and before[name][1] == "false" else words
        for name, words in found.items()
    }


def _without_own(before: Mapping[str, Any], after: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """The mounts, without Dusty's own; a copy may be written to where the original is read-only."""
    found = {}
    for target, volume in after.items():
        if target == "/cp" and volume["source"] == f"{ROOT}/{EXCHANGED}/{spec.name}":
            continue
        volume = dict(volume)
        is_copy = volume.pop("is_copy", False)
        config = volume.pop("config", None)
        if target in before and is_copy:
            volume = {**before[target], "source": volume["source"]}
        if config and target in before and before[target].get("type") == "config":
            volume = {"type": "config", "source": config}
        if is_copy and target not in before:
            continue  # An app shows its code where the Compose file only builds from it.
        found[target] = volume
    return found
