"""Keys of a Compose service in one canonical form, so that two ways of writing the same thing are equal. Pure."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from dusty_tasks.core.importing.compose_yaml import text_of
from dusty_tasks.core.importing.short_forms import split_colons
from dusty_tasks.core.plan.conditions import STARTED
from dusty_tasks.core.specs.compose_values import local_folder, pairs_of

LEFT_OUT = ("profiles", "extends", "container_name", "restart_policy", "image_requires_login", "provider")
"""Keys whose rule is that they say nothing about the container itself."""
_LISTS = ("dns", "dns_search", "dns_opt", "tmpfs", "expose", "label_file")


def canonical(key: str, value: Any, folder: str) -> Any:
    """The value of a key; relative paths start at `folder`. None for what says nothing."""
    rule = _FORMS.get(key)
    if rule:
        return rule(value, folder)
    return flat(value)


def flat(value: Any) -> Any:
    """Scalars as texts, and nothing where nothing is said."""
    if isinstance(value, Mapping):
        found = {str(key): flat(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not None} or None
    if isinstance(value, (list, tuple)):
        return [flat(item) for item in value] or None
    return None if value is None else text_of(value)


def _words(value: Any, folder: str) -> Any:
    if isinstance(value, (list, tuple)):
        return [text_of(item) for item in value]
    try:
        return shlex.split(text_of(value))
    except ValueError:
        return text_of(value)


def _listed(value: Any, folder: str) -> Any:
    return [text_of(item) for item in (value if isinstance(value, (list, tuple)) else [value])]


def _pairs(value: Any, folder: str) -> Any:
    if isinstance(value, Mapping):
        return {str(name): text_of(text) for name, text in value.items()} or None
    return dict(pairs_of(value)) or None


def _health(value: Any, folder: str) -> Any:
    found = flat(value)
    if not isinstance(found, dict):
        return found
    test = found.get("test")
    if isinstance(test, str):
        found = {**found, "test": ["CMD-SHELL", test]}
    if found.get("disable") == "false":
        found = {key: item for key, item in found.items() if key != "disable"}
    return found


def _hosts(value: Any, folder: str) -> Any:
    found: dict[str, list[str]] = {}
    if isinstance(value, Mapping):
        for name, addresses in value.items():
            found[str(name)] = sorted(_listed(addresses, folder))
        return found
    for item in value or ():
        name, sign, address = text_of(item).partition("=")
        if not sign:
            name, _, address = text_of(item).partition(":")
        found.setdefault(name, []).append(address)
    return {name: sorted(addresses) for name, addresses in found.items()}


def _ports(value: Any, folder: str) -> Any:
    return sorted(_port(item) for item in (value if isinstance(value, (list, tuple)) else [value]))


def _port(item: Any) -> tuple[str, ...]:
    if isinstance(item, Mapping):
        words = {str(key): text_of(text) for key, text in item.items()}
        rest = "|".join(
            f"{key}={words[key]}"
            for key in sorted(words)
            if key not in ("host_ip", "published", "target", "protocol") and (key, words[key]) != ("mode", "ingress")
        )
        return (
            words.get("host_ip", ""),
            words.get("published", ""),
            words.get("target", ""),
            words.get("protocol") or "tcp",
            rest,
        )
    text, _, protocol = text_of(item).partition("/")
    parts = split_colons(text.replace("$", "$$"))
    ip, published, target = ["", "", *parts][-3:]
    return ip.strip("[]"), published, target, protocol or "tcp", ""


def volume(item: Any, folder: str) -> tuple[str, dict[str, Any]]:
    """Target, and what is there."""
    if isinstance(item, Mapping):
        found = flat(item) or {}
        target = str(found.pop("target", ""))
        source = str(found.pop("source", ""))
        kind = str(found.pop("type", "bind" if source.startswith(("/", ".", "~")) else "volume"))
        if found.get("read_only") == "false":
            del found["read_only"]
        for key in ("bind", "volume", "tmpfs"):
            if not found.get(key):
                found.pop(key, None)
        bind = found.get("bind")
        if isinstance(bind, dict) and bind.get("create_host_path") == "true":
            bind = {key: word for key, word in bind.items() if key != "create_host_path"}
            found = {**found, "bind": bind} if bind else {key: word for key, word in found.items() if key != "bind"}
    else:
        parts = split_colons(text_of(item).replace("$", "$$"))
        parts = [part.replace("$$", "$") for part in parts]
        source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
        kind = "bind" if source.startswith(("/", ".", "~")) else "volume"
        options = sorted(word for word in ":".join(parts[2:]).split(",") if word and word != "rw")
        found = {"options": ",".join(options)} if options else {}
        if "ro" in options:
            found["read_only"] = "true"
            rest = ",".join(word for word in options if word != "ro")
            found = {"read_only": "true", **({"options": rest} if rest else {})}
    if kind == "bind" and not source.startswith("~"):
        source = posixpath.normpath(posixpath.join(folder, source))
    return target.rstrip("/") or "/", {"type": kind, "source": source, **found}


def _volumes(value: Any, folder: str) -> Any:
    return dict(volume(item, folder) for item in (value if isinstance(value, (list, tuple)) else ()))


def _build(value: Any, folder: str) -> Any:
    build = dict(value) if isinstance(value, Mapping) else {"context": text_of(value)}
    context = text_of(build.pop("context", ".") or ".")
    if local_folder(context):
        context = posixpath.normpath(posixpath.join(folder, context))
    found: dict[str, Any] = {"context": context}
    for key, item in build.items():
        if key == "args":
            pairs = (
                item.items() if isinstance(item, Mapping) else (tuple(text_of(one).split("=", 1)) for one in item or ())
            )
            found[key] = {pair[0]: None if len(pair) < 2 or pair[1] is None else text_of(pair[1]) for pair in pairs}
        elif key == "additional_contexts":
            found[key] = {
                name: posixpath.normpath(posixpath.join(folder, text)) if local_folder(text) == text else text
                for name, text in pairs_of(item)
            }
        elif key == "secrets":
            found[key] = [
                {"source": one, "target": one}
                if isinstance(one, str)
                else {"target": one.get("source"), **{word: text for word, text in one.items() if text is not None}}
                for one in item or ()
            ]
        elif key in ("labels", "extra_hosts"):
            found[key] = (_pairs if key == "labels" else _hosts)(item, folder)
        elif not (key == "dockerfile" and item == "Dockerfile"):
            found[key] = flat(item)
    return {key: item for key, item in found.items() if item not in (None, {}, [])}


def _depends(value: Any, folder: str) -> Any:
    found = {}
    items = value.items() if isinstance(value, Mapping) else ((text_of(name), None) for name in value or ())
    for name, words in items:
        words = words if isinstance(words, Mapping) else {}
        found[str(name)] = (
            text_of(words.get("condition", STARTED)),
            text_of(words.get("required", True)),
            text_of(words.get("restart", False)),
        )
    return found


def _develop(value: Any, folder: str) -> Any:
    found = flat(value) or {}
    for rule in found.get("watch") or ():
        if isinstance(rule, dict) and "path" in rule:
            rule["path"] = posixpath.normpath(posixpath.join(folder, rule["path"]))
    return found


_FORMS: dict[str, Callable[[Any, str], Any]] = {
    "command": _words,
    "entrypoint": _words,
    "labels": _pairs,
    "annotations": _pairs,
    "sysctls": _pairs,
    "healthcheck": _health,
    "extra_hosts": _hosts,
    "ports": _ports,
    "volumes": _volumes,
    "build": _build,
    "depends_on": _depends,
    "develop": _develop,
    **dict.fromkeys(_LISTS, _listed),
}


def variables_in(value: Any) -> dict[str, Any]:
    """`environment` as name and text; None where the value is that of the shell."""
    return {str(name): None if text is None else text_of(text) for name, text in (value or {}).items()}
