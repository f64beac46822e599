"""Specs without the apps and services that this machine leaves out (`disable`). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dusty_tasks.core.specs.model import App, Specs

_ORDERING = ("depends_on", "links")
"""Keys that only order or name other containers: without the other one, they go too. What shares its network or volumes cannot do without."""


def without(specs: Specs, names: Collection[str]) -> Specs:
    """`specs` as if those apps and services had never been written, nor named by `depends`, bundles, `links` or `depends_on`."""
    if not names:
        return specs
    left_out = frozenset(names)
    apps = {name: _app(app, left_out) for name, app in specs.apps.items() if name not in left_out}
    services = {
        name: replace(service, compose=_compose(service.compose, left_out))
        for name, service in specs.services.items()
        if name not in left_out
    }
    references = {
        file: tuple(one for one in found if not (one.key in _ORDERING and one.name in left_out))
        for file, found in specs.references.items()
    }
    bundles = {
        name: replace(bundle, apps=_kept(bundle.apps, left_out), services=_kept(bundle.services, left_out))
        for name, bundle in specs.bundles.items()
    }
    return replace(specs, bundles=bundles, apps=apps, services=services, references=references)


def _app(app: App, left_out: Collection[str]) -> App:
    return replace(
        app,
        apps=_kept(app.apps, left_out),
        services=_kept(app.services, left_out),
        linked_apps=_kept(app.linked_apps, left_out),
        linked_services=_kept(app.linked_services, left_out),
        compose=_compose(app.compose, left_out),
    )


def _kept(names: Iterable[str], left_out: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in left_out)


def _compose(compose: dict[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    """The mapping without what orders or names a container that is left out."""
    changed: dict[str, Any] = {}
    for key in _ORDERING:
        value = compose.get(key)
        if isinstance(value, Mapping):
            changed[key] = {name: detail for name, detail in value.items() if name not in left_out}
        elif isinstance(value, list):
            changed[key] = [item for item in value if str(item).partition(":")[0] not in left_out]
    kept = {**compose, **changed}
    return {key: value for key, value in kept.items() if key not in changed or value}
