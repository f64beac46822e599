"""That the hosts file could not be written here, kept in state/: it is not tried again at each `up`."""

from __future__ import annotations

import hashlib
import json
import os
from typing import NamedTuple

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors import files


class Refusal(NamedTuple):
    """Why the section was not written, when, and which section was printed for writing it by hand."""

    why: str
    when: str
    section: str


def digest_of(section_text: str) -> str:
    return hashlib.sha256(section_text.encode()).hexdigest()[:16]


def read_refusal(home: str) -> Refusal | None:
    """None where there was none, or where root or an installed helper would write it now."""
    data = files.read_bytes(_path(home))
    if data is None:
        return None
    from dusty_tasks.effects.hosts.section import is_installed

    if os.geteuid() == 0 or is_installed():
        return None
    try:
        return Refusal(**json.loads(data))
    except (ValueError, TypeError):
        return None


def note_refusal(home: str, why: str, section_text: str) -> None:
    import time

    refusal = Refusal(why, time.strftime("%Y-%m-%d"), digest_of(section_text))
    files.write_atomically(_path(home), json.dumps(refusal._asdict()).encode())


def forget_refusal(home: str) -> None:
    try:
        os.unlink(_path(home))
    except OSError:
        pass


def _path(home: str) -> str:
    return Paths(home).kept("hosts-refused.json")
