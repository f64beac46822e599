"""Certificates for the proxy, and what containers are to believe: made where they are due, then put on the Docker host."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.found import DUE
from dusty_tasks.core.plan.push_changes import BELIEVED, unused_certificates
from dusty_tasks.core.stack.https import permitted
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import AUTHORITY_FILE, BUNDLE_FILE, CERTIFICATES_THERE, TRUST_THERE
from dusty_tasks.effects.docker_host.files import PRIVATE, read_host_json
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.home import certificates
from dusty_tasks.effects.observe.docker_host import CERTIFICATES_PUSHED
from dusty_tasks.operations.machine.consent import Consent, Item

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.look import View

LIBRARY = Item("https", "install the Python package cryptography beside Dusty, to make certificates for https")


def push_certificates(host: DockerHost, view: View, consent: Consent) -> None:
    """Make what is due, and put all of it on the Docker host; the authority's key stays here. Raises Failure."""
    folder, wanted = session.paths().https, view.wanted.https or {}
    digests = certificates.read_digests(folder, wanted)
    due = [name for name, text in digests.items() if text.startswith(DUE)]
    if due:
        ensure_library(consent)
        make(folder, wanted, due)
        digests = certificates.read_digests(folder, wanted)
    host.files.remove(CERTIFICATES_PUSHED)
    for id in wanted:
        host.files.write(f"{CERTIFICATES_THERE}/{id}.key", read_bytes(f"{folder}/leaf/{id}.key") or b"", PRIVATE)
        host.files.write(f"{CERTIFICATES_THERE}/{id}.pem", read_bytes(f"{folder}/leaf/{id}.pem") or b"")
    host.files.write(f"{TRUST_THERE}/{AUTHORITY_FILE}", read_bytes(f"{folder}/{AUTHORITY_FILE}") or b"")
    host.files.write(f"{TRUST_THERE}/{BUNDLE_FILE}", certificates.bundle(folder))
    # Until nginx has loaded the new ones, it may be started with the former.
    former = {id: digest for id, digest in view.found.certificates.items() if id not in digests}
    host.files.write(CERTIFICATES_PUSHED, json.dumps({**former, **digests}).encode(), PRIVATE)


def remove_unused(host: DockerHost, view: View) -> None:
    """Remove the certificates, with their keys, of names that the stack no longer has; here and on the Docker host. Raises Failure."""
    remove_pushed(host, unused_certificates(view.wanted, view.found))
    from dusty_tasks.operations.worlds.others import certificates_of_others

    certificates.remove_others(session.paths().https, {*(view.wanted.https or {}), *certificates_of_others()})


def remove_pushed(host: DockerHost, ids: Collection[str] | None = None) -> None:
    """Remove these certificates, with their keys, from the Docker host; without `ids`, all. Raises Failure."""
    pushed = read_host_json(host, CERTIFICATES_PUSHED)
    gone = [id for id in pushed if id not in BELIEVED] if ids is None else ids
    for id in gone:
        for suffix in (".key", ".pem"):
            host.files.remove(f"{CERTIFICATES_THERE}/{id}{suffix}")
    if pushed:
        kept = {id: digest for id, digest in pushed.items() if id not in gone}
        host.files.write(CERTIFICATES_PUSHED, json.dumps(kept).encode(), PRIVATE)


def make(folder: str, wanted: dict[str, list[str]], due: list[str]) -> None:
    """Make the authority, where that is due, and the certificates that are. Raises Failure."""
    from dusty_tasks.effects.home import signing

    notes = certificates.read_notes(folder)
    authority, signed = notes.authority, dict(notes.signed)
    if AUTHORITY_FILE in due or authority is None:
        names = [name for each in wanted.values() for name in each]
        before = authority.permitted if authority else ()
        is_first = authority is None
        authority = signing.make_authority(folder, sorted({*permitted(names), *before}))
        say(
            f"created a certificate authority for this machine; browsers warn about its certificates until {DUSTY} trust install"
            if is_first
            else f"the certificate authority may now sign for {', '.join(authority.permitted)}: {DUSTY} trust install updates the stores"
        )
    for id, names in wanted.items():
        if id in due or id not in signed or signed[id].key_digest != authority.key_digest:
            signed[id] = signing.sign(folder, id, names)
    from dusty_tasks.operations.worlds.others import certificates_of_others

    kept = {*wanted, *certificates_of_others()}
    certificates.write_notes(folder, certificates.Notes(authority, {id: signed[id] for id in signed if id in kept}))


def ensure_library(consent: Consent) -> None:
    """Have the library that makes certificates, installed if that is agreed to. Raises Failure."""
    from importlib.util import find_spec

    if find_spec("cryptography"):
        return
    from dusty_tasks import bootstrap

    requirements = bootstrap.ROOT / "requirements-https.txt"
    is_checkout = os.path.realpath(sys.prefix) == os.path.realpath(bootstrap.ROOT / ".venv") and requirements.is_file()
    hint = f"pip install 'dusty[https]', where Dusty is installed; or {DUSTY} config set https off"
    what = "https needs the Python package cryptography, which is not installed"
    if not is_checkout:
        raise Failure(what, hint)
    if not consent.to(LIBRARY):
        raise Failure(what, f"{DUSTY} up --yes installs it; or {DUSTY} config set https off")
    if bootstrap.main([requirements.name]):
        raise Failure("the Python package cryptography could not be installed", hint, code=2)
    import importlib

    importlib.invalidate_caches()
