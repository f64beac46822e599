"""With `sync.mode: bind`: the mount points that containers need in working trees. The engine would make them there, as root."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import confirm, say
from dusty_tasks.core.artifacts.mount_points import of_working_trees
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.sources import source_of


def trees_of_stack() -> set[str]:
    """The working trees that the stack's containers may see."""
    return {source_of(entry, session.settings())[0] for entry in session.wanted().repos}


def ensure_mount_points(mappings: Mapping[str, Mapping[str, Any]], trees: Iterable[str], *, yes: bool) -> None:
    """Make the missing ones, empty and the caller's own, if he agrees. Raises Failure, with the commands, if he does not.

    `mappings` is container -> its entry in a Compose file.
    """
    points = of_working_trees(mappings, trees)
    missing = [
        (os.path.join(tree, path), os.path.isfile(source))
        for tree, found in points.items()
        for path, source in found
        if os.path.isdir(tree) and not os.path.lexists(os.path.join(tree, path))
    ]
    if not missing:
        return
    names = ", ".join(path for path, _ in missing)
    if not confirm(
        f"Containers mount something at {names}, which must exist in your working tree with sync.mode bind. Create it, empty?",
        yes=yes,
    ):
        commands = "; ".join(
            shlex.join(["touch" if is_file else "mkdir", *([] if is_file else ["-p"]), path])
            for path, is_file in missing
        )
        raise Failure(
            f"missing from working trees that containers mount: {names}",
            f"{commands}; or {DUSTY} config set sync.mode rsync",
        )
    for path, is_file in missing:
        try:
            os.makedirs(os.path.dirname(path) if is_file else path, exist_ok=True)
            if is_file:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError as error:
            raise Failure(f"{path} cannot be created: {error.strerror}") from error
        say(f"created {path}, empty: a mount point")
