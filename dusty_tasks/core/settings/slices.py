"""The slices of the settings that artifacts may see, cut by the names of their fields (core/text/memo.cut).

A renderer gets a slice in place of the settings, and what it makes is known by the digest of that slice: a field that is added here is part
of the digest, and a renderer that needs another setting has to add it. `ContainerSettings`, which has methods, stands in `model`.
"""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.settings.model import HostSettings
from dusty_tasks.core.text.namespace import Namespace


class StackSettings(NamedTuple):
    """What decides which specs make the stack, and which ports it has."""

    bundles: tuple[str, ...]
    disabled: tuple[str, ...]
    vars: dict[str, str]
    secret_names: tuple[str, ...]
    routing: str
    host: HostSettings
    sync_mode: str


class HostsSettings(NamedTuple):
    hosts_addresses: tuple[str, ...]


class ProxySettings(NamedTuple):
    routing: str
    bridge_ip: str
    hosts_mode: str
    is_reached_from_outside: bool
    names_of_host: tuple[str, ...]
    proxy_max_upload: str
    proxy_trusted: tuple[str, ...]
    https: str
    namespace: Namespace


class ValueSettings(NamedTuple):
    """What was given with `dusty env set`, and the secrets of `dusty vars set`."""

    env: dict[str, dict[str, str | None]]
    secrets: dict[str, str]


class CommandSettings(NamedTuple):
    sync_mode: str
    https: str
