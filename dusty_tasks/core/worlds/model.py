"""A world: what its user asked for, what was decided about its parts, and the settings that follow from both. Pure; effects/home/worlds keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import DATA_OF_WORLD, WORLDS_THERE

BASE = "base"
"""The name of the stack of a DUSTY_HOME itself."""
CLONE, EMPTY = "clone", "empty"
"""Where the data of a new world's services come from."""
MAX_NAME = 30
_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
FIRST, LAST = 1, 254
"""The last bytes of the addresses of worlds."""


class World(NamedTuple):
    """`worlds/<name>/world.json`."""

    name: str
    address: str
    """The loopback address of its proxy."""
    repos: dict[str, str] = {}  # never changed, as all defaults here
    """Repo id -> the folder that it is taken from."""
    made: dict[str, str] = {}
    """Repo id -> the worktree that Dusty made for it."""
    bundles: tuple[str, ...] = ()
    """Those that are active in place of the base's; none: the base's."""
    own: tuple[str, ...] = ()
    """Parts that the user wants to be own."""
    shared: tuple[str, ...] = ()
    """Parts that the user wants to be shared."""
    data: str = CLONE
    created: float = 0
    """Seconds since the epoch."""
    parts: dict[str, bool] | None = None
    """Part -> whether it is own, as decided by the last `up`; None before the first."""
    uses: dict[str, list[str]] = {}
    """Container of the base that own parts use (the part's name) -> its names in the world's network."""
    filled: tuple[str, ...] = ()
    """Parts whose data were put in place."""

    @property
    def own_parts(self) -> frozenset[str]:
        """The parts that have been own so far."""
        return frozenset(name for name, is_own in (self.parts or {}).items() if is_own)

    @property
    def shared_parts(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, is_own in (self.parts or {}).items() if not is_own))


def to_json(world: World) -> dict[str, Any]:
    return world._asdict()


def from_json(data: Mapping[str, Any]) -> World:
    """The inverse; fields that it does not know are left out. Raises TypeError, KeyError or AttributeError on another form."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    world = World(**{key: value for key, value in fields.items() if key in World._fields})
    if wrong_name(world.name) or not isinstance(world.address, str):
        raise TypeError("no world")
    return world


def wrong_name(name: str) -> str:
    """What is wrong with a name for a world, '' for nothing."""
    if name == BASE:
        return f"{BASE} is the name of the stack itself"
    if len(name) > MAX_NAME:
        return f"{name} has {len(name)} characters; a world's name has at most {MAX_NAME}"
    if not _NAME.fullmatch(name):
        return f'"{name}" cannot be the name of a world: it takes lower-case letters, digits, and single - between them'
    return ""


def name_from(branch: str) -> str:
    """A name for the world of a branch: `feature/Fix_UI` -> `feature-fix-ui`; '' if nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:MAX_NAME].strip("-")
    return f"{name}-world"[:MAX_NAME] if name == BASE else name


def free_address(taken: Iterable[str]) -> str:
    """The first loopback address of worlds that is not taken; '' if there is none."""
    used = set(taken)
    return next((address for number in range(FIRST, LAST + 1) if (address := f"127.77.0.{number}") not in used), "")


def settings_of(world: World, base: Settings, home: str) -> Settings:
    """The settings of a world whose folder is `home`: those of the base, and what is the world's own."""
    return replace(
        compared_with(world, base),
        home=home,
        base=base.home,
        namespace=base.namespace.of_world(world.name),
        host=replace(base.host, root=f"{base.host.root.rstrip('/')}/{WORLDS_THERE}/{world.name}", data=DATA_OF_WORLD),
        disabled=tuple(sorted({*base.disabled, *world.shared_parts})),
        routing="network",
        loopback=world.address,
        hosts_ipv6=False,  # there is one ::1, and it is the base's
    )


def compared_with(world: World, base: Settings) -> Settings:
    """The base's settings as they would be with the world's sources and bundles: what differs then is what the world differs in."""
    return replace(base, repo_overrides={**base.repo_overrides, **world.repos}, bundles=world.bundles or base.bundles)


def unsupported(base: Settings) -> tuple[str, str]:
    """Why worlds cannot run beside this base, and what would let them; '' if they can."""
    if base.host.is_elsewhere:
        return (
            "worlds need a Docker host that is this machine: each listens on a loopback address of its own",
            f"{DUSTY} config set host.kind local",
        )
    if base.external_bind:
        return (
            "worlds need external_bind off: the proxy of the base takes the ports of all addresses with it",
            f"{DUSTY} config set external_bind false",
        )
    if base.hosts_mode == "localhost":
        return (
            "worlds need hosts.mode file or off: names below .localhost all lead to the proxy of the base",
            f"{DUSTY} config set hosts.mode file",
        )
    return "", ""
