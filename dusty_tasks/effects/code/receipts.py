"""Receipts beside the copies on the Docker host: what each copy was made from (`persist/repos/.receipts/<id>.json`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

Receipt = dict[str, Any]
"""Keys: id, source, kind (managed, override, local), fingerprint, files, commit, time."""


def identity_of(host: DockerHost) -> str:
    """Which Docker host copies lie on, for what is remembered of them here."""
    return f"{host.name} {host.root}"


def read_receipts(host: DockerHost, repo_ids: Iterable[str]) -> dict[str, Receipt]:
    """Repo id -> its receipt, for the copies that lie on the Docker host: no process for `local`, one ssh round trip else.

    A damaged receipt counts as none. Raises Unreachable.
    """
    return receipts_of(host.files.receipts(repo_ids))


def receipts_of(lines: Iterable[str | bytes]) -> dict[str, Receipt]:
    """The receipts in `lines` (one JSON text each) by repo id; what is not one is left out."""
    receipts = {}
    for line in lines:
        try:
            receipt = json.loads(line)
            receipts[str(receipt["id"])] = receipt
        except (ValueError, KeyError, TypeError):
            continue
    return receipts
