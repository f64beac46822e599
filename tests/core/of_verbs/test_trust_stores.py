"""The commands that put the authority into a machine's stores, and take it away."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.trust_stores import ARCH, DEBIAN, FEDORA, FORGET, Looked, as_one_command, stores

CA = "/home/me/.dusty/https/ca.pem"


def words(looked: Looked) -> dict[str, tuple[str, str]]:
    """Store -> what is run to trust, and to forget, as text."""
    return {
        store.name: (
            " && ".join(" ".join(command) for command in store.add),
            " && ".join(" ".join(command) for command in store.remove),
        )
        for store in stores(looked, CA, "1a2b3c4d")
    }


@pytest.mark.parametrize(
    ("looked", "add", "remove"),
    [
        (
            Looked("linux", [DEBIAN]),
            f"install -m 644 {CA} {DEBIAN}/dusty-1a2b3c4d.crt && update-ca-certificates",
            f"rm -f {DEBIAN}/dusty-1a2b3c4d.crt && update-ca-certificates --fresh"
            f" && sh -c {FORGET} sh /etc/ssl/certs/dusty-1a2b3c4d.pem",
        ),
        (
            Looked("linux", [FEDORA]),
            f"install -m 644 {CA} {FEDORA}/dusty-1a2b3c4d.pem && update-ca-trust extract",
            f"rm -f {FEDORA}/dusty-1a2b3c4d.pem && update-ca-trust extract",
        ),
        (
            Looked("linux", [ARCH]),
            f"install -m 644 {CA} {ARCH}/dusty-1a2b3c4d.crt && trust extract-compat",
            f"rm -f {ARCH}/dusty-1a2b3c4d.crt && trust extract-compat",
        ),
        (
            Looked("darwin", []),
            f"security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {CA}",
            f"security remove-trusted-cert -d {CA}",
        ),
    ],
)
def test_each_system_has_its_own_way(looked: Looked, add: str, remove: str) -> None:
    assert words(looked) == {"system": (add, remove)}


def test_browsers_and_java_are_further_stores_under_a_name_of_this_home() -> None:
    found = words(Looked("linux", [], ["/home/me/.pki/nssdb"], True, "/jdk/bin/keytool"))
    assert found["browsers:/home/me/.pki/nssdb"] == (
        f"certutil -A -d sql:/home/me/.pki/nssdb -n dusty-1a2b3c4d -t C,, -i {CA}",
        "certutil -D -d sql:/home/me/.pki/nssdb -n dusty-1a2b3c4d",
    )
    add, remove = found["java"]
    assert f"-alias dusty-1a2b3c4d -file {CA}" in add and "-delete -cacerts" in remove
    assert words(Looked("linux", [], ["/home/me/.pki/nssdb"])) == {}


def test_what_needs_root_is_one_command() -> None:
    assert as_one_command([["install", "a b", "c"], ["update"]]) == ["sudo", "sh", "-c", "install 'a b' c && update"]
