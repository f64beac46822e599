"""The spec of an app or a service in the making: its keys, and the names by which others find it. Pure."""

from __future__ import annotations

from typing import Any


class Spec:
    """A spec in the making."""

    def __init__(self, kind: str, name: str, source: str) -> None:
        self.kind, self.name = kind, name
        self.source = source
        """The name of the service in the Compose file."""
        self.top: dict[str, Any] = {}
        """Keys of an app, or of Dusty in a service."""
        self.compose: dict[str, Any] = {}
        self.aliases: list[str] = []
        """Further names by which other containers find it."""

    def value(self) -> dict[str, Any]:
        """The spec as its file has it."""
        compose = {key: value for key, value in self.compose.items() if value not in ({}, [])}
        top = {key: value for key, value in self.top.items() if value not in ({}, [])}
        if self.aliases and "network_mode" not in compose:
            networks = dict(compose.get("networks") or {})
            default = dict(networks.get("default") or {})
            names = [*default.get("aliases", ()), *self.aliases]
            default["aliases"] = list(dict.fromkeys(name for name in names if name != self.name))
            compose["networks"] = {**networks, "default": default}
        if self.kind == "app":
            return {**top, **({"compose": compose} if compose else {})}
        return {**compose, **top}
