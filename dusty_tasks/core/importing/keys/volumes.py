"""The volumes of a service: code, libs, assets, copied files, and what is kept below /persist. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from dusty_tasks.core.importing.binds import Bind, Kind
from dusty_tasks.core.importing.compose_yaml import Node, plain
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.importing.short_forms import plain_text, split_colons
from dusty_tasks.core.specs.build import at
from dusty_tasks.core.text.called import DUSTY


def _volumes(conversion: Conversion, node: Node) -> None:
    binds = {index: (bind, target) for index, bind, target in conversion.binds()}
    found: list[Any] = list(conversion.spec.compose.get("volumes") or ())
    for index, item in enumerate(node.value if isinstance(node.value, list) else ()):
        if index not in binds:
            entry = _other_volume(conversion, item)
        else:
            entry = _bind(conversion, item, *binds[index])
        if entry is not None:
            found.append(entry)
    conversion.spec.compose["volumes"] = found


def _other_volume(conversion: Conversion, item: Node) -> Any:
    entry = conversion.symbolic(item)
    if isinstance(item.value, dict):
        source, kind = entry.get("source"), entry.get("type")
        if kind == "bind" and source is None:
            conversion.lost("volumes", "a bind without a source", "source: the folder or file to mount")
            return None
        name = plain_text(item.value["source"], conversion.stack.variables.values) if "source" in item.value else ""
        mode = at(entry, "tmpfs", "mode")
        if isinstance(mode, int):
            entry["tmpfs"]["mode"] = f"0{mode:o}"  # A spec has it in octal, as chmod does.
    else:
        parts = split_colons(str(item.value))
        name = conversion.plain(parts[0], item) if len(parts) > 1 else ""
        source = conversion.part(parts[0], item)
    device = _device_of(conversion, name)
    if device:
        bind = conversion.stack.binds.find(device, device)
        return _bind(conversion, item, bind, "")
    return entry


def _device_of(conversion: Conversion, name: str) -> str:
    """The folder that a named volume stands for by its driver_opts, '' for a volume of its own."""
    node = conversion.stack.project.named.get("volumes", {}).get(name)
    options = evaluated_node(node, conversion.stack.variables.values) if node is not None else None
    opts = options.get("driver_opts") if isinstance(options, dict) else None
    if isinstance(opts, dict) and "bind" in str(opts.get("o", "")).split(",") and opts.get("device"):
        device = str(opts["device"])
        return device if device.startswith("/") else f"./{device.removeprefix('./')}"
    return ""


def _bind(conversion: Conversion, item: Node, bind: Bind, target: str) -> Any:
    if conversion.is_app and (conversion.is_code(bind) or _is_owned(conversion, target)):
        _of_code(conversion, item, bind, target)
        return None
    if bind.kind is Kind.CODE and conversion.is_app and bind.checkout and bind.path == ".":
        name = _lib(conversion, bind, target)
        conversion.spec.top.setdefault("depends", {}).setdefault("libs", []).append(name)
        conversion.own("volumes", "code", f"{conversion.near(bind.origin)} becomes the lib {name}")
        return None
    if bind.kind is Kind.CODE:
        conversion.lost(
            "volumes", f"{conversion.near(bind.origin)} is in another repo than the app's", "a lib mounts a whole repo"
        )
        return None
    if bind.kind is Kind.HOST:
        return _with_source(conversion, item, _host_source(conversion, item, bind))
    if bind.kind is Kind.PERSIST:
        absent = " (it does not exist)" if bind.is_absent else ""
        conversion.own("volumes", "persist", f"{conversion.near(bind.origin)}{absent} becomes /persist/{bind.path}")
        return _with_source(conversion, item, f"/persist/{bind.path}")
    if conversion.is_app:
        key = conversion.asset_key("file", bind.origin)
        conversion.asset(key, target)
        conversion.own(
            "volumes",
            "assets",
            f"each person sets {conversion.near(bind.origin)}: {DUSTY} assets set {key} {conversion.near(bind.origin)}",
        )
        return None
    if bind.kind is Kind.COPY:
        conversion.stack.used.add(bind.path)
        conversion.own("volumes", "files", f"{conversion.near(bind.origin)} is copied into the specs repo")
    else:
        conversion.own("volumes", "paths", "the path is relative to the specs repo")
    return _with_source(conversion, item, f"./{bind.path}")


def _of_code(conversion: Conversion, item: Node, bind: Bind, target: str) -> None:
    mount = conversion.spec.top["mount"]
    targets = [mount] if isinstance(mount, str) else list(mount.values())
    if target not in targets and not _is_owned(conversion, target):
        conversion.lost(
            "volumes", f"{bind.path} of the repo is mounted twice", "mount each folder of the repo at one place"
        )
        return
    entry = plain(item)
    options = (
        ":".join(split_colons(str(entry))[2:]) if isinstance(entry, str) else ("ro" if entry.get("read_only") else "")
    )
    note = ", which the container can change without changing the repo" if "ro" in options.split(",") else ""
    conversion.own("volumes", "code", f"a copy of the repo{note}")


def _is_owned(conversion: Conversion, target: str) -> bool:
    owned = conversion.stack.around.own.get(conversion.source)
    return bool(owned and target and target.rstrip("/") == owned.mount.rstrip("/"))


def _lib(conversion: Conversion, bind: Bind, target: str) -> str:
    assert bind.checkout
    name = re.sub(r"[^a-z0-9._-]+", "-", posixpath.basename(bind.checkout.folder).lower()).strip("._-") or "code"
    number, found = 1, name
    value = {"repo": bind.checkout.repo, "mount": target}
    while conversion.stack.libs.setdefault(found, value) != value:
        number += 1
        found = f"{name}-{number}"
    return found


def _host_source(conversion: Conversion, item: Node, bind: Bind) -> str:
    written = (
        item.value["source"] if isinstance(item.value, dict) else Node(split_colons(str(item.value))[0], item.place)
    )
    text = conversion.text(written)
    if bind.path.startswith("~"):
        conversion.own("volumes", "variables", "each person sets HOME")
        return conversion.stack.variables.named("HOME") + bind.path[1:]
    return text if bind.path.startswith("/") and not bind.origin.startswith("~") else bind.path


def _with_source(conversion: Conversion, item: Node, source: str) -> Any:
    if isinstance(item.value, dict):
        entry = {**conversion.symbolic(item), "type": "bind", "source": source}
        entry.pop("volume", None)
        bind = entry.get("bind")
        return entry if bind or "bind" not in entry else {key: value for key, value in entry.items() if key != "bind"}
    parts = [conversion.part(part, item) for part in split_colons(str(item.value))[1:]]
    return ":".join([source, *parts])


RULES: dict[str, Rule] = {
    "volumes": _volumes,
}
