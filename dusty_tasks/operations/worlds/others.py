"""What the other stacks of a DUSTY_HOME, the base and its worlds, have compiled last: the hosts file and the certificates are one for all."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dusty_tasks import session
from dusty_tasks.core.text.paths import HOSTS_FILE, Paths
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.home.worlds import home_of, names_of_worlds


def homes() -> list[str]:
    """The folders of all: that of the base first."""
    base = session.base_home()
    return [base, *(home_of(base, name) for name in names_of_worlds(base))]


def section_of_all(compiled: str) -> str:
    """`compiled`, the hosts section of the stack that this run is about, with the lines of the others."""
    found, here = homes(), session.home()
    if found == [here]:
        return compiled
    from dusty_tasks.core.artifacts.hosts import joined

    return joined(compiled if home == here else _read(Paths(home).artifact(HOSTS_FILE)) for home in found)


def certificates_of_others() -> Iterator[str]:
    """The ids of the certificates that the others need."""
    here = session.home()
    for home in homes():
        if home != here:
            try:
                yield from json.loads(_read(Paths(home).wanted) or "{}").get("https") or ()
            except (ValueError, AttributeError, TypeError):
                continue


def _read(path: str) -> str:
    try:
        return (read_bytes(path) or b"").decode("utf-8", "replace")
    except OSError:
        return ""
