"""The certificate authority of this home and what it signed, as files below $DUSTY_HOME/https; signing itself is in signing.py.

ca.key, ca.pem          the authority: its key stays on this machine, in this folder
leaf/<id>.key, .pem     what the proxy shows
notes.json              what is known of all these, so that a run that makes none opens nothing else
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.plan.found import DUE
from dusty_tasks.core.stack.https import covers
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import AUTHORITY_FILE, BUNDLE_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

KEY_FILE = "ca.key"
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Debian and Arch, Fedora, openSUSE, macOS and Alpine."""


class Authority(NamedTuple):
    """What is noted of the authority."""

    key_digest: str
    """Of its public key: what it signed stays good while that is the same."""
    permitted: tuple[str, ...]
    """The names that it may sign for, with all that is below them."""
    until: float
    renew: float
    """When it is to be made anew, as seconds since 1970, like `until`."""
    fingerprint: str
    """SHA-256 of the certificate in its binary form, as hexadecimal digits."""


class Signed(NamedTuple):
    """What is noted of a certificate that it signed."""

    digest: str
    key_digest: str
    """Of the authority's public key."""
    until: float
    renew: float


class Notes(NamedTuple):
    authority: Authority | None = None
    signed: dict[str, Signed] = {}  # never changed


def read_notes(folder: str) -> Notes:
    """What is noted of the files in `folder`; nothing of those that are gone."""
    try:
        data = json.loads(read_bytes(f"{folder}/notes.json") or b"{}")
        found = data.get("authority")
        authority = Authority(**{**found, "permitted": tuple(found["permitted"])}) if found else None
        signed = {id: Signed(**each) for id, each in (data.get("signed") or {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return Notes()
    if not all(os.path.isfile(f"{folder}/{name}") for name in (KEY_FILE, AUTHORITY_FILE)):
        authority = None
    return Notes(authority, {id: each for id, each in signed.items() if _is_there(folder, id)})


def _is_there(folder: str, id: str) -> bool:
    return all(os.path.isfile(f"{folder}/leaf/{id}{suffix}") for suffix in (".pem", ".key"))


def write_notes(folder: str, notes: Notes) -> None:
    """Keep what is known. Raises Failure."""
    data: dict[str, Any] = {
        "authority": notes.authority._asdict() if notes.authority else None,
        "signed": {id: each._asdict() for id, each in notes.signed.items()},
    }
    write_atomically(f"{folder}/notes.json", json.dumps(data).encode(), 0o600)


def remove_others(folder: str, wanted: Collection[str]) -> None:
    """Remove the certificates and keys with other ids than `wanted`, and what is noted of them. Raises Failure."""
    try:
        there = os.listdir(f"{folder}/leaf")
    except OSError:
        return
    for name in there:
        if name.rpartition(".")[0] not in wanted:
            os.unlink(f"{folder}/leaf/{name}")
    notes = read_notes(folder)
    write_notes(folder, Notes(notes.authority, {id: each for id, each in notes.signed.items() if id in wanted}))


def read_digests(folder: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name of each file that the Docker host needs -> its digest, or DUE and why it is to be made; `wanted` is id -> names."""
    notes, now = read_notes(folder), time.time()
    authority, names = notes.authority, [name for each in wanted.values() for name in each]
    if authority is None:
        return dict.fromkeys((AUTHORITY_FILE, *wanted), f"{DUE}there is no certificate authority yet")
    found = {}
    if authority.renew < now:
        found[AUTHORITY_FILE] = f"{DUE}the certificate authority expires soon"
    elif missing := [name for name in names if not covers(authority.permitted, name)]:
        found[AUTHORITY_FILE] = f"{DUE}the certificate authority may not sign for {missing[0]} yet"
    else:
        found[AUTHORITY_FILE] = authority.fingerprint
    found[BUNDLE_FILE] = hashlib.sha256(bundle(folder)).hexdigest()
    for id in wanted:
        signed = notes.signed.get(id)
        if signed is None:
            found[id] = f"{DUE}names are new"
        elif signed.key_digest != authority.key_digest:
            found[id] = f"{DUE}the certificate authority has changed"
        elif signed.renew < now:
            found[id] = f"{DUE}a certificate expires soon"
        else:
            found[id] = signed.digest
    return found


def bundle(folder: str) -> bytes:
    """What programs of a container are to believe: what this machine does, and the authority."""
    system = next((data for path in SYSTEM_BUNDLES if (data := read_bytes(path))), b"")
    return system.rstrip(b"\n") + b"\n" + (read_bytes(f"{folder}/{AUTHORITY_FILE}") or b"")


def refuse_open_key(folder: str) -> None:
    """Raise Failure if somebody else may have the authority's key: whoever holds it can pretend to be each of its names."""
    path = f"{folder}/{KEY_FILE}"
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    hint = f"if nobody has read it, chmod 600 {path}; else {DUSTY} trust uninstall, then remove {folder}"
    if not stat.S_ISREG(found.st_mode):
        raise Failure(f"{path} is not a regular file, so it is not used as a key", hint)
    if found.st_uid not in (os.geteuid(), 0):
        raise Failure(f"{path} belongs to somebody else, so it is not used as a key", hint)
    if found.st_mode & 0o077:
        raise Failure(f"others can read {path} (mode {found.st_mode & 0o777:03o}), so it is not used as a key", hint)
