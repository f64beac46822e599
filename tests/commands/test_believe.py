"""How a start script makes the stack's authority known to what an image has: layouts of Debian, Alpine, Fedora, a bundle alone, nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "templates/commands/believe.sh").read_text()
SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]
CA = "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n"
TOOLS = ("cksum", "head", "mkdir", "cp", "sed", "cat", "rm")


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    return Image(tmp_path, request.param)


class Image:
    """A folder in place of a container's root, and a PATH of its own."""

    def __init__(self, root: Path, shell: list[str]) -> None:
        self.root, self.shell = root, [shutil.which(shell[0]) or "", *shell[1:]]
        for name in ("bin", ".dusty", "dusty_https"):
            (root / name).mkdir()
        for tool in TOOLS:
            (root / "bin" / tool).symlink_to(shutil.which(tool) or "")
        (root / "dusty_https/ca.pem").write_text(CA)

    def has(self, program: str, status: int = 0) -> None:
        path = self.root / "bin" / program
        path.write_text(f'#!/bin/sh\necho "{program} $*" >>{self.root}/called\nexit {status}\n')
        path.chmod(0o755)

    def file(self, path: str, text: str = "theirs\n") -> Path:
        found = self.root / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found

    def start(self) -> list[str]:
        """What was called, and where the authority was put."""
        (self.root / "called").unlink(missing_ok=True)
        text = re.sub(r"(?<![\w.])/(?=dusty_https|\.dusty|usr/|etc/)", f"{self.root}/", TEXT)
        done = subprocess.run(
            [*self.shell, "-c", f"set -e\n{text}"], env={"PATH": f"{self.root}/bin"}, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        called = self.root / "called"
        return called.read_text().splitlines() if called.exists() else []

    @property
    def believed(self) -> str:
        return (self.root / ".dusty/believed").read_text().splitlines()[1].replace(str(self.root), "").strip()


@pytest.mark.parametrize(
    ("program", "file", "called"),
    [
        ("update-ca-certificates", "usr/local/share/ca-certificates/dusty.crt", "update-ca-certificates "),
        ("update-ca-trust", "etc/pki/ca-trust/source/anchors/dusty.pem", "update-ca-trust extract"),
    ],
)
def test_what_the_image_has_for_it_is_used_once(image: Image, program: str, file: str, called: str) -> None:
    image.has(program)
    assert image.start() == [called] and image.believed == program
    assert (image.root / file).read_text() == CA
    assert image.start() == []
    (image.root / "dusty_https/ca.pem").write_text(CA.replace("ours", "another"))
    assert image.start() == [called] and "another" in (image.root / file).read_text()


@pytest.mark.parametrize(
    "path", ["etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/cert.pem"]
)
def test_a_bundle_alone_gets_it_at_its_end_once(image: Image, path: str) -> None:
    bundle = image.file(path)
    image.start()
    assert bundle.read_text() == f"theirs\n# Dusty begins\n{CA}# Dusty ends\n" and image.believed == f"/{path}"
    (image.root / "dusty_https/ca.pem").write_text(CA.replace("ours", "another"))
    image.start()
    assert bundle.read_text().count("BEGIN") == 1 and "another" in bundle.read_text()


def test_a_tool_that_fails_leaves_the_bundle(image: Image) -> None:
    image.has("update-ca-certificates", 1)
    bundle = image.file("etc/ssl/certs/ca-certificates.crt")
    image.start()
    assert CA in bundle.read_text() and image.believed == "/etc/ssl/certs/ca-certificates.crt"


def test_java_gets_it_too_and_an_image_with_nothing_starts(image: Image) -> None:
    assert image.start() == [] and image.believed == ""
    (image.root / ".dusty/believed").unlink()
    image.has("keytool")
    removed, added = image.start()
    assert "-delete -cacerts" in removed and "-importcert" in added and image.believed == "java"
    (image.root / "dusty_https/ca.pem").unlink()
    assert image.start() == []
