"""The data of a new world, copied from those of the base on the Docker host, as root; each item is whole or absent after any kill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.text.namespace import PROJECT_LABEL, VOLUME_LABEL, Namespace
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import run
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import root_command
from dusty_tasks.effects.engine.sdk import client

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

FILL = r"""
set -eu
cd "$1"
shift
copy() {
    cp -a --reflink=auto "$1" "$2" 2> /dev/null && return 0
    rm -rf "$2"
    cp -a "$1" "$2" || { rm -rf "$2"; exit 4; }
}
while [ $# -gt 0 ]; do
    source=$1 target=$2
    shift 2
    [ -e "$source" ] || continue
    # A container may have put a link where a folder was: what it leads to is not ours.
    [ ! -L "$source" ] || { echo "$source is a link" >&2; exit 4; }
    case $target in
        /*)
            find "$target" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
            cp -a --reflink=auto "$source/." "$target/" 2> /dev/null || cp -a "$source/." "$target/" || {
                find "$target" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
                exit 4
            } ;;
        *)
            mkdir -p "$(dirname "$target")"
            rm -rf "$target.part"
            copy "$source" "$target.part"
            rm -rf "$target"
            mv "$target.part" "$target" ;;
    esac
done
"""
"""Words: host.root, then pairs: where something lies and where a copy of it is to be, both below host.root or both a volume's folder."""


class Copy(NamedTuple):
    """A folder below host.root, or a volume, and what it is to be copied to."""

    source: str
    target: str
    is_volume: bool = False


def make_volume(engine: Engine, name: str, short: str, namespace: Namespace) -> None:
    """Make a volume that Compose takes for its own; one that is there stays."""
    client(engine).create_volume(name, labels={PROJECT_LABEL: namespace.project, VOLUME_LABEL: short})


def fill(engine: Engine, copies: Sequence[Copy], image: str) -> None:
    """Make the copies; what is not there has none. `image` has sh, for callers who are not root there. Raises Failure, and nothing half done is in place."""
    host = engine.host
    volumes = {name: path for copy in copies if copy.is_volume for name, path in _places(engine, copy).items()}
    words: list[str] = []
    for copy in copies:
        if copy.is_volume and not (copy.source in volumes and copy.target in volumes):
            continue
        words += [volumes.get(copy.source, copy.source), volumes.get(copy.target, copy.target)]
    found = run(_command(host, words, image, volumes), env=host.engine_environment())
    if found.code:
        raise Failure((found.err or found.out).strip() or f"copying the data exited with status {found.code}", code=2)


def _command(host: DockerHost, words: list[str], image: str, volumes: Mapping[str, str]) -> list[str]:
    return root_command(host, FILL, words, image, volumes)


def _places(engine: Engine, copy: Copy) -> dict[str, str]:
    """Volume -> its folder for the script; none for one that the engine does not have."""
    found: dict[str, str] = {}
    for name in (copy.source, copy.target):
        details = _volume(engine, name)
        if details is None:
            continue
        if details.get("Driver") != "local" or details.get("Options"):
            raise Failure(f"the volume {name} is not on the Docker host itself, so it cannot be copied")
        found[name] = str(details["Mountpoint"]) if engine.host.reaches_root else f"/volumes/{name}"
    return found


def _volume(engine: Engine, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = engine.get(f"/volumes/{name}")
    except EngineRefused as refused:
        if refused.status == 404:
            return None
        raise
    return found
