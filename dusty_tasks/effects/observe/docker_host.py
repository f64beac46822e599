"""One reading of the Docker host: containers, records, receipts, pushed files. On an ssh host it is one command.

What lies on the Docker host about itself, all below `host.root`:
  persist/.dusty/started.json           what each container was started with (and started.spare.json, if that is damaged)
  persist/.dusty/owner.json             whose containers and data these are
  persist/.dusty/volumes.json           named volume that `up` made -> when (read by `uninstall --purge` alone)
  persist/repos/.receipts/<id>.json     which source each repo's copy is
  command_files/.pushed.json            app or lib -> digest of its command files
  persist/dusty_assets/.pushed.json     app -> digest of its assets
  persist/dusty_https/.pushed.json      certificate -> its digest (read with `https` on alone)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.of_verbs.backup import BEING_PUT_BACK, PUT_BACK, REPLACED
from dusty_tasks.core.plan.found import Found, FoundContainer, containers_of
from dusty_tasks.core.plan.lifetimes import checks_health, has_finished
from dusty_tasks.core.text.paths import (
    ASSETS_THERE,
    COMMANDS_THERE,
    PERSIST,
    PROXY_THERE,
    RECORDS,
    SNAPSHOTS,
    STARTED,
    TRUST_THERE,
)
from dusty_tasks.effects.code.receipts import receipts_of
from dusty_tasks.effects.docker_host.engine_line import EngineDown, body_of, http_request
from dusty_tasks.effects.docker_host.files import Wanted
from dusty_tasks.effects.docker_host.started_records import with_spare
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import BROKEN_ANSWER, Engine

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord
    from dusty_tasks.effects.docker_host.host import DockerHost

OWNER = f"{RECORDS}/owner.json"
VOLUMES = f"{RECORDS}/volumes.json"
FILES_PUSHED = f"{RECORDS}/spec_files.json"
COMMANDS_PUSHED, ASSETS_PUSHED = f"{COMMANDS_THERE}/.pushed.json", f"{ASSETS_THERE}/.pushed.json"
CERTIFICATES_PUSHED = f"{TRUST_THERE}/.pushed.json"
NGINX_CONFIG = f"{PROXY_THERE}/dustyNginx.conf"
PAGE_STATES = f"{PROXY_THERE}/.dusty"
"""What the proxy's pages tell of each app (core/of_verbs/proxy_states); the proxy sees it at /etc/nginx/conf.d/.dusty."""
UNFINISHED = (*(f"{PERSIST}/{name}" for name in (BEING_PUT_BACK, REPLACED)), f"{SNAPSHOTS}/{PUT_BACK}")
"""What a broken-off restore leaves."""


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
    is_away: bool = False
    """The Docker host itself was not reached, so nothing is known of what lies there."""


def read_host(
    host: DockerHost, engine: Engine, repo_ids: Sequence[str], mounted: Sequence[str] = (), also: Sequence[str] = ()
) -> Reading:
    """Read all of it: one engine read; on a far host one round trip in all. `mounted` are paths whose inodes are asked for, `also` more notes."""
    engine.reads += 1
    seen = host.files.gather(
        Wanted(
            files=(STARTED, OWNER, COMMANDS_PUSHED, FILES_PUSHED, ASSETS_PUSHED, *also),
            digest_of=NGINX_CONFIG,
            present=UNFINISHED,
            repo_ids=repo_ids,
            mounted=mounted,
            request=http_request("GET", reads.listing(host.namespace)),
        )
    )
    trouble, containers = seen.trouble, {}
    if not trouble:
        try:
            containers = containers_of(json.loads(body_of(seen.answer) or b"[]"))
        except EngineDown as down:
            trouble = down.what
        except ValueError:
            trouble = BROKEN_ANSWER
    return Reading(
        {path: _json_of(data) for path, data in seen.files.items()},
        receipts_of(seen.receipts),
        seen.digest,
        containers,
        trouble,
        _names_of(seen.present),
        seen.inodes,
        seen.is_away,
    )


def read_unfinished(host: DockerHost) -> tuple[str, ...]:
    """What a broken-off restore left in persist/ (core/of_verbs/backup): () for nothing. Raises Unreachable."""
    return _names_of(host.files.present(UNFINISHED))


def _names_of(unfinished: Sequence[str]) -> tuple[str, ...]:
    return tuple(path.rpartition("/")[2] for path in unfinished)


def found_of(reading: Reading, engine: Engine) -> Found:
    """What core.changes wants to know, as far as it lies on the Docker host."""
    started: dict[str, StartedRecord] = with_spare(engine.host, reading.files.get(STARTED)) if reading.files else {}
    return Found(
        containers=reading.containers,
        started=started,
        receipts=reading.receipts,
        command_files=_mapping(reading.files.get(COMMANDS_PUSHED)),
        spec_files=_mapping(reading.files.get(FILES_PUSHED)),
        assets=_mapping(reading.files.get(ASSETS_PUSHED)),
        certificates=_mapping(reading.files.get(CERTIFICATES_PUSHED)),
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
    """The containers without a health check that exited with status 0 by themselves. Asks the engine only about those not noted yet."""
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


def _json_of(data: bytes | None) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
