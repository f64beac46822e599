"""The certificate authority and what it signs, judged by openssl."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from dusty_tasks.core.plan.found import DUE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home import certificates, signing

PERMITTED = ("localhost", "test", "shop.example.org")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    signing.make_authority(str(tmp_path / "https"), PERMITTED)
    return str(tmp_path / "https")


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=False).stdout


def verified(folder: str, id: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", f"{folder}/ca.pem", f"{folder}/leaf/{id}.pem"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_certificate_is_for_its_names_and_lasts_less_than_398_days(folder: str) -> None:
    signed = signing.sign(folder, "one", ["web.test", "shop.example.org"])
    assert verified(folder, "one").returncode == 0
    names = openssl("x509", "-in", f"{folder}/leaf/one.pem", "-noout", "-ext", "subjectAltName")
    assert names.split("\n")[1].strip() == "DNS:web.test, DNS:shop.example.org"
    assert 360 < (signed.until - time.time()) / 86400 < 397
    assert 29 < (signed.until - signed.renew) / 86400 < 31
    for name in ("leaf/one.key", "ca.key"):
        assert Path(folder, name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["example.com", "example.org", "other.example.org", "test.com", "mytest"])
def test_whoever_has_the_key_cannot_make_a_certificate_for_another_name(folder: str, name: str) -> None:
    signing.sign(folder, "forged", [name])
    assert "permitted subtree violation" in verified(folder, "forged").stderr
    signing.sign(folder, "mixed", ["web.test", name])
    assert "permitted subtree violation" in verified(folder, "mixed").stderr


def test_an_authority_for_more_names_keeps_what_was_signed(folder: str) -> None:
    signing.sign(folder, "one", ["web.test"])
    former = Path(folder, "ca.pem").read_bytes()
    signing.make_authority(folder, (*PERMITTED, "more.example.org"))
    assert Path(folder, "ca.pem").read_bytes() != former and verified(folder, "one").returncode == 0


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_key_that_others_can_read_is_refused(folder: str, mode: int) -> None:
    Path(folder, "ca.key").chmod(mode)
    for act in (lambda: signing.sign(folder, "one", ["web.test"]), lambda: signing.make_authority(folder, PERMITTED)):
        with pytest.raises(Failure, match=f"others can read .*ca.key .mode {mode:03o}"):
            act()
    assert not Path(folder, "leaf").exists()


def test_a_link_in_place_of_the_key_is_refused(folder: str, tmp_path: Path) -> None:
    Path(folder, "ca.key").rename(tmp_path / "moved")
    Path(folder, "ca.key").symlink_to(tmp_path / "moved")
    with pytest.raises(Failure, match="not a regular file"):
        signing.sign(folder, "one", ["web.test"])


def test_what_is_to_be_made_and_why(folder: str) -> None:
    wanted = {"one": ["web.test"]}
    assert "no certificate authority" in certificates.read_digests(folder, wanted)["one"]
    authority = signing.make_authority(folder, PERMITTED)
    signed = signing.sign(folder, "one", wanted["one"])

    def digest(name: str, authority: certificates.Authority = authority, **changed: object) -> str:
        certificates.write_notes(folder, certificates.Notes(authority, {"one": signed._replace(**changed)}))
        return certificates.read_digests(folder, wanted)[name]

    assert digest("one") == signed.digest and digest("ca.pem") == authority.fingerprint
    assert digest("one", renew=time.time() - 1) == f"{DUE}a certificate expires soon"
    assert digest("one", key_digest="x") == f"{DUE}the certificate authority has changed"
    assert digest("ca.pem", authority._replace(renew=0.0)) == f"{DUE}the certificate authority expires soon"
    assert "may not sign for web.test yet" in digest("ca.pem", authority._replace(permitted=("localhost",)))
    Path(folder, "leaf/one.key").unlink()
    assert digest("one") == f"{DUE}names are new"
    Path(folder, "notes.json").write_text("[]")
    assert all(text.startswith(DUE) for text in certificates.read_digests(folder, wanted).values())


def test_what_was_signed_for_other_names_is_removed_with_its_notes(folder: str) -> None:
    signed = {id: signing.sign(folder, id, ["web.test"]) for id in ("one", "two")}
    certificates.write_notes(folder, certificates.Notes(signing.make_authority(folder, PERMITTED), signed))
    certificates.remove_others(folder, {"two": ["web.test"]})
    assert sorted(path.name for path in Path(folder, "leaf").iterdir()) == ["two.key", "two.pem"]
    notes = certificates.read_notes(folder)
    assert list(notes.signed) == ["two"] and notes.authority and Path(folder, "ca.key").exists()
    certificates.remove_others(f"{folder}/nowhere", ())
