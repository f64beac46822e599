"""The places in which a machine keeps whom it believes, and the commands that put the authority there and take it away. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

JAVA_PASSWORD = "changeit"
"""Of every JDK's own store: no secret, but needed to change it."""


class Store(NamedTuple):
    """One place, and the commands for it."""

    name: str
    """`system`, `java`, or `browsers:` and the folder of an NSS database."""
    title: str
    add: tuple[tuple[str, ...], ...]
    remove: tuple[tuple[str, ...], ...]
    needs_root: bool
    look: tuple[str, ...] = ()
    """Prints the authority's certificate as PEM, if the store has it."""
    file: str = ""
    """Or the file that is the certificate."""


class Looked(NamedTuple):
    """What a machine has, as far as it matters here."""

    system: str
    """The value of sys.platform."""
    folders: Collection[str]
    """Those of KNOWN_FOLDERS that are there."""
    databases: Sequence[str] = ()
    """Folders of NSS databases."""
    has_certutil: bool = False
    keytool: str = ""
    """The path of a JDK's keytool, '' for none."""


DEBIAN, FEDORA, ARCH = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
)
FORGET = 'for hook in /etc/ca-certificates/update.d/*; do [ ! -x "$hook" ] || echo "-$1" | "$hook"; done; :'
"""Debian's Java and others copy what update-ca-certificates adds, and with --fresh are not told of what is gone."""
KNOWN_FOLDERS = (DEBIAN, FEDORA, ARCH)


def stores(looked: Looked, certificate: str, mark: str) -> list[Store]:
    """The stores of a machine; `certificate` is the authority's file, `mark` tells the authority of this home from others."""
    name = f"dusty-{mark}"
    found = [*_system(looked, certificate, name)]
    if looked.keytool:
        java = (looked.keytool, "-cacerts", "-storepass", JAVA_PASSWORD, "-alias", name)
        found.append(
            Store(
                "java",
                f"Java ({looked.keytool})",
                ((java[0], "-importcert", "-noprompt", "-trustcacerts", *java[1:], "-file", certificate),),
                ((java[0], "-delete", *java[1:]),),
                needs_root=True,
                look=(java[0], "-exportcert", "-rfc", *java[1:]),
            )
        )
    if looked.has_certutil:
        for folder in looked.databases:
            at = ("-d", f"sql:{folder}", "-n", name)
            found.append(
                Store(
                    f"browsers:{folder}",
                    f"browsers ({folder})",
                    (("certutil", "-A", *at, "-t", "C,,", "-i", certificate),),
                    (("certutil", "-D", *at),),
                    needs_root=False,
                    look=("certutil", "-L", *at, "-a"),
                )
            )
    return found


def _system(looked: Looked, certificate: str, name: str) -> list[Store]:
    if looked.system == "darwin":
        keychain = "/Library/Keychains/System.keychain"
        add = ("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", keychain, certificate)
        return [
            Store(
                "system", "the system keychain", (add,), (("security", "remove-trusted-cert", "-d", certificate),), True
            )
        ]
    ways = {
        DEBIAN: (
            ".crt",
            ("update-ca-certificates",),
            (("update-ca-certificates", "--fresh"), ("sh", "-c", FORGET, "sh", f"/etc/ssl/certs/{name}.pem")),
        ),
        FEDORA: (".pem", ("update-ca-trust", "extract"), (("update-ca-trust", "extract"),)),
        ARCH: (".crt", ("trust", "extract-compat"), (("trust", "extract-compat"),)),
    }
    for folder, (suffix, update, renew) in ways.items():
        if folder in looked.folders:
            file = f"{folder}/{name}{suffix}"
            put, take = ("install", "-m", "644", certificate, file), ("rm", "-f", file)
            return [Store("system", f"this system ({folder})", (put, update), (take, *renew), True, file=file)]
    return []


def as_one_command(commands: Sequence[Sequence[str]]) -> list[str]:
    """Commands for root as one command of sudo: a password is asked for once."""
    return ["sudo", "sh", "-c", " && ".join(shlex.join(command) for command in commands)]
