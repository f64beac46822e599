"""Whose containers and data these are: another owner's are never removed or reused."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.plan.found import Found
from dusty_tasks.core.text.namespace import CONFIG_LABEL
from dusty_tasks.core.text.paths import COMPOSE_FILE, Paths


class Owner(NamedTuple):
    user: str
    home: str
    """DUSTY_HOME."""
    machine: str

    def __str__(self) -> str:
        return f"{self.user} on {self.machine} (DUSTY_HOME {self.home})"


def foreign_owner(found: Found, owner: Owner, compose_path: str) -> str:
    """Who else owns what was found, in words; '' if all of it is `owner`'s, or nobody's."""
    if found.owner and found.owner != owner._asdict():
        return str(Owner(*(str(found.owner.get(field, "somebody")) for field in Owner._fields)))
    files = {container.labels.get(CONFIG_LABEL, "").split(",")[0] for container in found.containers.values()}
    others = sorted(files - {compose_path, ""})
    return f"the DUSTY_HOME {others[0].removesuffix(Paths('').artifact(COMPOSE_FILE))}" if others else ""
