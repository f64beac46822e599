"""Receipts beside the copies on the Docker host: what each copy was made from (`persist/repos/.receipts/<id>.json`)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.effects.doors.files import read_bytes

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

Receipt = dict[str, Any]
"""Keys: id, source, kind (managed, override, local), fingerprint, files, commit, time."""


def identity_of(host: DockerHost) -> str:
    """Which Docker host copies lie on, for what is remembered of them here."""
    return f"{host.name} {host.root}"


PRINT_RECEIPTS = """
cd "$1" 2>/dev/null || exit 0
shift
count=$#
for id do
    [ -d "$id" ] && [ -f ".receipts/$id.json" ] && set -- "$@" ".receipts/$id.json"
done
shift "$count"
[ $# = 0 ] || awk 1 "$@"
exit 0
"""
"""Words: the folder of the copies, then ids; prints a receipt a line, for the copies that exist. One process for all of them."""


def read_receipts(host: DockerHost, repo_ids: Iterable[str]) -> dict[str, Receipt]:
    """Repo id -> its receipt, for the copies that lie on the Docker host: no process for `local`, one ssh round trip else.

    A damaged receipt counts as none. Raises Unreachable.
    """
    base = host.path(COPIES)
    if not host.is_local:
        return receipts_of(host.run_script(PRINT_RECEIPTS, base, *repo_ids).out.splitlines())
    lines = (
        read_bytes(f"{base}/.receipts/{repo_id}.json") for repo_id in repo_ids if os.path.isdir(f"{base}/{repo_id}")
    )
    return receipts_of(line for line in lines if line is not None)


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
