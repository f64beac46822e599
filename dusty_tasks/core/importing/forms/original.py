"""The canonical form of a service of the Compose file: what its container would be under Compose. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.importing.compose_yaml import text_of
from dusty_tasks.core.importing.dotenv import variables_of
from dusty_tasks.core.importing.forms.canonical import LEFT_OUT, canonical, flat, variables_in
from dusty_tasks.core.importing.proxy_labels import forwardings_of
from dusty_tasks.core.importing.reading import resolved
from dusty_tasks.core.importing.short_forms import port_of
from dusty_tasks.core.importing.stack import Imported


def original(name: str, originals: Mapping[str, Any], made: Imported) -> dict[str, Any]:
    """Key of the canonical form -> what it is; `originals` are all services, as they come to."""
    service, folder = dict(originals[name]), made.project.folder
    found: dict[str, Any] = {}
    variables, absent = _variables_of(service, folder, made)
    environment = {**variables, **variables_in(service.pop("environment", None))}
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
    found["networks"] = _networks(name, originals, made)
    service.pop("networks", None)
    links = {str(link) for link in service.pop("links", None) or () if str(link).partition(":")[0] in made.specs}
    found["links"] = sorted(link for link in links if ":" in link) if made.specs[name].kind == "service" else None
    if service.get("ports") is not None:
        ports = service["ports"]
        kept = [port for port in (ports if isinstance(ports, list) else [ports]) if port_of(port) not in made.routed]
        service["ports"] = kept or None
    if "depends_on" in service:
        depends = canonical("depends_on", service.pop("depends_on"), folder)
        found["depends_on"] = {other: words for other, words in depends.items() if other in made.specs}
    service["label_file"] = [
        posixpath.normpath(posixpath.join(folder, text_of(path))) for path in service.get("label_file") or ()
    ]
    for key, value in service.items():
        if key not in LEFT_OUT and value is not None and key not in found:
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


def _networks(name: str, originals: Mapping[str, Any], made: Imported) -> Any:
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
