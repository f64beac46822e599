"""What this machine holds for the Docker host beside the compiled stack: command files, assets, nginx config, build contexts, environment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.artifacts.table import ARTIFACTS
from dusty_tasks.core.plan.found import Sources
from dusty_tasks.core.plan.given_values import ENV_FILE, file_of, values_of_container
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.paths import COMMAND_FILES, PROXY_FILE
from dusty_tasks.effects.doors.files import SMALL, read_bounded, read_bytes
from dusty_tasks.effects.home.artifacts import is_kept
from dusty_tasks.effects.home.assets import read_asset, set_keys

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings


def read_build(folder: str, also: Sequence[str] = ()) -> dict[str, bytes]:
    """Path below build/ -> bytes, of what the run phase reads, and `also`."""
    paths: list[str] = []
    for path in [*(row.path for row in ARTIFACTS if row.is_pushed), *also]:
        if not path.endswith("/"):
            paths.append(f"{folder}/{path}")
        elif os.path.isdir(f"{folder}/{path}"):
            paths += [found for found in _files_below(f"{folder}/{path[:-1]}") if not is_kept(found)]
    read = {path[len(folder) + 1 :]: read_bytes(path) for path in paths}
    return {path: data for path, data in read.items() if data is not None}


def read_sources(
    settings: Settings, wanted: Wanted, artifacts: Mapping[str, bytes], environ: Mapping[str, str], specs_root: str = ""
) -> Sources:
    """Digests of everything that may have to be pushed, built or filled in; `artifacts` as read_build gives them. Reads only.

    Files of the specs repo are looked at below `specs_root`.
    """
    return Sources(
        command_files=command_digests(artifacts),
        spec_files=_spec_file_digests(specs_root, wanted),
        assets=_asset_digests(settings.paths.base, wanted),
        set_keys=frozenset(set_keys(settings.paths.base)),
        nginx_digest=hashlib.sha256(artifacts[PROXY_FILE]).hexdigest() if PROXY_FILE in artifacts else "",
        certificates=_certificates(settings, wanted),
        contexts=_context_digests(settings, wanted, environ),
        environment={
            container.name: outside
            for container in wanted.containers
            if (outside := _outside_environment(container, environ, settings))
        },
    )


def _certificates(settings: Settings, wanted: Wanted) -> dict[str, str]:
    if wanted.https is None:
        return {}
    from dusty_tasks.effects.home.certificates import read_digests

    return read_digests(settings.paths.https, wanted.https)


def _context_digests(settings: Settings, wanted: Wanted, environ: Mapping[str, str]) -> dict[str, str]:
    if not any(container.build_context for container in wanted.containers):
        return {}
    from dusty_tasks.effects.engine.build_contexts import context_digests

    return context_digests(wanted.containers, f"{settings.state}/contexts.json", environ)


def _spec_file_digests(specs_root: str, wanted: Wanted) -> dict[str, str]:
    paths = {path for container in wanted.containers for path in container.spec_files}
    if not paths:
        return {}
    from dusty_tasks.effects.specs.mounted_files import content_digest

    return {path: content_digest(os.path.join(specs_root, path)) for path in sorted(paths)}


def command_digests(artifacts: Mapping[str, bytes]) -> dict[str, str]:
    """App or lib -> digest over the names and bytes of its command files."""
    digests: dict[str, hashlib._Hash] = {}
    for path in sorted(artifacts):
        if path.startswith(COMMAND_FILES):
            name, _, relative = path[len(COMMAND_FILES) :].partition("/")
            digests.setdefault(name, hashlib.sha256()).update(relative.encode() + b"\0" + artifacts[path] + b"\0")
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _files_below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path)
            else:
                yield entry.path


def _asset_digests(home: str, wanted: Wanted) -> dict[str, str]:
    bytes_by_key = {key: read_asset(home, key) for key in wanted.assets}
    return {key: hashlib.sha256(data).hexdigest() for key, data in bytes_by_key.items() if data is not None}


def _outside_environment(container: WantedContainer, environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Digests of what Compose takes from outside the Compose file: variables without a value, those of `dusty env`, and env_files."""
    environment = container.mapping.get("environment") or {}
    outside = (
        {
            name: _digest(environ[name].encode())
            for name, value in environment.items()
            if value is None and name in environ
        }
        if isinstance(environment, dict)
        else {}
    )
    outside |= {
        name: _digest(text.encode("utf-8", "surrogateescape"))
        for name, text in values_of_container(container.name, container.secrets, settings.env, settings.secrets).items()
    }
    env_files, own_path = container.mapping.get("env_file") or [], file_of(settings.home, container.name)
    for entry in [env_files] if isinstance(env_files, str) else env_files:
        path = str(entry["path"] if isinstance(entry, dict) else entry).replace("$$", "$")
        if path == own_path:
            continue
        outside[f"{ENV_FILE}{path}"] = _digest(_read_env_file(path))
    return outside


def _read_env_file(path: str) -> bytes:
    """The bytes of a file of variables; of one that cannot be read, which stops `up`, the reason."""
    try:
        return read_bounded(path, SMALL) or b""
    except OSError as error:
        return str(error.strerror).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
