"""Command files and assets to the Docker host; beside each a note of what was pushed, away while a push is under way."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.plan.push_changes import assets_by_app
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, SPEC_FILES
from dusty_tasks.effects.code.rsync import push_folder
from dusty_tasks.effects.docker_host.files import PRIVATE, write_host_json
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.files import write_atomically
from dusty_tasks.effects.home.artifacts import KEPT_PATTERNS
from dusty_tasks.effects.home.assets import STAGING, asset_path, remove_stagings, set_keys
from dusty_tasks.effects.observe.docker_host import ASSETS_PUSHED, COMMANDS_PUSHED, FILES_PUSHED
from dusty_tasks.effects.specs.mounted_files import copy_into
from dusty_tasks.operations.look import View


class Where(NamedTuple):
    """What is pushed where, below host.root."""

    path: str
    note: str
    """Of what was pushed; away while a push is under way."""


COMMANDS = Where(COMMANDS_THERE, COMMANDS_PUSHED)
FILES = Where(SPEC_FILES, FILES_PUSHED)
ASSETS = Where(ASSETS_THERE, ASSETS_PUSHED)


def push_command_files(host: DockerHost, view: View) -> None:
    """build/commands but for what was kept of a person's.

    The digests that syncs write stay (and are put back where they were lost), and so does what start.sh keeps of assets.
    """
    from dusty_tasks.operations.launch.install_marks import push_install_marks

    _push(
        host,
        f"{session.settings().build}/commands",
        COMMANDS,
        view.sources.command_files,
        keep=["/*/libs/", "/*/assets/", "/.specs/", *KEPT_PATTERNS],
    )
    # Without marks, as where containers see the working trees themselves, installs run at every start.
    push_install_marks(view.wanted.repos, {} if session.settings().sync_mode == "bind" else view.found.receipts, host)


def add_spec_files(host: DockerHost, paths: Iterable[str]) -> None:
    """Some files and folders of the specs repo, beside what is there already: for tests."""
    os.makedirs(session.paths().state, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=STAGING, dir=session.paths().state)
    try:
        copy_into(staging, str(session.specs_root()), paths)
        os.chmod(staging, 0o755)
        push_folder(host, staging, host.path(SPEC_FILES), delete=False)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def push_spec_files(host: DockerHost, view: View) -> None:
    """The files and folders of the specs repo that containers mount."""
    os.makedirs(session.paths().state, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=STAGING, dir=session.paths().state)
    try:
        copy_into(staging, str(session.specs_root()), view.sources.spec_files)
        os.chmod(staging, 0o755)
        _push(host, staging, FILES, view.sources.spec_files)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def push_assets(host: DockerHost, view: View) -> None:
    """A folder an app, holding the assets that this app sees and no others: here links, so that a kill leaves no secrets behind."""
    home = session.home()
    remove_stagings(home)
    os.makedirs(session.paths().state, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=STAGING, dir=session.paths().state)
    try:
        base = session.base_home()
        kept = set_keys(base)
        for container in view.wanted.containers:
            for key in container.asset_keys:
                if key not in kept and not container.mounts_assets:
                    continue
                os.makedirs(f"{staging}/{container.name}", mode=0o700, exist_ok=True)
                place = f"{staging}/{container.name}/{key}"
                if key in kept:
                    os.symlink(asset_path(base, key), place)
                else:
                    write_atomically(place, b"", 0o600)
                    os.utime(place, (0, 0))  # Always the same file, or each push would replace what a container mounts.
        _push(host, staging, ASSETS, assets_by_app(view.wanted, view.sources), follow_links=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _push(
    host: DockerHost,
    source: str,
    where: Where,
    digests: dict[str, str],
    *,
    keep: Sequence[str] = (),
    follow_links: bool = False,
) -> None:
    from dusty_tasks.operations.code.copy_of_repo import taking_over

    os.makedirs(source, exist_ok=True)
    host.files.remove(where.note)
    target = host.path(where.path)
    taking_over(
        host,
        target,
        session.settings().nginx_image,
        lambda: push_folder(host, source, target, keep=keep, follow_links=follow_links),
    )
    write_host_json(host, where.note, digests, PRIVATE)
