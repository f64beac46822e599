"""One reading of the Docker host: containers, records, receipts, pushed files. On an ssh host it is one command.

What lies on the Docker host about itself, all below `host.root`:
  persist/.dusty/started.json           what each container was started with (and started.spare.json, if that is damaged)
  persist/.dusty/owner.json             whose containers and data these are
  persist/.dusty/volumes.json           named volume that `up` made -> when (read by `uninstall --purge` alone)
  persist/repos/.receipts/<id>.json     which source each repo's copy is
  command_files/.pushed.json            app or lib -> digest of its command files
  persist/dusty_assets/.pushed.json     app -> digest of its assets
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.of_verbs.backup import BEING_PUT_BACK, REPLACED
from dusty_tasks.core.plan.found import Found, FoundContainer, containers_of
from dusty_tasks.core.plan.lifetimes import checks_health, has_finished
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, COPIES, PERSIST, PROXY_THERE, RECORDS
from dusty_tasks.effects.code.inodes import inodes_of, print_inodes, read_inodes
from dusty_tasks.effects.code.receipts import PRINT_RECEIPTS, read_receipts, receipts_of
from dusty_tasks.effects.docker_host.started_records import STARTED, with_spare
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.engine import http, reads
from dusty_tasks.effects.engine.http import ANSWER_TIMEOUT, Engine, EngineDown, body_of, http_request

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord
    from dusty_tasks.effects.docker_host.host import DockerHost

OWNER = f"{RECORDS}/owner.json"
VOLUMES = f"{RECORDS}/volumes.json"
COMMANDS_PUSHED, ASSETS_PUSHED = f"{COMMANDS_THERE}/.pushed.json", f"{ASSETS_THERE}/.pushed.json"
NGINX_CONFIG = f"{PROXY_THERE}/dustyNginx.conf"
PAGE_STATES = f"{PROXY_THERE}/.dusty"
"""What the proxy's pages tell of each app (core/of_verbs/proxy_states); the proxy sees it at /etc/nginx/conf.d/.dusty."""

READ_ALL = f"""
root=$1
shift
cd "$root" 2>/dev/null && {{
    (set --; for path in {STARTED} {OWNER} {COMMANDS_PUSHED} {ASSETS_PUSHED}; do [ ! -f $path ] || set -- "$@" $path; done; [ $# = 0 ] || grep -H '' /dev/null "$@")
    [ ! -f {NGINX_CONFIG} ] || sha256sum {NGINX_CONFIG} | sed 's/^/@nginx:/'
    for name in {BEING_PUT_BACK} {REPLACED}; do [ ! -e "persist/$name" ] || echo "@restore:$name"; done
}}
@inodes | sed 's/^/@inode:/'
echo @receipts:
({PRINT_RECEIPTS})
echo @containers:
docker system dial-stdio
"""
"""Words: host.root, the folder of the copies, repo ids; stdin a request for the engine; `@inodes` is a command (effects/code/inodes).

Prints our JSON files line by line as `path:line`, the proxy config's digest, inodes, the receipts, then the engine's answer.
"""
PRINT_UNFINISHED = f"""
cd "$1/persist" 2>/dev/null || exit 0
for name in {BEING_PUT_BACK} {REPLACED}; do [ ! -e "$name" ] || echo "$name"; done
"""
"""Word: host.root."""


class Reading(NamedTuple):
    """The files and containers of one look at the Docker host."""

    files: dict[str, Any]
    """Path below host.root -> its JSON; what is no JSON counts as missing."""
    receipts: dict[str, Any]
    """Repo id -> receipt, for the copies that are there."""
    nginx_digest: str
    containers: dict[str, FoundContainer]
    engine_trouble: str = ""
    """Why the engine did not answer, if it did not."""
    unfinished_restore: tuple[str, ...] = ()
    inodes: dict[str, int] = {}  # never changed
    """Of the files and folders that containers mount."""


def read_host(host: DockerHost, engine: Engine, repo_ids: Sequence[str], mounted: Sequence[str] = ()) -> Reading:
    """Read all of it: one engine read; on an ssh host one round trip in all. `mounted` are paths whose inodes are asked for."""
    return (
        _read_here(host, engine, repo_ids, mounted)
        if host.is_local
        else _read_over_ssh(host, engine, repo_ids, mounted)
    )


