"""Files that are somebody else's, because a container left them as root, and how they are given to whom they belong to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

FORBIDDEN = re.compile("Permission denied|Operation not permitted")
"""What programs say of them."""


class NotOurs(ToolFailed):
    """Files in the copy belong to somebody else (a container left them as root), and rsync may not touch them."""

    folder = ""
    """The folder that is not ours, where it is another than that of the copy."""


def take_over(host: DockerHost, folder: str, image_names: Sequence[str]) -> bool:
    """Give files that containers left as root to whoever receives copies, through a throw-away container; False if that did not work."""
    return _as_root(host, folder, image_names, ["chown", "-hR", host.receiver(), "/work"])


def give_to_caller(host: DockerHost, folder: str, image_names: Sequence[str]) -> bool:
    """Give what root owns in a folder of this machine to the caller, and nothing of anybody else's; False if that did not work."""
    owned_by_root = ["find", "/work", "-xdev", "-user", "0"]
    give = ["-exec", "chown", "-h", f"{os.getuid()}:{os.getgid()}", "{}", "+"]
    return _as_root(host, folder, image_names, [*owned_by_root, *give])


def _as_root(host: DockerHost, folder: str, image_names: Sequence[str], command: Sequence[str]) -> bool:
    """Run a command in a container that has `folder` at /work, of the first of the images that can."""
    program, *words = command
    options = ["--rm", "--pull=never", "--network=none", "--user=0", f"--entrypoint={program}", "-v", f"{folder}:/work"]
    return any(
        process.run(["docker", "run", *options, image_name, *words], env=host.engine_environment()).code == 0
        for image_name in image_names
    )
