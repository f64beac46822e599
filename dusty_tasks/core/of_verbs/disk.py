"""What of the engine's disk is Dusty's, and what of that may go (docs/verbs.md, `disk`). Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.plan.image_names import image_name
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.text.namespace import CONTEXT_LABEL, PROJECT_LABEL, STAND_IN_LABEL, TARGET_LABEL, Namespace

ENDED = ("exited", "created", "dead")


class Item(NamedTuple):
    """One thing that takes space."""

    kind: str
    """container, image, volume."""
    name: str
    id: str
    size: int
    detail: str = ""


def is_ours(labels: Mapping[str, str] | None, namespace: Namespace) -> bool:
    """True for what Dusty or the Compose projects of a stack made."""
    labels = labels or {}
    return is_of_project(labels, namespace) or CONTEXT_LABEL in labels or TARGET_LABEL in labels


def is_of_project(labels: Mapping[str, str] | None, namespace: Namespace) -> bool:
    """True for what the Compose project of this stack, or of one of its suites, made."""
    project = (labels or {}).get(PROJECT_LABEL, "")
    return project == namespace.project or project.startswith(namespace.test_projects)


def containers(usage: Mapping[str, Any], namespace: Namespace) -> list[Item]:
    """Dusty's containers in the engine's `/system/df`, with what they wrote themselves."""
    return sorted(
        Item(
            "container",
            (entry.get("Names") or ["/?"])[0].lstrip("/"),
            entry["Id"],
            entry.get("SizeRw") or 0,
            entry.get("State", ""),
        )
        for entry in usage.get("Containers") or ()
        if is_ours(entry.get("Labels"), namespace)
    )


def ended_containers(usage: Mapping[str, Any], namespace: Namespace) -> list[Item]:
    """Those that do not run."""
    return [item for item in containers(usage, namespace) if item.detail in ENDED]


def volumes(usage: Mapping[str, Any], namespace: Namespace) -> list[Item]:
    """Named volumes of Dusty's projects."""
    return sorted(
        Item("volume", entry["Name"], entry["Name"], max((entry.get("UsageData") or {}).get("Size", 0), 0))
        for entry in usage.get("Volumes") or ()
        if is_ours(entry.get("Labels"), namespace)
    )


def own_volumes(
    usage: Mapping[str, Any], made: Mapping[str, Any], namespace: Namespace
) -> tuple[list[Item], list[Item]]:
    """Named volumes of Dusty's projects: those that this stack made and nobody else uses, and the others.

    The project's name is the same for all who use the engine, so a volume's name and labels do not tell whose data it holds. `made` is
    what `up` noted of volumes that were not there before: name -> when the engine made it.
    """
    used_elsewhere = {
        mount.get("Name")
        for entry in usage.get("Containers") or ()
        if not is_ours(entry.get("Labels"), namespace)
        for mount in entry.get("Mounts") or ()
    }
    own = {
        entry["Name"]
        for entry in usage.get("Volumes") or ()
        if entry.get("CreatedAt") and entry["CreatedAt"] == made.get(entry["Name"])
    } - used_elsewhere
    found = volumes(usage, namespace)
    return [item for item in found if item.name in own], [item for item in found if item.name not in own]


def images(usage: Mapping[str, Any], named: Iterable[str], namespace: Namespace) -> list[Item]:
    """Images that Dusty built, that its containers run, or that the specs name (`named`)."""
    wanted = {image_name(name) for name in named}
    run = {entry.get("ImageID") for entry in usage.get("Containers") or () if is_ours(entry.get("Labels"), namespace)}
    return sorted(
        Item("image", ", ".join(tags) or "(no name)", entry["Id"], entry.get("Size") or 0)
        for entry in usage.get("Images") or ()
        if (tags := _tags(entry)) is not None
        and (is_ours(entry.get("Labels"), namespace) or entry["Id"] in run or wanted & set(map(image_name, tags)))
    )


def unused_images(usage: Mapping[str, Any], named: Iterable[str], namespace: Namespace) -> list[Item]:
    """What `cleanup_images` removes: nameless images that Dusty built, and names of the specs, both without any container.

    An image that also carries a name which the specs do not know keeps that name, and so its bytes.
    """
    wanted = {image_name(name) for name in named}
    used = {entry.get("ImageID") for entry in usage.get("Containers") or ()}
    found = []
    for entry in usage.get("Images") or ():
        tags = _tags(entry)
        if entry["Id"] in used:
            continue
        if not tags and is_ours(entry.get("Labels"), namespace):
            found.append(Item("image", "(no name)", entry["Id"], entry.get("Size") or 0))
        mine = [tag for tag in tags if image_name(tag) in wanted]
        # Shared bytes are freed once, with the last name.
        found += [
            Item("image", tag, tag, (entry.get("Size") or 0) if tags == mine and tag == mine[-1] else 0) for tag in mine
        ]
    return sorted(found)


def made_images(usage: Mapping[str, Any], namespace: Namespace) -> list[Item]:
    """Images that Dusty made: built ones, test images, stand-ins; each name by itself."""
    found = []
    for entry in usage.get("Images") or ():
        labels = entry.get("Labels") or {}
        if is_ours(labels, namespace) or labels.get(STAND_IN_LABEL) == "1":
            found += [Item("image", tag, tag, entry.get("Size") or 0) for tag in _tags(entry)] or [
                Item("image", "(no name)", entry["Id"], entry.get("Size") or 0)
            ]
    return sorted(found)


def _tags(entry: Mapping[str, Any]) -> list[str]:
    return [tag for tag in entry.get("RepoTags") or () if tag != "<none>:<none>"]


def named_images(specs: Specs, nginx_image: str) -> set[str]:
    """Every image that the specs name, active or not, and the proxy's."""
    all_tests = [*(app.tests for app in specs.apps.values()), *(lib.tests for lib in specs.libs.values())]
    tests = [found.image for found in all_tests if found]
    names = [
        *(app.image for app in specs.apps.values()),
        *(service.compose.get("image") for service in specs.services.values()),
        *tests,
        nginx_image,
    ]
    return {name for name in names if name}
