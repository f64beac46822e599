"""The variables and labels of a service, with the files that hold them. Pure."""

from __future__ import annotations

import posixpath
from typing import Any

from dusty_tasks.core.importing.binds import Kind
from dusty_tasks.core.importing.compose_yaml import Node, text_of
from dusty_tasks.core.importing.files_of_variables import copied
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.proxy_labels import forwardings_of
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.importing.short_forms import plain_text
from dusty_tasks.core.importing.variables import OF_MACHINES


def _environment(conversion: Conversion, node: Node) -> None:
    found: dict[str, Any] = dict(conversion.spec.compose.get("environment") or {})
    for name, child in (node.value or {}).items() if isinstance(node.value, dict) else ():
        found.pop(name, None)
        if child.value is None and name in conversion.stack.variables.values and name not in OF_MACHINES:
            found[name] = conversion.stack.variables.named(name)
        elif isinstance(child.value, (dict, list)):
            conversion.lost("environment", f"the value of {name} is not text", f"{name}: text")
        else:
            found[name] = None if child.value is None else conversion.text(child)
    conversion.spec.compose["environment"] = found
    _forward(conversion, "environment")


def _env_file(conversion: Conversion, node: Node) -> None:
    stack, entries, moved = conversion.stack, [], {}
    overridden = set(
        (conversion.seen.get("environment") or {}) if isinstance(conversion.seen.get("environment"), dict) else ()
    )
    for item in node.value if isinstance(node.value, list) else [node]:
        words = evaluated_node(item, stack.variables.values)
        words = dict(words) if isinstance(words, dict) else {"path": words}
        path = posixpath.normpath(posixpath.join(stack.project.folder, str(words.get("path", ""))))
        is_raw = words.get("format") == "raw"
        if path not in stack.env_copies:
            stack.env_copies[path] = copied(path, is_raw, stack.around, stack.project.folder, stack.variables)
        copy = stack.env_copies[path]
        words["path"] = copy.path
        if copy.is_absent:
            if text_of(words.get("required", True)) == "false":
                conversion.own("env_file", "files", f"{conversion.near(path)} does not exist")
            else:
                words["required"] = False
                conversion.bent(
                    "env_file",
                    "files",
                    f"{conversion.near(path)} does not exist",
                    f"put it at {copy.path} in the specs repo",
                )
        elif copy.path != item.value:
            conversion.own("env_file", "files", "copied into the specs repo" if copy.text is not None else "")
        if copy.secrets:
            conversion.own("env_file", "secrets", f"each person sets {', '.join(copy.secrets)}")
        moved.update({name: text for name, text in copy.secrets.items() if name not in overridden})
        entries.append(words["path"] if list(words) == ["path"] else words)
    conversion.spec.compose["env_file"] = entries
    if moved:
        conversion.spec.compose["environment"] = {**moved, **(conversion.spec.compose.get("environment") or {})}


def _label_file(conversion: Conversion, node: Node) -> None:
    entries = []
    for item in node.value if isinstance(node.value, list) else [node]:
        path = posixpath.normpath(
            posixpath.join(conversion.stack.project.folder, plain_text(item, conversion.stack.variables.values))
        )
        bind = conversion.stack.binds.find(f"./{posixpath.relpath(path, conversion.stack.project.folder)}", "")
        if bind.kind in (Kind.COPY, Kind.SPECS):
            conversion.stack.used.add(bind.path)
            entries.append(bind.path)
            conversion.own("label_file", "files", "copied into the specs repo" if bind.kind is Kind.COPY else "")
        elif bind.kind is Kind.CODE:
            entries.append(posixpath.relpath(path, conversion.stack.around.specs))
            conversion.own("label_file", "paths", "the path is relative to the specs repo")
        else:
            conversion.lost("label_file", f"{conversion.near(path)} does not exist", "write its labels under labels")
    conversion.spec.compose["label_file"] = entries


def _labels(conversion: Conversion, node: Node) -> None:
    conversion.spec.compose["labels"] = {
        name: "" if child.value is None else conversion.symbolic(child) for name, child in (node.value or {}).items()
    }
    _forward(conversion, "labels")


def _forward(conversion: Conversion, key: str) -> None:
    """Names of a proxy's labels or variables, as this service's host_forwarding."""
    found = forwardings_of(conversion.seen)
    if found.key != key or "host_forwarding" in conversion.spec.top:
        return
    own = [one for one in found.forwardings if conversion.stack.hosts[one["host_name"]] == conversion.source]
    if own:
        conversion.spec.top["host_forwarding"] = [dict(one) for one in own]
        conversion.own(key, "proxy", "host_forwarding sends its names here")
    for host in (one["host_name"] for one in found.forwardings if one not in own):
        conversion.lost(
            key, f"{host} leads to {conversion.stack.hosts[host]}", f"a host name of its own for {conversion.source}"
        )
    for why in found.notes:
        conversion.bent(key, "proxy", why)


RULES: dict[str, Rule] = {
    "environment": _environment,
    "env_file": _env_file,
    "label_file": _label_file,
    "labels": _labels,
}
