"""Which containers of the base a world's own parts use, and by which names. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from dusty_tasks.core.plan.push_changes import aliases_of
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.worlds.decision import Decision, Part


def uses_of(
    parts: Iterable[Part], decision: Decision, wanted: Wanted, stack: Stack
) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The shared parts that own ones depend on; and all containers of the base that they may call -> their names.

    The latter are also those that the entry of an own part mentions, and the proxy, for the host_names of shared parts.
    """
    if not decision.own:
        return (), {}
    mappings = {container.name: container.mapping for container in wanted.containers}
    needed = {name for part in parts if part.name in decision.own for name in part.calls} & decision.shared
    text = json.dumps([mappings[name] for name in sorted(decision.own) if name in mappings])
    mentioned = {name for name in decision.shared if mentions(text, name)}
    uses = {name: [name, *aliases_of(mappings[name])] for name in sorted(needed | mentioned) if name in mappings}
    own_names = {route.host_name for route in stack.routes if route.app_name in decision.own}
    shared_names = [route.host_name for route in stack.routes if route.app_name in decision.shared]
    if found := [name for name in dict.fromkeys(shared_names) if name not in own_names]:
        uses[PROXY] = found
    return tuple(sorted(needed)), uses


def mentions(text: str, name: str) -> bool:
    """True if `text` has the name as a word of its own."""
    return re.search(f"(?<![A-Za-z0-9_.-]){re.escape(name)}(?![A-Za-z0-9_-])", text) is not None