def read_unfinished(host: DockerHost) -> tuple[str, ...]:
    """What a broken-off restore left in persist/ (core/of_verbs/backup): () for nothing. Raises Unreachable."""
    if host.is_local:
        return tuple(name for name in (BEING_PUT_BACK, REPLACED) if os.path.lexists(host.path(PERSIST, name)))
    return tuple(host.run_script(PRINT_UNFINISHED, host.root).out.split())


def found_of(reading: Reading, engine: Engine) -> Found:
    """What core.changes wants to know, as far as it lies on the Docker host."""
    started: dict[str, StartedRecord] = with_spare(engine.host, reading.files.get(STARTED)) if reading.files else {}
    return Found(
        containers=reading.containers,
        started=started,
        receipts=reading.receipts,
        command_files=_mapping(reading.files.get(COMMANDS_PUSHED)),
        assets=_mapping(reading.files.get(ASSETS_PUSHED)),
        nginx_digest=reading.nginx_digest,
        unfinished_restore=reading.unfinished_restore,
        inodes=reading.inodes,
        owner=_mapping(reading.files.get(OWNER)) or None,
        finished=read_finished(reading.containers, started, engine),
        namespace=engine.host.namespace,
    )


def read_finished(
    containers: dict[str, FoundContainer], started: Mapping[str, StartedRecord], engine: Engine
) -> frozenset[str]:
    """The containers without a health check that ended with status 0 by themselves. Asks the engine only about those not noted yet."""
    ended = {name: container for name, container in containers.items() if container.exit_status == 0}
    records: dict[str, StartedRecord] = {
        name: started.get(container.container_name) or {} for name, container in ended.items()
    }
    noted = {name for name, record in records.items() if record.get("finished") and not record.get("stopped")}
    unknown = [
        container
        for name, container in ended.items()
        if name not in noted and not records[name].get("stopped") and container.kind != "proxy"
    ]
    if unknown:
        events = reads.read_events(engine, [container.id for container in unknown])
        noted |= {
            container.name
            for container in unknown
            if has_finished(container.id, events) and not checks_health(reads.read_details(engine, container.id))
        }
    return frozenset(noted)


def _read_here(host: DockerHost, engine: Engine, repo_ids: Sequence[str], mounted: Sequence[str]) -> Reading:
    files = {path: _json_of(read_bytes(host.path(path))) for path in (STARTED, OWNER, COMMANDS_PUSHED, ASSETS_PUSHED)}
    config = read_bytes(host.path(NGINX_CONFIG))
    try:
        containers, trouble = reads.read_containers(engine), ""
    except EngineDown as down:
        containers, trouble = {}, down.what
    digest = hashlib.sha256(config).hexdigest() if config is not None else ""
    return Reading(
        files,
        read_receipts(host, repo_ids),
        digest,
        containers,
        trouble,
        read_unfinished(host),
        read_inodes(host, mounted),
    )


def _read_over_ssh(host: DockerHost, engine: Engine, repo_ids: Sequence[str], mounted: Sequence[str]) -> Reading:
    from dusty_tasks.effects.docker_host.host import Unreachable

    engine.reads += 1
    try:
        finished = host.run_script(
            READ_ALL.replace("@inodes", print_inodes(mounted), 1),
            host.root,
            host.path(COPIES),
            *repo_ids,
            input=http_request("GET", reads.listing(host.namespace)),
            check=False,
            timeout=ANSWER_TIMEOUT,
            hold_input=True,
            still_worth_it=http.look_at(host),
        )
    except Unreachable as away:
        return Reading({}, {}, "", {}, away.what)
    files_text, _, rest = finished.out.partition("@receipts:\n")
    receipts_text, _, answer = rest.partition("@containers:\n")
    lines: dict[str, list[str]] = {}
    for line in files_text.splitlines():
        path, _, text = line.partition(":")
        lines.setdefault(path, []).append(text)
    digest = (lines.pop("@nginx", [""])[0].split() or [""])[0]
    unfinished, inodes = tuple(lines.pop("@restore", ())), inodes_of(lines.pop("@inode", ()))
    files = {path: _json_of("\n".join(text).encode()) for path, text in lines.items()}
    receipts = receipts_of(receipts_text.splitlines())
    try:
        containers = containers_of(json.loads(body_of(answer.encode("utf-8", "replace")) or b"[]"))
        return Reading(files, receipts, digest, containers, unfinished_restore=unfinished, inodes=inodes)
    except (EngineDown, ValueError):
        return Reading(files, receipts, digest, {}, http.silence(host, finished), unfinished)


def _json_of(data: bytes | None) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
