"""What stands in the Compose file beside its services: named volumes, the assets that builds may read as secrets, a world's network."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.artifacts.traced import Origins
from dusty_tasks.core.artifacts.yaml_writer import Lines, yaml_lines
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import named_volumes
from dusty_tasks.core.specs.model import App, Origin
from dusty_tasks.core.stack.builds import build_secrets
from dusty_tasks.core.stack.model import Stack, containers_of
from dusty_tasks.core.text.key_path import KeyPath


def top_level_lines(stack: Stack, settings: ContainerSettings) -> Lines:
    """The declarations, as they stand after the last service."""
    volumes, origins = _volumes(stack)
    secrets, more = _secrets(stack, settings)
    networks = {"default": {"name": settings.namespace.network, "external": True}} if settings.namespace.world else {}
    declared = {
        key: value for key, value in (("networks", networks), ("volumes", volumes), ("secrets", secrets)) if value
    }
    return yaml_lines(declared, {**origins, **more}) if declared else Lines([], [], [])


def _volumes(stack: Stack) -> tuple[dict[str, Any], Origins]:
    """The declarations of all named volumes, sorted."""
    drivers: dict[str, str] = {}
    origins: Origins = {}
    for spec in containers_of(stack):
        for name in named_volumes(spec.compose):
            base: KeyPath = ("compose",) if isinstance(spec, App) else ()
            origins.setdefault(f"volumes.{name}", Origin(spec.file, (*base, "volumes")))
            if spec.volume_driver and not drivers.get(name):
                origins[f"volumes.{name}.driver"] = Origin(spec.file, (*base, "volume_driver"))
            drivers[name] = drivers.get(name) or spec.volume_driver
    return {name: {"driver": drivers[name]} if drivers[name] else None for name in sorted(drivers)}, origins


def _secrets(stack: Stack, settings: ContainerSettings) -> tuple[dict[str, Any], Origins]:
    """Where the builder finds the secrets of builds: in the assets of this machine, so that no artifact holds one."""
    found = {
        key: Origin(spec.file, path) for spec in reversed(containers_of(stack)) for path, key in build_secrets(spec)
    }
    assets = settings.paths.assets.replace("$", "$$")
    return (
        {key: {"file": f"{assets}/{key}"} for key in sorted(found)},
        {f"secrets.{key}": origin for key, origin in found.items()},
    )
