"""`dusty disk`: it lists, asks, and takes only what is Dusty's; bad words change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen
from engines import DB, OLD, WEB, Engine, engine

from dusty_tasks.effects.code.kept import KeptSet
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.engine import persist
from dusty_tasks.verbs import disk

__all__ = ["engine"]

OURS = {"com.docker.compose.project": "dusty"}
USAGE = {
    "Containers": [
        {
            "Id": "c-old",
            "Names": ["/dusty_old_1"],
            "State": "exited",
            "ImageID": "i-old",
            "Labels": OURS,
            "SizeRw": 2048,
        },
        {"Id": "c-web", "Names": ["/dusty_web_1"], "State": "running", "ImageID": "i-web", "Labels": OURS},
        {"Id": "c-x", "Names": ["/theirs"], "State": "exited", "ImageID": "i-x", "Labels": {}},
    ],
    "Images": [
        {"Id": "i-redis", "RepoTags": ["redis:7"], "Size": 1024, "Labels": None},
        {"Id": "i-theirs", "RepoTags": ["theirs:1"], "Size": 9, "Labels": None},
    ],
    "Volumes": None,
}


@pytest.fixture
def used(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine.answers["/system/df"] = USAGE
    monkeypatch.setattr(persist.os, "geteuid", lambda: 0)
    (dusty.home / "host/persist/db").mkdir(parents=True)
    (dusty.home / "host/persist/db/f").write_text("data")
    return engine


def test_inspect_shows_what_is_dustys_and_persist_by_folder(dusty: Chosen, used: Engine) -> None:
    ended = dusty("disk")
    assert (
        ended.code == 0
        and "dusty_old_1" in ended.out
        and "redis:7" in ended.out
        and "persist    db" in ended.out
        and "theirs" not in ended.out
    )
    found = json.loads(dusty("disk", "inspect", "--json").out)
    assert set(found["persist"]) == {"db"} and {item["name"] for item in found["items"]} == {
        "dusty_old_1",
        "dusty_web_1",
        "redis:7",
    }


def test_what_a_sync_kept_has_the_short_name_of_its_repo(
    dusty: Chosen, used: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [
        KeptSet(repo, "20261128-120000", 2048)
        for repo in ("git.example/a/shop", "git.example/b/shop", "git.example/a/web")
    ]
    monkeypatch.setattr(disk, "read_sets", lambda _host: kept)
    said = dusty("disk").out
    assert "sync web --restore 20261128-120000" in said and "sync git.example/b/shop --restore" in said


@pytest.mark.parametrize("action", ["cleanup_containers", "cleanup_images"])
def test_nothing_goes_without_an_answer(dusty: Chosen, used: Engine, action: str) -> None:
    ended = dusty("disk", action)
    assert ended.code == 1 and "run it again with --yes" in ended.err and used.asked == []


def test_ended_containers_go_with_their_anonymous_volumes(dusty: Chosen, used: Engine) -> None:
    ended = dusty("disk", "--yes", "cleanup_containers")
    assert (
        ended.code == 0
        and used.asked == ["DELETE /containers/c-old?v=True&link=False&force=True"]
        and "2.0 KiB" in ended.out
    )


def test_unused_images_of_the_specs_go(dusty: Chosen, used: Engine) -> None:
    assert dusty("disk", "cleanup_images", "-y").code == 0
    assert used.asked == ["DELETE /images/redis:7?force=False&noprune=False"]


def test_with_broken_specs_only_what_is_surely_ours_goes(dusty: Chosen, used: Engine) -> None:
    dusty.write("apps/web.yml", "{")
    ended = dusty("disk", "cleanup_images", "--yes")
    assert ended.code == 0 and "no images to clean up" in ended.out and "specs cannot be read" in ended.err


def test_what_somebody_began_to_use_stays_and_is_said(
    dusty: Chosen, used: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object, method: str, path: str, **_named: object) -> bytes:
        raise EngineRefused(409, "image is being used by running container 1234")

    monkeypatch.setattr("dusty_tasks.effects.engine.http.Engine.request", refuse)
    ended = dusty("disk", "cleanup_images", "--yes")
    assert ended.code == 2 and "redis:7 stays: image is being used" in ended.err


def test_a_backup_comes_back(dusty: Chosen, used: Engine, tmp_path: Path) -> None:
    used.containers = [OLD]
    ended = dusty("disk", "backup", str(tmp_path / "to/here"))
    assert ended.code == 0 and ended.err == ""
    (path,) = (tmp_path / "to/here").glob("dusty-backup-*.tar.gz")
    (dusty.home / "host/persist/db/f").write_text("spoilt")
    assert dusty("disk", "restore", str(path)).code == 1, "asks first"
    assert (dusty.home / "host/persist/db/f").read_text() == "spoilt"
    assert dusty("disk", "restore", str(path), "--yes").code == 0
    assert (dusty.home / "host/persist/db/f").read_text() == "data"


def test_running_containers_are_a_warning_for_backup_and_an_end_for_restore(
    dusty: Chosen, used: Engine, tmp_path: Path
) -> None:
    used.containers = [WEB, DB]
    assert "db, web are running" in dusty("disk", "backup", str(tmp_path / "b")).err
    (path,) = (tmp_path / "b").iterdir()
    ended = dusty("disk", "restore", str(path), "--yes")
    assert ended.code == 1 and "db, web are running" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["foo"], 'unknown argument "foo"'),
        (["backup"], "disk backup needs a folder"),
        (["restore"], "disk restore needs an archive"),
        (["restore", "/nosuch.tar.gz"], "/nosuch.tar.gz: no such file"),
        (["inspect", "x"], "unexpected argument"),
        (["backup", "/etc/hostname"], "is not a folder that can be written to"),
        (["restore", "/etc/hostname"], "is damaged, or not a backup"),
    ],
)
def test_bad_words(dusty: Chosen, used: Engine, words: list[str], said: str) -> None:
    ended = dusty("disk", *words, "--yes")
    assert ended.code == 1 and said in ended.err and used.asked == []


def test_no_engine(dusty: Chosen, used: Engine) -> None:
    used.is_down = True
    for words in (["inspect"], ["cleanup_containers", "--yes"], ["backup", str(dusty.home / "b")]):
        ended = dusty("disk", *words)
        assert ended.code == 2 and "does not answer" in ended.err
