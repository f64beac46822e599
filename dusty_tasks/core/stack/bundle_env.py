"""`env` of bundles: variables for apps and services while a bundle is active. Above what their specs say, below a user's overrides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from dusty_tasks.core.specs.documents import place_of
from dusty_tasks.core.specs.model import App, Bundle, Origin, Service, Specs
from dusty_tasks.core.specs.sources import problem_at, source_place
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown

Container = TypeVar("Container", App, Service)


def with_bundle_env(specs: Specs, bundle_names: Iterable[str], container: Container) -> Container:
    """The container with the variables that the active bundles have for it; of two bundles, the first by name."""
    found: dict[str, tuple[str, str]] = {}
    for bundle in (specs.bundles[name] for name in sorted(bundle_names)):
        for variable, value in bundle.env.get(container.name, {}).items():
            if not _is_overridden(specs, container, variable):
                found.setdefault(variable, (value, bundle.file))
    return replace(container, bundle_env=found) if found else container


def env_clashes(specs: Specs, bundle_names: Sequence[str], active: Iterable[str]) -> Iterator[Problem]:
    """Two active bundles that have different values for one variable: at the later one by name."""
    first: dict[tuple[str, str], tuple[str, Bundle]] = {}
    names = set(active)
    for bundle in (specs.bundles[name] for name in sorted(bundle_names)):
        for name, variables in bundle.env.items():
            for variable, value in variables.items() if name in names else ():
                other_value, other = first.setdefault((name, variable), (value, bundle))
                if other_value != value:
                    path: KeyPath = ("env", name, variable)
                    where = source_place(Origin(other.file, path), specs.places)
                    yield problem_at(
                        Origin(bundle.file, path),
                        specs.places,
                        Code.GIVEN_TWICE,
                        f"bundle {shown(other.name)} gives {variable} another value ({where})",
                        "use one value in both, or do not activate both at once",
                    )


def _is_overridden(specs: Specs, container: App | Service, variable: str) -> bool:
    base: KeyPath = ("compose",) if isinstance(container, App) else ()
    spot = (
        specs.places[container.file].get((*base, "environment", variable)) if container.file in specs.places else None
    )
    return spot is not None and place_of(container.file, spot).file.startswith("/")
