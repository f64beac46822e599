"""`dusty dump`: one archive, and no secret in it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from chosen import Chosen
from engines import Engine, engine

from dusty_tasks.cli.main import main
from dusty_tasks.effects.engine import reads
from dusty_tasks.verbs import dump

__all__ = ["engine"]

SECRETS = {
    "set": "s3t-by-env-verb",
    "spec": "fr0m-the-compose-file",
    "caller": "fr0m-the-caller-of-up",
    "asset": "l1ne-of-an-asset",
    "url": "pa55-in-url",
    "token": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
}


@pytest.fixture
def leaky(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Chosen:
    """Every place that can hold a secret holds one, and the log of an app prints them all."""
    assert dusty("env", "set", "web", "A", SECRETS["set"]).code == 0
    key = dusty.home.parent / "key"
    key.write_text(f"-----BEGIN-----\n{SECRETS['asset']}\n")
    assert dusty("assets", "set", "WEB_KEY", str(key)).code == 0
    monkeypatch.setenv("FROM_CALLER", SECRETS["caller"])
    (dusty.home / "build").mkdir(exist_ok=True)
    (dusty.home / "build/docker-compose.yml").write_text(
        json.dumps(
            {
                "services": {
                    "web": {
                        "environment": {"PASSWORD": SECRETS["spec"], "FROM_CALLER": None, "SHORT": "xy"},
                        "image": f"https://me:{SECRETS['url']}@reg/x",
                    }
                }
            }
        )
    )
    (dusty.home / "state").mkdir(exist_ok=True)
    (dusty.home / "state/bug-1.log").write_text(
        f"Traceback: {SECRETS['url']} https://u:{SECRETS['url']}@x {SECRETS['token']}".replace(SECRETS["url"], "x", 1)
    )
    monkeypatch.setattr(
        reads,
        "read_last_lines",
        lambda *_words: "\n".join(f"saw {secret}" for secret in SECRETS.values() if secret != SECRETS["url"]),
    )
    return dusty


def content(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read().decode() for member in archive}


def test_no_secret_is_in_it_and_names_are(leaky: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(leaky.home.parent))
    ended = leaky("dump", str(tmp_path / "d.tar.gz"))
    assert ended.code == 0, ended.err
    texts = content(tmp_path / "d.tar.gz")
    whole = "\n".join(texts.values())
    assert {name for name, secret in SECRETS.items() if secret in whole} == set()
    assert str(leaky.home.parent) not in whole and "xy" not in texts["dusty-dump/build/docker-compose.yml"]
    assert (
        "A: <redacted>" in texts["dusty-dump/config.yml"]
        and "PASSWORD: <redacted>" in texts["dusty-dump/build/docker-compose.yml"]
    )
    assert texts["dusty-dump/logs/web.txt"].count("<redacted>") == 5


def test_the_manifest_has_the_checksums(leaky: Chosen, tmp_path: Path) -> None:
    leaky("dump", str(tmp_path / "d.tar.gz"))
    texts = content(tmp_path / "d.tar.gz")
    listed = json.loads(texts.pop("dusty-dump/manifest.json"))["files"]
    assert {f"dusty-dump/{name}": digest for name, digest in listed.items()} == {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()
    }


def test_a_folder_gets_a_file_with_the_time_only_its_owner_may_read(leaky: Chosen, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    leaky("dump", str(tmp_path / "to"))
    (path,) = (tmp_path / "to").glob("dusty-dump-*.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600


def test_on_a_healthy_home_nothing_is_missing(
    dusty: Chosen, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dusty("bundles", "activate", "shop").code == 0 and main(["compile"]) == 0
    monkeypatch.setattr(reads, "read_last_lines", lambda *_words: "a line")
    assert dusty("dump", str(tmp_path / "d.tar.gz")).code == 0
    texts = content(tmp_path / "d.tar.gz")
    assert {name: text for name, text in texts.items() if "not available" in text} == {}
    assert {
        "versions.txt",
        "doctor.txt",
        "config.yml",
        "plan.txt",
        "engine.json",
        "containers.json",
        "validate.txt",
        "journal.jsonl",
        "build/docker-compose.yml",
        "build/hosts",
        "build/nginx.conf",
        "logs/web.txt",
    } <= {name.removeprefix("dusty-dump/") for name in texts}
    assert not texts["dusty-dump/plan.txt"].startswith("unknown")
    assert (
        "python 3." in texts["dusty-dump/versions.txt"]
        and "image: busybox:1" in texts["dusty-dump/build/docker-compose.yml"]
    )


def test_a_bug_in_one_part_is_told_with_its_place_and_costs_no_other_part(
    dusty: Chosen, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise KeyError("unforeseen")

    monkeypatch.setattr(dump, "plan", broken)
    assert dusty("dump", str(tmp_path / "d.tar.gz")).code == 0
    texts = content(tmp_path / "d.tar.gz")
    assert (
        texts["dusty-dump/plan.txt"].startswith("not available: Traceback")
        and "in broken" in texts["dusty-dump/plan.txt"]
    )
    assert "python 3." in texts["dusty-dump/versions.txt"]


def test_what_cannot_be_had_is_its_reason(dusty: Chosen, engine: Engine, tmp_path: Path) -> None:
    engine.is_down = True
    dusty.write("apps/web.yml", "{")
    assert dusty("dump", str(tmp_path / "d.tar.gz")).code == 0
    texts = content(tmp_path / "d.tar.gz")
    assert (
        texts["dusty-dump/engine.json"].startswith("not available: the Docker engine")
        and "apps/web.yml" in texts["dusty-dump/validate.txt"]
    )


def test_bad_words(dusty: Chosen, engine: Engine) -> None:
    assert dusty("dump", "a", "b").code == 1
    ended = dusty("dump", "/proc/d.tar.gz")
    assert ended.code == 2 and "cannot be written" in ended.err


def test_without_a_path_it_lies_in_no_repo_and_a_given_folder_must_exist(
    leaky: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")
    assert leaky("dump").code == 0
    assert list((tmp_path / "repo").iterdir()) == []
    (archive,) = (leaky.home / "dumps").iterdir()
    assert archive.name.startswith("dusty-dump-") and archive.stat().st_mode & 0o777 == 0o600
    assert leaky("dump", ".").code == 0 and len(list((tmp_path / "repo").iterdir())) == 1
    for word in ("nosuch/d.tar.gz", "nosuch/"):
        ended = leaky("dump", word)
        assert ended.code == 1 and "nosuch: no such folder" in ended.err and not (tmp_path / "repo/nosuch").exists()
