"""Command files and assets to the Docker host; beside each a note of what was pushed, away while a push is under way."""
from __future__ import annotations

import os
import shutil
import tempfile

from dusty_tasks import session
from dusty_tasks.core.changes import assets_by_app
from dusty_tasks.effects.artifacts import KEPT_PATTERNS
from dusty_tasks.effects.assets import read_asset
from dusty_tasks.effects.docker_host import DockerHost
from dusty_tasks.effects.host_files import remove_host_file, write_host_json
from dusty_tasks.effects.observe import ASSETS_PUSHED, COMMANDS_PUSHED
from dusty_tasks.effects.rsync import push_folder
from dusty_tasks.steps.reality import View


def push_command_files(host: DockerHost, view: View) -> None:
    """build/commands but for what was kept of a person's; the digests of libs, which syncs write, stay (and are put back where they were lost)."""
    from dusty_tasks.steps.sync import push_lib_digests

    _push(host, f"{session.settings().build}/commands", "command_files", COMMANDS_PUSHED, view.sources.command_files,
          ["/*/libs/", *KEPT_PATTERNS])
    push_lib_digests(view.wanted.repos, view.found.receipts, host)


def push_assets(host: DockerHost, view: View) -> None:
    """A folder an app, holding the assets that this app sees and no others."""
    home = session.home()
    os.makedirs(f"{home}/state", exist_ok=True)
    staging = tempfile.mkdtemp(prefix="assets-", dir=f"{home}/state")
    try:
        for container in view.wanted.containers:
            for key in container.asset_keys:
                data = read_asset(home, key)
                if data is not None:
                    os.makedirs(f"{staging}/{container.name}", mode=0o700, exist_ok=True)
                    with open(os.open(f"{staging}/{container.name}/{key}", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                        file.write(data)
        _push(host, staging, "persist/dusty_assets", ASSETS_PUSHED, assets_by_app(view.wanted, view.sources), [])
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _push(host: DockerHost, source: str, destination: str, note: str, digests: dict[str, str], keep: list[str]) -> None:
    from dusty_tasks.steps.sync import taking_over

    os.makedirs(source, exist_ok=True)
    remove_host_file(host, note)
    target = host.path(destination)
    taking_over(host, target, session.settings().nginx_image, lambda: push_folder(host, source, target, keep=keep))
    write_host_json(host, note, digests)
