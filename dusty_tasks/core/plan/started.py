"""The record of what a container was started with (persist/.dusty/started.json): what a later plan compares with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypedDict, cast

from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.code.reloading import Owed, owed_from_json
from dusty_tasks.core.plan.change import Change
from dusty_tasks.core.plan.found import FoundContainer, Sources, asset_digests
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.reload import NONE as RELOAD_BY_NOTHING
from dusty_tasks.core.specs.reload import RESTART as RELOAD_BY_RESTART


class StartedRecord(TypedDict, total=False):
    """What is noted of one container; the form of the file is the same, by container name.

    Every key may be missing: versions before did not know all of them, and what is missing is not compared. A record changes by the functions
    below alone.
    """

    mapping: dict[str, Any]
    """Its entry in the Compose file that it was made with."""
    environment: dict[str, str]
    """Digest by what was filled in from outside then, as in found.Sources."""
    once: dict[str, str]
    """As wanted.WantedContainer.once_digests."""
    container_id: str
    image_id: str
    always: str
    mounts: dict[str, str]
    """Path in it -> what the engine mounted there."""
    inodes: dict[str, int]
    """Path on the Docker host -> inode, of the files and folders that it saw when it was started."""
    repos: dict[str, str | None]
    """Repo id -> the fingerprint of the code that it was started with."""
    copies: dict[str, str]
    """Repo id -> the id of the copy that this code lay in."""
    assets: dict[str, str]
    """Asset key -> digest."""
    files: dict[str, str]
    """Path in the specs repo -> digest, of what it mounts of it."""
    nginx: str
    """Of the proxy: the digest of the config that it has loaded."""
    what: str
    cause: str
    place: str
    time: str
    """The last change: what was done, why, the spec place behind it, and when."""
    ready: bool
    """False while nobody has seen it ready since its last start; missing once somebody has."""
    good: str
    """The time of the last start after which somebody saw it ready, from before this one."""
    trouble: str
    """Why it is not ready, in words."""
    stopped: bool
    """`dusty stop` ended it."""
    finished: bool
    """It ended by itself, with status 0."""
    restart_owed: bool
    """A run was about to restart it, and has not noted that it did."""
    reload: dict[str, Any]
    """Repo id -> [fingerprint, what is owed as core/code/reloading.Owed has it]: what the way there from the code that it was started with calls
    for, where that is less than a restart.
    """


class MadeOf(NamedTuple):
    """What was there when containers were started."""

    sources: Sources
    receipts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    """Of the copies of repos, by repo id."""
    inodes: Mapping[str, int] = MappingProxyType({})
    """Of what they mount, by path."""


def record_of(
    wanted: WantedContainer,
    container: FoundContainer,
    change: Change,
    made_of: MadeOf,
    before: StartedRecord | None,
    time_text: str,
) -> StartedRecord:
    """The record of a container that `change` just started.

    `before` is its record until now if the container itself stayed: what it was made with (mapping, environment) is
    kept then, so that a recreation which is pending stays pending. Nobody has seen it ready yet: `ready` goes away once
    somebody has.
    """
    sources, receipts, inodes = made_of
    made_with: StartedRecord = {
        "mapping": wanted.mapping,
        "environment": sources.environment.get(wanted.name, {}),
        "once": wanted.once_digests,
    }
    if before is not None:
        made_with = {
            "mapping": before.get("mapping", {}),
            "environment": before.get("environment", {}),
            "once": before.get("once", {}),
        }
    proxy: StartedRecord = {"nginx": sources.nginx_digest} if wanted.kind == "proxy" else {}
    return {
        **made_with,
        **proxy,
        **last_change(change, time_text),
        "ready": False,
        "container_id": container.id,
        "image_id": container.image_id,
        "always": wanted.always_digest,
        "mounts": container.mounts,
        **mounted(wanted, inodes),
        **synced(wanted, receipts),
        "assets": asset_digests(wanted.asset_keys, sources.assets),
        **({"files": asset_digests(wanted.spec_files, sources.spec_files)} if wanted.spec_files else {}),
    }


_MAPPINGS = ("mapping", "environment", "once", "mounts", "inodes", "repos", "copies", "assets", "files", "reload")
_TEXTS = ("container_id", "image_id", "always", "nginx", "what", "cause", "place", "time", "good", "trouble")


def sound(read: Any) -> dict[str, StartedRecord]:
    """Those of the records in a file that have their form; a disk, or whoever else wrote there, may have left anything."""

    def is_sound(record: Any) -> bool:
        return (
            isinstance(record, dict)
            and all(isinstance(record.get(key, {}), dict) for key in _MAPPINGS)
            and all(isinstance(record.get(key, ""), str) for key in _TEXTS)
        )

    return (
        {name: cast(StartedRecord, record) for name, record in read.items() if is_sound(record)}
        if isinstance(read, dict)
        else {}
    )


def mounted(wanted: WantedContainer, inodes: Mapping[str, int]) -> StartedRecord:
    """Which files and folders a container sees that is started now, by their `inodes` on the Docker host."""
    return {"inodes": {path: inodes[path] for path in bind_sources([wanted.mapping]) if path in inodes}}


def started_anew(record: StartedRecord) -> StartedRecord:
    """The record of a container that was started just now as it is: what it did before is history, and nobody has seen it ready yet."""
    return {**seen_ready(record), "ready": False, "good": last_good(record)}


def restarted(
    record: StartedRecord,
    wanted: WantedContainer,
    receipts: Mapping[str, Mapping[str, Any]],
    change: Change,
    time_text: str,
) -> StartedRecord:
    """The record of a container that `change` started as it is, with the code that lies on the Docker host now."""
    return {
        **started_anew(code_reloaded(record, wanted, receipts)),
        **last_change(change, time_text),
        "stopped": False,
        "finished": False,
        "restart_owed": False,
    }


def owed_until(record: StartedRecord, repo_id: str, fingerprint: str) -> Owed:
    """What the code of this fingerprint calls for in a container: nothing if it was started with it, and a restart if nobody noted less."""
    if (record.get("repos") or {}).get(repo_id) == fingerprint:
        return Owed()
    noted = (record.get("reload") or {}).get(repo_id)
    is_noted = isinstance(noted, list) and len(noted) == 2 and noted[0] == fingerprint
    return (owed_from_json(noted[1]) if noted and is_noted else None) or Owed(RELOAD_BY_RESTART)


def code_changed(record: StartedRecord, repo_id: str, before: str, now: str, owed: Owed) -> StartedRecord:
    """The record of a container after its copy of a repo came from fingerprint `before` to `now`, which calls for `owed` there.

    Where it calls for nothing, the container counts as started with that code.
    """
    total = owed_until(record, repo_id, before).plus(owed)
    rest = {other: noted for other, noted in (record.get("reload") or {}).items() if other != repo_id}
    if total.kind == RELOAD_BY_NOTHING:
        return {**record, "repos": {**(record.get("repos") or {}), repo_id: now}, "reload": rest}
    if total.kind == RELOAD_BY_RESTART:
        return {**record, "reload": rest} if repo_id in (record.get("reload") or {}) else record
    return {**record, "reload": {**rest, repo_id: [now, total.to_json()]}}


def code_reloaded(
    record: StartedRecord, wanted: WantedContainer, receipts: Mapping[str, Mapping[str, Any]]
) -> StartedRecord:
    """The record of a container that has the code of these receipts now: it was told to load it, or was restarted."""
    now = record.copy()
    now.pop("reload", None)
    return {**now, **synced(wanted, receipts)}


def seen_ready(record: StartedRecord) -> StartedRecord:
    """The record of a container that was seen ready since its last start."""
    seen = record.copy()
    seen.pop("ready", None)
    seen.pop("trouble", None)
    return seen


def seen_finished(record: StartedRecord) -> StartedRecord:
    """The record of a container that exited with status 0 by itself, which the engine forgets."""
    return {**seen_ready(record), "finished": True}


def stopped(record: StartedRecord) -> StartedRecord:
    """The record of a container that was stopped by hand."""
    return {**record, "stopped": True, "finished": False}


def owing_restart(record: StartedRecord) -> StartedRecord:
    """The record of a container that is about to be restarted: a run that is killed after that leaves no record that fits the code of before."""
    return {**record, "restart_owed": True}


def not_begun(record: StartedRecord, trouble: str) -> StartedRecord:
    """The record of a container that could not be made or started; what is noted of its last start stands."""
    return {**record, "trouble": trouble}


def reconnected(record: StartedRecord, mapping: dict[str, Any]) -> StartedRecord:
    """The record of a proxy that has the names of `mapping` on the network now."""
    return {**record, "mapping": mapping}


def loaded(record: StartedRecord, nginx_digest: str) -> StartedRecord:
    """The record of a proxy that was told to load this config."""
    return {**record, "nginx": nginx_digest}


def mounting_anew(record: StartedRecord, wanted: WantedContainer, inodes: Mapping[str, int]) -> StartedRecord:
    """The record of a container that was restarted where it stands: it sees what lies there now."""
    return {**record, **mounted(wanted, inodes)}


def still_mounting(record: StartedRecord, before: StartedRecord) -> StartedRecord:
    """The record of a container that was unpaused: it sees what it saw `before`."""
    kept = before.get("inodes")
    return {**record, "inodes": kept} if kept else record


def troubled(record: StartedRecord, trouble: str) -> StartedRecord:
    """The record of one that failed, or did not become ready in time: it stays so until it is seen ready, or is started anew."""
    return {**record, "ready": False, "trouble": trouble}


def last_good(record: StartedRecord) -> str:
    """When that start of a container was after which somebody saw it ready, the last one; '' if nobody knows of any."""
    return (record.get("good") if "ready" in record else record.get("time")) or ""


def synced(wanted: WantedContainer, receipts: Mapping[str, Mapping[str, Any]]) -> StartedRecord:
    """The code that a container is started with: the fingerprints of its copies, and their ids."""
    found = {repo_id: receipts[repo_id] for repo_id in wanted.repo_ids if repo_id in receipts}
    return {
        "repos": {repo_id: receipt.get("fingerprint") for repo_id, receipt in found.items()},
        "copies": {repo_id: receipt["copy"] for repo_id, receipt in found.items() if receipt.get("copy")},
    }


def last_change(change: Change, time_text: str) -> StartedRecord:
    """What `dusty why` tells: what was done, why, and when."""
    return {"what": change.kind.done, "cause": change.cause, "place": change.place, "time": time_text}


WHY_KEYS: tuple[Literal["what", "cause", "place", "time"], ...] = ("what", "cause", "place", "time")
"""The keys of last_change."""
