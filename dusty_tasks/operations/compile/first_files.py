"""Command files for who runs `docker compose` on the compiled file before any `up` did: an app could not start without its start.sh."""

from __future__ import annotations

import os

from dusty_tasks import session
from dusty_tasks.core.text.paths import COMMANDS_THERE
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed
from dusty_tasks.effects.observe.docker_host import COMMANDS_PUSHED


def put_first_files() -> None:
    """Put build/commands where containers of the local engine mount it, as long as no `up` has pushed anything there.

    Only into a folder of Dusty's own home; what cannot be written (the engine makes missing folders as root) is left to `up`.
    """
    host = session.settings().host
    root, source = host.root, session.paths().artifact("commands")
    if host.is_elsewhere or os.path.dirname(root) != session.home() or os.path.lexists(f"{root}/{COMMANDS_PUSHED}"):
        return
    target = f"{root}/{COMMANDS_THERE}"
    for folder, folders, names in os.walk(source):
        there = f"{target}{folder.removeprefix(source)}"
        if os.path.islink(there):
            folders.clear()  # Somebody put it there, and it leads elsewhere.
            continue
        try:
            if names:
                os.makedirs(there, exist_ok=True)
            for name in names:
                write_if_changed(f"{there}/{name}", read_bytes(f"{folder}/{name}") or b"")
        except OSError:
            return
