"""What this machine holds for the Docker host beside the compiled stack: command files, assets, nginx config, build contexts, environment."""
from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.found import Sources
from dusty_tasks.core.given_values import ENV_FILE, file_of, given_values
from dusty_tasks.core.wanted import Wanted, WantedContainer
from dusty_tasks.effects.artifacts import is_kept
from dusty_tasks.effects.assets import read_asset, set_keys
from dusty_tasks.effects.files import read_bytes, write_if_changed

if TYPE_CHECKING:
    from dusty_tasks.core.settings import Settings


HOSTS, NGINX, COMPOSE, COMMANDS = "hosts", "nginx/dustyNginx.conf", "docker-compose.yml", "commands/"


def read_build(folder: str, also: Sequence[str] = ()) -> dict[str, bytes]:
    """Path below build/ -> bytes, of what is pushed: the proxy's config, command files, the hosts section, and `also`."""
    paths = [f"{folder}/{path}" for path in (HOSTS, NGINX, *also)]
    if os.path.isdir(f"{folder}/{COMMANDS}"):
        paths += [path for path in _files_below(f"{folder}/{COMMANDS[:-1]}") if not is_kept(path)]
    found = {path[len(folder) + 1:]: read_bytes(path) for path in paths}
    return {path: data for path, data in found.items() if data is not None}


def read_sources(settings: Settings, wanted: Wanted, artifacts: Mapping[str, bytes], environ: Mapping[str, str]) -> Sources:
    """Digests of everything that may have to be pushed, built or filled in; `artifacts` as read_build gives them. Reads only."""
    return Sources(
        command_files=command_digests(artifacts),
        assets=_asset_digests(settings.home, wanted),
        set_keys=frozenset(set_keys(settings.home)),
        nginx_digest=hashlib.sha256(artifacts[NGINX]).hexdigest() if NGINX in artifacts else "",
        contexts=_context_digests(wanted, f"{settings.state}/contexts.json"),
        environment={container.name: outside for container in wanted.containers
                     if (outside := _outside_environment(container, environ, settings))})


def command_digests(artifacts: Mapping[str, bytes]) -> dict[str, str]:
    """App or lib -> digest over the names and bytes of its command files."""
    digests: dict[str, hashlib._Hash] = {}
    for path in sorted(artifacts):
        if path.startswith(COMMANDS):
            name, _, relative = path[len(COMMANDS):].partition("/")
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
    outside = {name: _digest(environ[name].encode()) for name, value in environment.items()
               if value is None and name in environ} if isinstance(environment, dict) else {}
    outside |= {name: _digest(text.encode("utf-8", "surrogateescape")) for name, text in given_values(settings.env, container.name).items()}
    env_files, own_path = container.mapping.get("env_file") or [], file_of(settings.home, container.name)
    for entry in [env_files] if isinstance(env_files, str) else env_files:
        path = str(entry["path"] if isinstance(entry, dict) else entry).replace("$$", "$")
        if path == own_path:
            continue
        outside[f"{ENV_FILE}{path}"] = _digest(read_bytes(path) or b"")
    return outside


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _context_digests(wanted: Wanted, cache_path: str) -> dict[str, str]:
    """Container -> digest of its build context. The bytes are read only when a file's state differs from the last time."""
    built = [container for container in wanted.containers if container.build_context and os.path.isdir(container.build_context)]
    if not built:
        return {}
    known = _read_cache(cache_path)
    seen = {}
    for container in built:
        build = container.mapping.get("build")
        key = json.dumps([container.build_context, build], sort_keys=True)
        state = tree_state(container.build_context)
        entry = known.get(key)
        seen[key] = entry if entry and entry.get("state") == state else {
            "state": state, "digest": content_digest(container.build_context, build)}
    if seen != known:
        write_if_changed(cache_path, json.dumps(seen).encode())
    return {container.name: seen[json.dumps([container.build_context, container.mapping.get("build")], sort_keys=True)]["digest"]
            for container in built}


def _read_cache(path: str) -> dict[str, Any]:
    try:
        known = json.loads(read_bytes(path) or b"{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def tree_state(folder: str) -> str:
    """A digest over names, modes, sizes and times of everything below `folder`; no file is opened."""
    digest = hashlib.sha256()
    for path in sorted(_files_below(folder)):
        state = os.lstat(path)
        digest.update(f"{path}\0{state.st_mode}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ctime_ns}\n".encode())
    return digest.hexdigest()


def content_digest(context: str, build: Any) -> str:
    """A digest over what an image is built from: the `build` key, and the context's files after .dockerignore, with modes."""
    from docker.utils.build import exclude_paths

    dockerfile = build.get("dockerfile") if isinstance(build, dict) else None
    ignored = (read_bytes(f"{context}/{dockerfile}.dockerignore") if dockerfile else None) or read_bytes(f"{context}/.dockerignore") or b""
    patterns = [line.strip() for line in ignored.decode("utf-8", "replace").splitlines() if line.strip() and not line.startswith("#")]
    digest = hashlib.sha256(json.dumps(build, sort_keys=True).encode())
    for relative in sorted(exclude_paths(context, patterns, dockerfile=dockerfile)):
        path = os.path.join(context, relative)
        if os.path.islink(path):
            digest.update(f"{relative}\0link {os.readlink(path)}\n".encode())
        elif os.path.isfile(path):
            digest.update(f"{relative}\0{os.lstat(path).st_mode:o}\0".encode() + (read_bytes(path) or b"") + b"\0")
    return digest.hexdigest()
