"""Making the certificate authority and what it signs, with the library `cryptography`. Nothing else imports that one."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.paths import AUTHORITY_FILE
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.home.certificates import KEY_FILE, Authority, Signed, refuse_open_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, Name

LEAF_DAYS = 365
"""Browsers take at most 398 days; with the day before, for clocks that are slow, it is 366."""
RENEWED_BEFORE = 30
AUTHORITY_DAYS = 3650
AUTHORITY_RENEWED_BEFORE = 400
"""Longer than what it signs lasts."""


def make_authority(folder: str, permitted: Sequence[str]) -> Authority:
    """Make the authority's certificate, with the key that is there or a new one; it can sign for `permitted` and what is below, nothing else.

    Raises Failure for a key that others can read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    refuse_open_key(folder)
    key = _read_key(f"{folder}/{KEY_FILE}") or _new_key(f"{folder}/{KEY_FILE}")
    # What signs later finds it by this name, so a certificate that permits more has the same.
    known = read_bytes(f"{folder}/{AUTHORITY_FILE}")
    name = x509.load_pem_x509_certificate(known).subject if known else _name_of_authority()
    everywhere = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    constraints = x509.NameConstraints(
        [x509.DNSName(each) for each in permitted], list(map(x509.IPAddress, everywhere))
    )
    builder = (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(constraints, critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    write_atomically(f"{folder}/{AUTHORITY_FILE}", _pem(certificate), 0o644)
    until = certificate.not_valid_after_utc.timestamp()
    renew = until - AUTHORITY_RENEWED_BEFORE * 86400
    return Authority(_digest(key), tuple(permitted), until, renew, certificate.fingerprint(hashes.SHA256()).hex())


def sign(folder: str, id: str, names: Sequence[str]) -> Signed:
    """Make a key and a certificate for exactly `names`. Raises Failure for an authority's key that others can read."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    refuse_open_key(folder)
    key = _read_key(f"{folder}/{KEY_FILE}")
    authority = x509.load_pem_x509_certificate(read_bytes(f"{folder}/{AUTHORITY_FILE}") or b"")
    assert key is not None
    own = _new_key(f"{folder}/leaf/{id}.key")
    # A common name has 64 characters at most; nobody looks at it where there are names.
    title = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Dusty development certificate")])
    builder = (
        _builder(title, authority.subject, own, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    data = _pem(certificate)
    write_atomically(f"{folder}/leaf/{id}.pem", data, 0o644)
    until = certificate.not_valid_after_utc.timestamp()
    return Signed(hashlib.sha256(data).hexdigest(), _digest(key), until, until - RENEWED_BEFORE * 86400)


def _builder(subject: Name, issuer: Name, key: EllipticCurvePrivateKey, days: int) -> CertificateBuilder:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**given: bool) -> Any:
    from cryptography import x509

    kinds: Iterable[str] = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{kind: given.get(kind, False) for kind in kinds})


def _name_of_authority() -> Name:
    """Unique, so that the authorities of two homes, or of one that was made anew, are never taken for each other."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    title = f"Dusty on {socket.gethostname()[:30]} {os.urandom(4).hex()}"
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Dusty development authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, title),
        ]
    )


def _new_key(path: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_atomically(path, key.private_bytes(*form), 0o600)
    return key


def _read_key(path: str) -> EllipticCurvePrivateKey | None:
    from cryptography.hazmat.primitives import serialization

    data = read_bytes(path)
    key: Any = serialization.load_pem_private_key(data, None) if data else None
    return key


def _digest(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key.public_key().public_bytes(*form)).hexdigest()


def _pem(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)
