"""Which containers are built from the same: they share one image, which is built once; and what a build may read. Pure."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.specs.model import App, Service
from dusty_tasks.core.text.key_path import KeyPath


def build_secrets(spec: App | Service) -> list[tuple[KeyPath, str]]:
    """The assets that a container's build may read (`build.secrets`), each with its key path in the spec."""
    build = spec.build_options if isinstance(spec, App) else spec.compose.get("build")
    written = build.get("secrets") if isinstance(build, Mapping) else None
    return [
        (("build", "secrets", index), str(item.get("source", "") if isinstance(item, Mapping) else item))
        for index, item in enumerate(written if isinstance(written, list) else ())
    ]


def shared_builds(apps: Mapping[str, App], services: Mapping[str, Service]) -> dict[str, str]:
    """Container -> the first by name that is built from the same, for each but that first one.

    A service that names its image itself is left out: what it builds has that name.
    """
    first: dict[str, str] = {}
    shared: dict[str, str] = {}
    containers: dict[str, App | Service] = {**apps, **services}
    for name, spec in sorted(containers.items()):
        build = _build_of(spec)
        if build is not None and first.setdefault(build, name) != name:
            shared[name] = first[build]
    return shared


def _build_of(spec: App | Service) -> str | None:
    """All that an image depends on, as text; None for a container that runs an image as it is."""
    if isinstance(spec, App):
        if spec.build is None:
            return None
        where, context = spec.repo.id if spec.repo else "", spec.build
        rest: dict[str, Any] = {**spec.build_options, **spec.compose.get("build", {})}
    else:
        build = spec.compose.get("build")
        if not build or spec.compose.get("image"):
            return None
        where, rest = "specs", dict(build) if isinstance(build, Mapping) else {"context": build}
        context = str(rest.pop("context", "."))
    return json.dumps([where, posixpath.normpath(context), rest, spec.compose.get("platform")], sort_keys=True)
