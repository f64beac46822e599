"""With `sync.mode: bind`: a working tree as a volume, its `.git` read-only.

Whoever writes into `.git` says what the next git there runs (hooks, `core.fsmonitor`, filters), as the owner of the tree. Dusty's own
git obeys none of it (core/code/git_config); this keeps containers from leading the user's git astray. Reading it, as `git describe` does, works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import volume_of
from dusty_tasks.core.specs.model import CodeMount
from dusty_tasks.core.specs.rules import normal_path


def tree_volumes(tree: str, mount: str, settings: ContainerSettings, taken: Collection[str] = ()) -> Iterator[str]:
    """The volumes that show a working tree at `mount`. `taken` are paths of the container where its spec mounts something itself."""
    yield f"{tree}:{mount}"
    inside = f"{normal_path(mount)}/.git"
    if tree not in settings.without_git and inside not in taken:
        yield f"{tree}/.git:{inside}:ro"


def folder_volumes(
    tree: str, mount: CodeMount, settings: ContainerSettings, taken: Collection[str] = ()
) -> Iterator[str]:
    """The volumes that show a working tree, or a folder of it, which has no `.git`."""
    if mount.folder:
        yield f"{tree}/{mount.folder}:{mount.path}"
    else:
        yield from tree_volumes(tree, mount.path, settings, taken)


def mounted_paths(compose: Mapping[str, Any]) -> set[str]:
    """The paths where a container's own Compose keys mount something."""
    tmpfs = compose.get("tmpfs") or ()
    return {
        *(normal_path(volume_of(volume).target) for volume in compose.get("volumes") or ()),
        *(normal_path(str(entry).partition(":")[0]) for entry in ([tmpfs] if isinstance(tmpfs, str) else tmpfs)),
    }
