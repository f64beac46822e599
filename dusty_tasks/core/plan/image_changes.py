"""Which images are to be had before containers are made: pulled, or built. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dusty_tasks.core.plan.change import (
    BUILD,
    CREATE,
    PULL,
    RECREATE,
    Change,
    Kind,
    Options,
    PlaceOf,
)
from dusty_tasks.core.plan.found import (
    UNREADABLE,
    Found,
    Sources,
)
from dusty_tasks.core.plan.image_names import image_name
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.namespace import CONTEXT_LABEL, Namespace


def plan_images(
    wanted: Wanted, sources: Sources, found: Found, options: Options, containers: list[Change], place_of: PlaceOf
) -> Iterator[Change]:
    """Images that the containers to be made need, each once: pulls, then builds, each in container order."""
    found_changes = _image_changes(wanted, sources, found, options, containers, place_of)
    yield from sorted(found_changes, key=lambda change: change.kind == BUILD)


def _image_changes(
    wanted: Wanted, sources: Sources, found: Found, options: Options, containers: list[Change], place_of: PlaceOf
) -> Iterator[Change]:
    making = {change.name for change in containers if change.kind in (CREATE, RECREATE)}
    seen: set[str] = set()
    for container in wanted.containers:
        name = image_of(container, found.namespace)
        if not name or name in seen:
            continue
        labels = (found.images or {}).get(image_name(name))
        change = (
            _build(container, labels, found, sources, options, container.name in making)
            if container.build_context
            else _pull(name, labels, found, options, container.name in making)
        )
        if change:
            seen.add(name)
            yield Change(*change, place_of(container.name, ("build" if container.build_context else "image",)))


def image_of(wanted: WantedContainer, namespace: Namespace) -> str:
    """The image its container is made from: its own, or the name that Compose gives to what it builds."""
    return str(wanted.mapping.get("image") or (namespace.built_image(wanted.name) if wanted.build_context else ""))


def _pull(
    name: str, labels: dict[str, str] | None, found: Found, options: Options, is_made: bool
) -> tuple[Kind, str, str] | None:
    if options.pull:
        return PULL, name, "--pull checks whether its tag moved"
    return (
        (PULL, name, "it is not on the Docker host")
        if is_made and found.images is not None and labels is None
        else None
    )


def _build(
    container: WantedContainer,
    labels: dict[str, str] | None,
    found: Found,
    sources: Sources,
    options: Options,
    is_made: bool,
) -> tuple[Kind, str, str] | None:
    if options.build:
        return BUILD, container.name, "--build asks for it"
    if not is_made or found.images is None:
        return None
    if labels is None:
        return BUILD, container.name, "it was not built yet"
    cause = changed_context(container, labels, sources) or changed_build(container, found)
    return (BUILD, container.name, cause) if cause else None


def changed_build(container: WantedContainer, found: Found) -> str:
    """A changed `build:` key (another Dockerfile, other arguments) of a container that was made before."""
    record = found.started.get(container.container_name)
    was = (record or {}).get("mapping", {}).get("build")
    return "its `build` key changed" if record and was != container.mapping.get("build") else ""


def changed_context(wanted: WantedContainer, labels: dict[str, str], sources: Sources) -> str:
    digest = sources.contexts.get(wanted.name, "")
    if digest.startswith(UNREADABLE):
        return digest.removeprefix(UNREADABLE)
    return "" if not digest or labels.get(CONTEXT_LABEL) == digest else f"{wanted.build_context} changed"
