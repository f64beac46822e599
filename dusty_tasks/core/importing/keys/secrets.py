"""The secrets and configs of a service: assets that each person sets, or files of the specs. Pure."""

from __future__ import annotations

import posixpath

from dusty_tasks.core.importing.binds import Kind
from dusty_tasks.core.importing.compose_yaml import Node, text_of
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.text.called import DUSTY


def _secrets(conversion: Conversion, node: Node) -> None:
    for item in node.value or ():
        words = evaluated_node(item, conversion.stack.variables.values)
        words = words if isinstance(words, dict) else {"source": words}
        source = text_of(words.get("source"))
        target = text_of(words.get("target") or source)
        target = target if target.startswith("/") else f"/run/secrets/{target}"
        key = conversion.asset_key("secret", source)
        conversion.asset(key, target)
        conversion.own("secrets", "assets", f"each person sets {source}: {DUSTY} assets set {key} FILE")
        if extra := [word for word in ("uid", "gid", "mode") if word in words]:
            conversion.bent(
                "secrets", "assets", f"{', '.join(extra)} of {source}: an asset belongs to root, with mode 0600"
            )


def _configs(conversion: Conversion, node: Node) -> None:
    for item in node.value or ():
        words = evaluated_node(item, conversion.stack.variables.values)
        words = words if isinstance(words, dict) else {"source": words}
        source = text_of(words.get("source"))
        target = text_of(words.get("target") or f"/{source}")
        _config(conversion, source, target)
        if extra := [word for word in ("uid", "gid", "mode") if word in words]:
            conversion.bent(
                "configs", "files", f"{', '.join(extra)} of {source}: it keeps what the file in the specs repo has"
            )


def _config(conversion: Conversion, source: str, target: str) -> None:
    declared = conversion.stack.project.named.get("configs", {}).get(source)
    value = evaluated_node(declared, conversion.stack.variables.values) if declared is not None else None
    value = value if isinstance(value, dict) else {}
    volumes = conversion.spec.compose.setdefault("volumes", [])
    if "content" in value and not conversion.is_app:
        path = f"configs/{source}"
        conversion.stack.texts[path] = text_of(value["content"])
        volumes.append(f"./{path}:{target}:ro")
        conversion.own("configs", "files", f"{source} becomes a file of the specs repo")
        return
    if "file" in value and not conversion.is_app:
        file = str(value["file"])
        bind = conversion.stack.binds.find(file if file.startswith("/") else f"./{file.removeprefix('./')}", "")
        if bind.kind in (Kind.COPY, Kind.SPECS):
            conversion.stack.used.add(bind.path)
            volumes.append(f"./{bind.path}:{target}:ro")
            conversion.own("configs", "files", f"{conversion.near(bind.origin)} becomes a file of the specs repo")
            return
        if bind.kind is Kind.PERSIST:
            volumes.append(f"/persist/{bind.path}:{target}:ro")
            conversion.own(
                "configs", "persist", f"{conversion.near(bind.origin)} (it does not exist) becomes /persist/{bind.path}"
            )
            return
        if bind.kind is Kind.HOST:
            volumes.append(f"{bind.path}:{target}:ro")
            conversion.own("configs", "files")
            return
    key = conversion.asset_key("config", source)
    conversion.asset(key, target)
    file = conversion.near(conversion.stack.binds.find(str(value["file"]), "").origin) if "file" in value else "FILE"
    if "content" in value:
        path = f"configs/{source}"
        conversion.stack.texts[path] = text_of(value["content"])
        file = conversion.near(posixpath.join(conversion.stack.around.specs, path))
    conversion.own("configs", "assets", f"each person sets {source}: {DUSTY} assets set {key} {file}")


RULES: dict[str, Rule] = {
    "secrets": _secrets,
    "configs": _configs,
}
