"""Digests of the files that globs match in a repo (`test.inputs`)."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable

from dusty_tasks.effects.doors.files import read_bytes


def digest_of_matches(folder: str, patterns: Iterable[str]) -> str:
    """A digest over names and bytes of all files below `folder` that a pattern matches (`**` spans folders); '' for none."""
    names = {
        name
        for pattern in patterns
        for name in glob.glob(pattern.lstrip("/"), root_dir=folder, recursive=True, include_hidden=True)
    }
    files = sorted(name for name in names if os.path.isfile(os.path.join(folder, name)))
    if not files:
        return ""
    digest = hashlib.sha256()
    for name in files:
        digest.update(
            os.fsencode(name) + b"\0" + hashlib.sha256(read_bytes(os.path.join(folder, name)) or b"").digest()
        )
    return digest.hexdigest()
