"""Paths of a service that another file in another folder holds: they start where that file is. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.short_forms import plain_text, split_colons
from dusty_tasks.core.specs.compose_values import local_folder

Values = Mapping[str, str]


def is_relative(text: str) -> bool:
    """True for a source of a volume that is a path from the project's folder."""
    return text.startswith(("./", "../")) or text in (".", "..")


def with_paths_from(service: Node, folder: str, values: Values) -> Node:
    """The service with its relative paths, which start at `folder`, written from the project's folder."""
    found = dict(service.value)

    def moved(node: Node, *, is_volume: bool = False) -> Node:
        if not isinstance(node.value, str):
            return node
        text = plain_text(node, values)
        if is_volume and not is_relative(text):
            return node
        if text.startswith(("/", "~")) or not local_folder(text):
            return node
        start = "./" if is_volume and not folder.startswith(".") else ""
        path = f"{start}{posixpath.join(folder, node.value)}" if "$" in node.value else None
        return node._replace(value=path or f"{start}{posixpath.normpath(posixpath.join(folder, node.value))}")

    def of_keys(node: Node, *keys: str) -> Node:
        if not isinstance(node.value, dict):
            return node
        return node._replace(value={key: moved(child) if key in keys else child for key, child in node.value.items()})

    def of_items(node: Node, *keys: str) -> Node:
        items = node.value if isinstance(node.value, list) else [node]
        return node._replace(
            value=[of_keys(item, *keys) if isinstance(item.value, dict) else moved(item) for item in items]
        )

    if "build" in found and isinstance(found["build"].value, dict):
        build = of_keys(found["build"], "context")
        if "context" not in build.value:
            build = build._replace(value={**build.value, "context": Node(folder, build.place)})
        contexts = build.value.get("additional_contexts")
        if contexts is not None and isinstance(contexts.value, dict):
            build.value["additional_contexts"] = of_keys(contexts, *contexts.value)
        found["build"] = build
    for key in ("env_file", "label_file"):
        if key in found and found[key].value is not None:
            found[key] = of_items(found[key], "path")
    if "develop" in found and isinstance(found["develop"].value, dict) and "watch" in found["develop"].value:
        develop = found["develop"]
        found["develop"] = develop._replace(value={**develop.value, "watch": of_items(develop.value["watch"], "path")})
    if "volumes" in found and isinstance(found["volumes"].value, list):
        found["volumes"] = found["volumes"]._replace(value=[_volume(item, moved) for item in found["volumes"].value])
    return service._replace(value=found)


def _volume(item: Node, moved: object) -> Node:
    assert callable(moved)
    if isinstance(item.value, dict):
        if "source" not in item.value:
            return item
        return item._replace(value={**item.value, "source": moved(item.value["source"], is_volume=True)})
    if not isinstance(item.value, str):
        return item
    source, *rest = split_colons(item.value)
    if not rest:
        return item
    return item._replace(value=":".join([moved(item._replace(value=source), is_volume=True).value, *rest]))
