"""The specs as checked values: what core/check hands on and core/stack/assemble receives (docs/specs.md).

All sequences are tuples, all names are as the files spell them; nothing here knows about files, YAML or Docker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dusty_tasks.core.specs.documents import PlacesByFile
from dusty_tasks.core.specs.reload import ReloadRule
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.value import Value


class Origin(NamedTuple):
    """A spec key, independent of line numbers: `file` relative to the specs repo ('' for a setting) and its key path.

    A setting is Origin('', ('routing',)); a whole file is Origin('apps/web.yml', ()).
    """

    file: str
    path: KeyPath = ()


class Reference(NamedTuple):
    """A container that Compose keys name: where, how (`links`, `volumes_from`, `depends_on`, `network_mode`), and its name."""

    path: KeyPath
    key: str
    name: str


KINDS_OF_ROUTES = ("http", "stream", "grpc", "tls")
"""`type` of a host_forwarding: `grpc` is HTTP/2 without TLS, `tls` a stream that is found by the name that its client asks for."""


class Forwarding(NamedTuple):
    host_name: str
    host_port: int
    container_port: int
    kind: str = "http"
    """One of KINDS_OF_ROUTES."""
    max_upload: str = ""
    """As nginx writes it; '' for the setting `proxy.max_upload`."""
    timeout: str = ""
    """How long the proxy waits in silence, as nginx writes it; '' for a day."""
    https: bool = True
    """False keeps it out of what the setting `https` does."""


class CodeMount(NamedTuple):
    """A folder or file of a repo in a container."""

    folder: str
    """Below the repo, '' for all of it."""
    path: str


class Script(NamedTuple):
    name: str
    command: tuple[str, ...]
    description: str = ""


class Asset(NamedTuple):
    key: str
    path: str
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    command: tuple[str, ...]
    description: str = ""
    default_args: str = ""
    services: tuple[str, ...] = ()
    compose: dict[str, Any] = field(default_factory=dict)
    """Compose Specification keys, already translated from either dialect."""


@dataclass(frozen=True, slots=True)
class Tests:
    """The `test:` key of an app or lib."""

    image: str | None = None
    build: str | None = None
    image_requires_login: bool = False
    once: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """Globs in the repo."""
    suites: tuple[Suite, ...] = ()


@dataclass(frozen=True, slots=True)
class App:
    name: str
    file: str
    always: tuple[str, ...]
    once: tuple[str, ...] = ()
    repo: Repo | None = None
    mount: str | None = None
    image: str | None = None
    build: str | None = None
    """The context as written: relative to the repo's local path, or absolute."""
    image_requires_login: bool = False
    services: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    linked_apps: tuple[str, ...] = ()
    """conditional_links.apps"""
    linked_services: tuple[str, ...] = ()
    forwardings: tuple[Forwarding, ...] = ()
    scripts: tuple[Script, ...] = ()
    assets: tuple[Asset, ...] = ()
    compose: dict[str, Any] = field(default_factory=dict)
    """Compose Specification keys passed through, already translated (1.6); no key that Dusty sets itself.

    `command`, `entrypoint` and `user` are there for an app without commands alone. `depends_on`, if there, names what `volumes_from` and `network_mode` need, beyond `depends`; `build`, if there, holds
    only what joins the app's own build (`dockerfile`). `$` is a plain character.
    """
    tests: Tests | None = None
    volume_driver: str = ""
    """Driver of the named volumes that it mounts, or ''."""
    build_options: dict[str, Any] = field(default_factory=dict)
    """What `build` says beside its context, in the keys of the Compose Specification; paths as `build` has them."""
    has_commands: bool = True
    """False for one that runs what its image, or `compose.command`, says; nothing of Dusty's runs in it then."""
    bundle_env: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Variable -> its value by an active bundle, and that bundle's file; only assembly knows it."""
    reload: tuple[ReloadRule, ...] = ()
    """What changed code calls for; none: a restart."""
    is_job: bool = False
    """It runs to its end, for which what needs it waits."""
    is_ready_by: bool = False
    """Its health check is that of its key `ready`."""
    until: dict[str, str] = field(default_factory=dict)
    """What it needs -> the condition that its spec names, in Compose's words."""
    mounts: tuple[CodeMount, ...] = ()
    """Where `mount` names folders of the repo: all of them; `mount` is the path of the first."""
    world: str = ""
    """`own` or `shared`, where the spec says so (core/worlds/decision)."""


@dataclass(frozen=True, slots=True)
class Lib:
    name: str
    file: str
    repo: Repo
    mount: str
    install: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    assets: tuple[Asset, ...] = ()
    tests: Tests | None = None
    reload: tuple[ReloadRule, ...] = ()
    """What changed code calls for in the apps that mount it; none: a restart."""
    mounts: tuple[CodeMount, ...] = ()
    """None: all of a lib is at its `mount`."""


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    file: str
    compose: dict[str, Any]
    """Compose Specification mapping, already translated (1.6), with `depends_on` etc. filled from links."""
    image_requires_login: bool = False
    volume_driver: str = ""
    """Driver of the named volumes that it mounts, or ''."""
    forwardings: tuple[Forwarding, ...] = ()
    assets: tuple[Asset, ...] = ()
    bundle_env: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_job: bool = False
    """It runs to its end, for which what needs it waits."""
    before_copy: tuple[str, ...] = ()
    """What it runs before its data is copied."""
    after_copy: tuple[str, ...] = ()
    world: str = ""
    """`own` or `shared`, where the spec says so."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Bundle(Value):
    name: str
    file: str
    description: str = ""
    apps: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    env: dict[str, dict[str, str]] = field(default_factory=dict)
    """App or service -> variable -> value."""
    vars: dict[str, str] = field(default_factory=dict)
    """Values of variables of vars.yml."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Specs(Value):
    """All specs of a repo that could be understood, by name; `places` finds any key again."""

    bundles: dict[str, Bundle] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    libs: dict[str, Lib] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    places: PlacesByFile = field(default_factory=PlacesByFile)
    """file -> key path -> (line, column) of the value; nothing that is rendered may depend on it."""
    references: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    """file -> containers that its Compose keys name, as the checks need them."""


def code_mounts(holder: Any) -> tuple[CodeMount, ...]:
    """What an app or lib, or a part of one, mounts of its repo."""
    if not (holder.repo and holder.mount):
        return ()
    mounts: tuple[CodeMount, ...] = getattr(holder, "mounts", ())
    return mounts or (CodeMount("", holder.mount),)
