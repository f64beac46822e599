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

REAL = 'for path do readlink -f -- "$path" || printf "%s\\n" "$path"; done'
"""Words: paths. Prints where each really is."""


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
            if source.startswith(top) and rest and (host.is_local or first not in ("repos", "dusty_assets")):
                deep[os.path.normpath(source)] = f"{top}{first}"
    if not deep:
        return
    real = _real_paths([*deep, *dict.fromkeys(deep.values())], host)
    for source, first in deep.items():
        if not f"{real[source]}/".startswith(f"{real[first].rstrip('/')}/"):
            raise Failure(
                printable(f"{source} is mounted by a container, and a link leads from there to {real[source]}"),
                "a container may have put that link there: look at it, and remove it",
            )


def _real_paths(paths: list[str], host: DockerHost) -> dict[str, str]:
    if host.is_local:
        return {path: os.path.realpath(path) for path in paths}
    return dict(zip(paths, host.run_script(REAL, *paths, as_root=True).out.splitlines(), strict=True))
