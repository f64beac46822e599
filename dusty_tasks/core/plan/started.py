"""The record of what a container was started with (persist/.dusty/started.json): what a later plan compares with."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.code.bind_sources import bind_sources
from dusty_tasks.core.plan.found import FoundContainer, Sources, asset_digests
from dusty_tasks.core.plan.plan import DONE, Change
from dusty_tasks.core.plan.wanted import WantedContainer


def record_of(wanted: WantedContainer, container: FoundContainer, change: Change, sources: Sources,
              receipts: dict[str, dict[str, Any]], before: dict[str, Any] | None, time_text: str, inodes: Mapping[str, int]) -> dict[str, Any]:
    """The record of a container that `change` just started.

    `before` is its record until now if the container itself stayed: what it was made with (mapping, environment) is
    kept then, so that a recreation which is pending stays pending. Nobody has seen it ready yet: `ready` goes away once
    somebody has.
    """
    made_with = {"mapping": wanted.mapping, "environment": sources.environment.get(wanted.name, {}), "once": wanted.once_digests}
    if before is not None:
        made_with = {key: before.get(key, {}) for key in made_with}
    proxy = {"nginx": sources.nginx_digest} if wanted.kind == "proxy" else {}
    return {
        **made_with, **proxy, **last_change(change, time_text),
        "ready": False,
        "container_id": container.id,
        "image_id": container.image_id,
        "always": wanted.always_digest,
        "mounts": container.mounts,
        **mounted(wanted, inodes),
        **synced(wanted, receipts),
        "assets": asset_digests(wanted.asset_keys, sources.assets),
    }


_MAPPINGS = ("mapping", "environment", "once", "mounts", "inodes", "repos", "copies", "assets")
_TEXTS = ("container_id", "image_id", "always", "nginx", "what", "cause", "place", "time", "good", "trouble")


def sound(read: Any) -> dict[str, dict[str, Any]]:
    """Those of the records in a file that have their form; a disk, or whoever else wrote there, may have left anything."""
    def is_sound(record: Any) -> bool:
        return isinstance(record, dict) and all(isinstance(record.get(key, {}), dict) for key in _MAPPINGS) and all(isinstance(record.get(key, ""), str) for key in _TEXTS)
    return {name: record for name, record in read.items() if is_sound(record)} if isinstance(read, dict) else {}


def mounted(wanted: WantedContainer, inodes: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Which files and folders a container sees that is started now, by their `inodes` on the Docker host."""
    return {"inodes": {path: inodes[path] for path in bind_sources([wanted.mapping]) if path in inodes}}


def started_anew(record: dict[str, Any]) -> dict[str, Any]:
    """The record of a container that was started just now as it is: what it did before is history, and nobody has seen it ready yet."""
    return {**seen_ready(record), "ready": False, "good": last_good(record)}


def seen_ready(record: dict[str, Any]) -> dict[str, Any]:
    """The record of a container that was seen ready since its last start."""
    return {key: value for key, value in record.items() if key not in ("ready", "trouble")}


def troubled(record: dict[str, Any], trouble: str) -> dict[str, Any]:
    """The record of one that failed, or did not become ready in time: it stays so until it is seen ready, or is started anew."""
    return {**record, "ready": False, "trouble": trouble}


def last_good(record: dict[str, Any]) -> str:
    """When that start of a container was after which somebody saw it ready, the last one; '' if nobody knows of any."""
    return str(record.get("good" if "ready" in record else "time") or "")


def synced(wanted: WantedContainer, receipts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The code that a container is started with: the fingerprints of its copies, and their ids."""
    found = {repo_id: receipts[repo_id] for repo_id in wanted.repo_ids if repo_id in receipts}
    return {"repos": {repo_id: receipt.get("fingerprint") for repo_id, receipt in found.items()},
            "copies": {repo_id: receipt["copy"] for repo_id, receipt in found.items() if receipt.get("copy")}}


def last_change(change: Change, time_text: str) -> dict[str, str]:
    """What `dusty why` tells: what was done, why, and when."""
    return {"what": DONE[change.kind], "cause": change.cause, "place": change.place, "time": time_text}


WHY_KEYS = ("what", "cause", "place", "time")
"""The keys of last_change."""
