"""Links below persist/ on the Docker host that would lead a mount elsewhere: containers can put them into folders that they mount."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.paths import PERSIST
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def refuse_links(mappings: Iterable[Mapping[str, Any]], host: DockerHost) -> None:
    """Raise Failure for a folder below one of persist/ that these entries of the Compose file mount, and that a link leads out of there.

    What lies in persist/ itself no container can replace: a link there is its owner's.
    """
    top = f"{host.path(PERSIST).rstrip('/')}/"
    deep = {}
    for mapping in mappings:
        for entry in mapping.get("volumes") or ():
            source = (
                str(entry.get("source", "") if isinstance(entry, Mapping) else entry)
                .partition(":")[0]
                .replace("$$", "$")
            )
            first, _, rest = source.removeprefix(top).partition("/")
            # Where it costs a round trip, Dusty's own folders are left to the guards of syncs and pushes.
            if source.startswith(top) and rest and (not host.is_far or first not in ("repos", "dusty_assets")):
                deep[os.path.normpath(source)] = f"{top}{first}"
    if not deep:
        return
    real = host.files.real_paths([*deep, *dict.fromkeys(deep.values())])
    for source, first in deep.items():
        if not f"{real[source]}/".startswith(f"{real[first].rstrip('/')}/"):
            raise Failure(
                printable(f"{source} is mounted by a container, and a link there points to {real[source]}"),
                "a container may have created that link: check it, and remove it",
            )
