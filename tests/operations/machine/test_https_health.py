"""What `doctor` says of https."""

from __future__ import annotations

from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING
from dusty_tasks.core.of_verbs.trust_stores import Store
from dusty_tasks.effects.home import certificates, signing
from dusty_tasks.operations.machine import authority, https_health


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nothing-here.sock")
    (tmp_path / "config.yml").write_text("https: on\n")
    session.forget()
    return tmp_path


def test_the_key_the_certificates_and_the_stores_are_looked_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.state for finding in https_health.findings()] == [WARNING]
    folder = str(home / "https")
    made, signed = signing.make_authority(folder, ("test",)), signing.sign(folder, "one", ["web.test"])
    certificates.write_notes(folder, certificates.Notes(made, {"one": signed}))
    monkeypatch.setattr(authority, "places", list)
    assert [finding.state for finding in https_health.findings()] == [OK]
    certificates.write_notes(folder, certificates.Notes(made, {"one": signed._replace(until=1.0)}))
    (finding,) = https_health.findings()
    assert finding.state == FAILED and finding.what == "a certificate expired on 1970-01-01"
    (home / "https/ca.key").chmod(0o644)
    assert "others can read" in https_health.findings()[0].what
    (home / "config.yml").write_text("https: off\n")
    session.forget()
    assert https_health.findings() == []
    store = Store("system", "this system", (), (), needs_root=True)
    monkeypatch.setattr(authority, "places", lambda: [authority.Place(store, "trusted")])
    (finding,) = https_health.findings()
    assert finding.state == WARNING and "still trusted by this system" in finding.what and "uninstall" in finding.mend
