"""The canonical form of a spec, from the entry that it compiles to: what its container is under Dusty, read backwards. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.importing.compiled import HOME, ROOT, Compiled
from dusty_tasks.core.importing.compose_yaml import text_of
from dusty_tasks.core.importing.dotenv import variables_of
from dusty_tasks.core.importing.forms.canonical import LEFT_OUT, canonical, flat, variables_in
from dusty_tasks.core.importing.reading import resolved
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.stack import Imported
from dusty_tasks.core.plan.given_values import file_of
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.namespace import OWN_LABELS, STACK
from dusty_tasks.core.text.paths import ASSETS_THERE, COPIES, SPEC_FILES


def written(spec: Spec, made: Imported, compiled: Compiled, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Key of the canonical form -> what it is; `files` are those that the import writes."""
    entry = dict(compiled.entries.get(spec.name) or {})
    found: dict[str, Any] = {}
    variables, absent = _variables_of(spec, entry.pop("env_file", None), made, files)
    environment = {
        **variables,
        **variables_in(entry.pop("environment", None)),
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
    entry["label_file"] = [
        made.binds.copies.get(posixpath.relpath(path, folder), path) for path in entry.get("label_file") or ()
    ]
    for key, value in entry.items():
        if key not in LEFT_OUT and value is not None and key not in found:
            form = canonical(key, value, folder)
            if form not in (None, {}, []):
                found[key] = form
    if isinstance(found.get("build"), dict):
        found["build"] = _build(found["build"], spec, made)
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def _renamed(item: str, back: Mapping[str, str]) -> str:
    name, colon, rest = item.partition(":")
    return f"{back.get(name, name)}{colon}{rest}"


def _variables_of(
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
