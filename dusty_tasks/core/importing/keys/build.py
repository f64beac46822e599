"""The code and the image of a service: `repo`, `mount`, `image`, `build` and `develop`. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.importing.binds import Kind
from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule
from dusty_tasks.core.importing.reading import evaluated_node
from dusty_tasks.core.importing.short_forms import plain_text
from dusty_tasks.core.specs.compose_values import local_folder
from dusty_tasks.core.text.called import DUSTY


def code(conversion: Conversion) -> None:
    """`repo` and `mount`: what the container has of the checkout."""
    owned = conversion.stack.around.own.get(conversion.source)
    checkout = conversion.stack.repos[conversion.source]
    conversion.spec.top["repo"] = checkout.repo
    mounts: dict[str, str] = {}
    for _, bind, target in conversion.binds():
        if conversion.is_code(bind) and not (owned and target.rstrip("/") == owned.mount.rstrip("/")):
            mounts.setdefault(bind.path, target)
    if owned:
        mounts = {".": owned.mount, **{path: target for path, target in mounts.items() if path != "."}}
    if not mounts:
        build = conversion.seen.get("build") or {}
        dockerfile = posixpath.dirname(str(build.get("dockerfile") or ""))
        context = _context(conversion, build)
        folder = posixpath.normpath(posixpath.join(context, dockerfile))
        folder = "." if folder.startswith("..") else folder
        mounts = {folder: f"/repo/{posixpath.basename(checkout.folder)}" + ("" if folder == "." else f"/{folder}")}
        conversion.own("build", "code", f"an app shows its code in the container, here at {mounts[folder]}")
    conversion.spec.top["mount"] = next(iter(mounts.values())) if list(mounts) == ["."] else mounts


def _context(conversion: Conversion, build: Mapping[str, Any]) -> str:
    """The build context, from the top of the checkout on."""
    where = posixpath.normpath(posixpath.join(conversion.stack.project.folder, str(build.get("context", "."))))
    checkout = conversion.stack.repos[conversion.source]
    if where == checkout.folder or where.startswith(checkout.folder + "/"):
        return posixpath.relpath(where, checkout.folder)
    bind = conversion.stack.binds.find(f"./{posixpath.relpath(where, conversion.stack.project.folder)}", "")
    return bind.path if bind.kind is Kind.CODE else "."


def _image(conversion: Conversion, node: Node) -> None:
    if conversion.is_app and conversion.node.value.get("build") is not None:
        conversion.own("image", "images", "Dusty names the images that apps build")
        return
    (conversion.spec.top if conversion.is_app else conversion.spec.compose)["image"] = conversion.text(node)


def _build(conversion: Conversion, node: Node) -> None:
    if not isinstance(node.value, dict):
        return
    folder = conversion.stack.project.folder
    secrets = node.value.get("secrets")
    # What is no list of secrets stays as it is written: the check of the specs refuses it, as Compose does.
    if secrets and not isinstance(secrets.value, list):
        secrets = None
    apart = ("context", "secrets") if secrets else ("context",)
    build = {key: conversion.symbolic(child) for key, child in node.value.items() if key not in apart}
    context_node = node.value.get("context") or Node(".", node.place)
    context = plain_text(context_node, conversion.stack.variables.values)
    args = build.get("args")
    if isinstance(args, dict):
        build["args"] = {
            name: conversion.stack.variables.named(name)
            if text is None and name in conversion.stack.variables.values
            else text
            for name, text in args.items()
        }
    contexts = build.get("additional_contexts")
    if isinstance(contexts, dict):
        build["additional_contexts"] = {
            name: _path_from_here(conversion, str(text)) if local_folder(str(text)) == text else text
            for name, text in contexts.items()
        }
    if secrets:
        build["secrets"] = _build_secrets(conversion, secrets)
    if build.get("dockerfile") == "Dockerfile":
        del build["dockerfile"]
    if not local_folder(context):
        where = conversion.text(context_node)
    elif conversion.is_app:
        where = _context(conversion, conversion.seen["build"])
        conversion.own("build", "code", "the build is a folder of the repo")
    else:
        where = posixpath.relpath(posixpath.join(folder, context), conversion.stack.around.specs)
        if where != context:
            conversion.own("build", "paths", "the path is relative to the specs repo")
    value = {"context": where, **build} if build else where
    (conversion.spec.top if conversion.is_app else conversion.spec.compose)["build"] = value


def _path_from_here(conversion: Conversion, path: str) -> str:
    """A path of the project's folder as a spec has it: from the repo, or from the specs."""
    whole = posixpath.normpath(posixpath.join(conversion.stack.project.folder, path))
    start = conversion.stack.repos[conversion.source].folder if conversion.is_app else conversion.stack.around.specs
    return posixpath.relpath(whole, start)


def _build_secrets(conversion: Conversion, node: Node) -> list[Any]:
    found: list[Any] = []
    for item in node.value:
        words = evaluated_node(item, conversion.stack.variables.values)
        source = words.get("source") if isinstance(words, dict) else words
        key = conversion.asset_key("secret", str(source))
        found.append({**words, "source": key} if isinstance(words, dict) else key)
        if isinstance(words, str) and key != words:
            found[-1] = {"source": key, "target": words}
    conversion.own("build", "assets", f"each person sets the secrets of the build: {DUSTY} assets set")
    return found


def _develop(conversion: Conversion, node: Node) -> None:
    value = conversion.symbolic(node)
    for rule in value.get("watch") or () if isinstance(value, dict) else ():
        if isinstance(rule, dict) and isinstance(rule.get("path"), str):
            whole = posixpath.normpath(posixpath.join(conversion.stack.project.folder, rule["path"]))
            rule["path"] = posixpath.relpath(whole, conversion.stack.around.specs)
    conversion.own("develop", "paths", "the paths are relative to the specs repo")
    conversion.spec.compose["develop"] = value


RULES: dict[str, Rule] = {
    "image": _image,
    "build": _build,
    "develop": _develop,
}
