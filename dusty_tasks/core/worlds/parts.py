"""The parts of a world's stack as the decision needs them, read from what was assembled. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dusty_tasks.core.artifacts.compose import link_path
from dusty_tasks.core.artifacts.parts import namespace_owners
from dusty_tasks.core.plan.change import PlaceOf
from dusty_tasks.core.specs.compose_values import is_persistent, named_volumes, volumes
from dusty_tasks.core.specs.model import App, Origin, Service, Specs
from dusty_tasks.core.specs.sources import source_place
from dusty_tasks.core.stack.model import Stack, containers_of
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.worlds.decision import Cause, Part
from dusty_tasks.core.worlds.differences import Difference


def parts_of(
    specs: Specs, stack: Stack, different: Mapping[str, Difference], place_of: PlaceOf = lambda _name, _path: ""
) -> list[Part]:
    """All apps and services of `stack`; `place_of` finds where a key of a container comes from."""
    keepers = keepers_of(stack)
    return [_part(spec, specs, stack, different.get(spec.name), place_of, keepers) for spec in containers_of(stack)]


def keepers_of(stack: Stack) -> dict[str, list[str]]:
    """Path below /persist, or `volume <name>` -> the parts that keep data there."""
    found: dict[str, list[str]] = {}
    for spec in containers_of(stack):
        for store in _stores(spec):
            found.setdefault(store, []).append(spec.name)
    return found


def keeps_state(spec: App | Service) -> bool:
    """True for what has a `/persist` folder or a named volume."""
    return any(True for _ in _stores(spec))


def _stores(spec: App | Service) -> Iterator[str]:
    for _, volume in volumes(spec.compose):
        if is_persistent(volume.source):
            yield volume.source
    for name in named_volumes(spec.compose):
        yield f"volume {name}"


def _part(
    spec: App | Service,
    specs: Specs,
    stack: Stack,
    difference: Difference | None,
    place_of: PlaceOf,
    keepers: Mapping[str, list[str]],
) -> Part:
    def place(path: KeyPath) -> str:
        return str(source_place(Origin(spec.file, path), specs.places))

    calls, joins = dict(_calls(spec, specs, stack, place)), list(_joins(spec, specs, stack))
    for store in _stores(spec):
        # Who reads the same data elsewhere would see the base's.
        for other in keepers[store]:
            if other != spec.name:
                calls.setdefault(other, place(("compose", "volumes") if isinstance(spec, App) else ("volumes",)))
                joins.append(other)
    return Part(
        spec.name,
        isinstance(spec, App),
        calls,
        tuple(dict.fromkeys(joins)),
        keeps_state(spec),
        _cause(spec.name, difference, place_of, place),
        spec.world,
        place(("world",)) if spec.world else "",
    )


def _calls(
    spec: App | Service, specs: Specs, stack: Stack, place: Callable[[KeyPath], str]
) -> Iterator[tuple[str, str]]:
    known = {*stack.apps, *stack.services} - {spec.name}
    if isinstance(spec, App):
        yield from ((name, place(link_path(spec, name))) for name in stack.links[spec.name] if name in known)
    for reference in specs.references.get(spec.file, ()):
        if reference.name in known:
            yield reference.name, place(reference.path)
    base: KeyPath = ("compose",) if isinstance(spec, App) else ()
    for name in (*(spec.compose.get("depends_on") or ()), *namespace_owners(spec)):
        if name in known:
            yield name, place((*base, "depends_on"))


def _joins(spec: App | Service, specs: Specs, stack: Stack) -> Iterator[str]:
    known = {*stack.apps, *stack.services} - {spec.name}
    yield from (name for name in namespace_owners(spec) if name in known)
    for reference in specs.references.get(spec.file, ()):
        if reference.key == "volumes_from" and reference.name in known:
            yield reference.name


def _cause(
    name: str, difference: Difference | None, place_of: PlaceOf, place: Callable[[KeyPath], str]
) -> Cause | None:
    if difference is None:
        return None
    if difference.path is None:
        return Cause(difference.what)
    return Cause(difference.what, place_of(name, difference.path) or place(()))
