"""`dusty uninstall`: what it lists, what it takes, and whose things it leaves alone."""

from __future__ import annotations

import json

import pytest
from chosen import Chosen
from engines import Engine, engine

from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.engine import persist
from dusty_tasks.effects.hosts import helper as helper_install
from dusty_tasks.effects.hosts import section as hosts_file

__all__ = ["engine"]

OURS = {"com.docker.compose.project": "dusty"}


@pytest.fixture
def installed(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Something of everything, but no helper and no hosts section."""
    monkeypatch.setattr(hosts_file, "read_hosts_file", lambda *_path: b"")
    monkeypatch.setattr(helper_install, "installed_paths", list)
    monkeypatch.setattr(persist.os, "geteuid", lambda: 0)
    engine.answers["/system/df"] = {
        "Containers": [
            {
                "Id": "c1",
                "Names": ["/dusty_web_1"],
                "State": "running",
                "Labels": OURS,
                "Mounts": [{"Type": "volume", "Name": "dusty_data"}],
            },
            {"Id": "c2", "Names": ["/theirs"], "Labels": {}, "Mounts": [{"Type": "volume", "Name": "dusty_shared"}]},
        ],
        "Images": [
            {"Id": "i1", "RepoTags": ["dusty-web:latest"], "Labels": {"dusty.context": "x"}},
            {"Id": "i2", "RepoTags": ["redis:7"], "Labels": None},
        ],
        "Volumes": [
            {"Name": f"dusty_{name}", "Labels": OURS, "CreatedAt": "2026-01-01T00:00:00Z"}
            for name in ("data", "cache", "theirs", "shared", "again", "driver")
        ],
    }
    engine.answers["/system/df"]["Volumes"][-1]["CreatedAt"] = ""
    engine.answers["/networks"] = [
        {"Name": "dusty_default", "Id": "n1", "Labels": OURS},
        {"Name": "bridge", "Id": "n2", "Labels": {}},
    ]
    (dusty.home / "host/persist/db").mkdir(parents=True)
    (dusty.home / "state").mkdir(exist_ok=True)
    return engine


def test_it_lists_and_asks(dusty: Chosen, installed: Engine) -> None:
    ended = dusty("uninstall")
    assert (
        ended.code == 1
        and installed.asked == []
        and "dusty_web_1" in ended.out
        and "theirs" not in ended.out
        and "redis" not in ended.out
    )
    assert "run it again with --yes" in ended.err


def test_data_stays_without_purge(dusty: Chosen, installed: Engine) -> None:
    assert dusty("uninstall", "--yes").code == 0
    assert installed.asked == [
        "DELETE /containers/c1?v=True&link=False&force=True",
        "DELETE /networks/n1",
        "DELETE /images/dusty-web:latest?force=True&noprune=False",
    ]
    assert (dusty.home / "host/persist/db").is_dir()


def test_purge_takes_the_data_and_dusty_home_too(dusty: Chosen, installed: Engine) -> None:
    # Noted by `up`: two as they are, one that somebody made anew since, one that a container of somebody else uses, one without a time.
    times = {
        **dict.fromkeys(("dusty_data", "dusty_cache", "dusty_shared"), "2026-01-01T00:00:00Z"),
        "dusty_again": "2025-01-01T00:00:00Z",
        "dusty_driver": "",
    }
    (dusty.home / "host/persist/.dusty").mkdir()
    (dusty.home / "host/persist/.dusty/volumes.json").write_text(json.dumps(times))
    ended = dusty("uninstall", "--purge", "-y")
    assert ended.code == 0 and [asked for asked in installed.asked if "/volumes/" in asked] == [
        "DELETE /volumes/dusty_cache",
        "DELETE /volumes/dusty_data",
    ]
    assert "so it stays: dusty_again, dusty_driver, dusty_shared, dusty_theirs\n" in ended.err
    assert not dusty.home.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"dusty_data": {}}', "torn{"])
def test_a_volume_of_which_nothing_is_noted_stays(dusty: Chosen, installed: Engine, text: str) -> None:
    (dusty.home / "host/persist/.dusty").mkdir()
    (dusty.home / "host/persist/.dusty/volumes.json").write_text(text)
    (dusty.home / "build").mkdir()
    (dusty.home / "build/docker-compose.yml").write_text("services: {}\nvolumes:\n  data: null\n")
    ended = dusty("uninstall", "--purge", "-y")
    assert (
        ended.code == 0
        and not [asked for asked in installed.asked if "/volumes/" in asked]
        and "docker volume rm dusty_again dusty_cache dusty_data" in ended.err
    )


def test_work_in_managed_clones_is_told_before_it_goes(dusty: Chosen, installed: Engine) -> None:
    import subprocess

    clone = dusty.home / "repos/github.com/org/x"
    subprocess.run(["git", "init", "-q", clone], check=True)
    (clone / "mine").write_text("work")
    ended = dusty("uninstall", "--purge")
    assert ended.code == 1 and f"{clone} contains work of yours (dirty)" in ended.err and clone.exists()


@pytest.mark.parametrize("name", ["", "precious"])
def test_a_home_that_is_not_surely_ours_is_not_removed(
    dusty: Chosen, installed: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    home = dusty.home / name if name else dusty.home
    home.mkdir(exist_ok=True)
    (home / "letter").write_text("dear")
    monkeypatch.setenv("HOME", str(dusty.home))
    monkeypatch.setenv("DUSTY_HOME", str(home))
    ended = dusty("uninstall", "--purge", "--yes")
    assert ended.code == 1 and "does not look like a folder of Dusty's own" in ended.err and (home / "letter").exists()


def test_another_owners_things_are_left_alone(dusty: Chosen, installed: Engine) -> None:
    (dusty.home / "host/persist/.dusty").mkdir()
    (dusty.home / "host/persist/.dusty/owner.json").write_text(
        json.dumps({"user": "ann", "home": "/home/ann/.dusty", "machine": "m"})
    )
    ended = dusty("uninstall", "--yes", "--purge")
    assert ended.code == 1 and "belong to ann on m" in ended.err and installed.asked == [] and dusty.home.exists()


def test_no_engine_is_said_and_the_rest_goes(dusty: Chosen, installed: Engine) -> None:
    installed.is_down = True
    ended = dusty("uninstall", "--yes", "--purge")
    assert ended.code == 2 and "does not answer" in ended.err and not dusty.home.exists()


def test_what_cannot_be_removed_is_said_and_the_rest_goes(
    dusty: Chosen, installed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_self: object, method: str, path: str, **_named: object) -> bytes:
        if "networks" in path:
            raise EngineRefused(403, "network has active endpoints")
        installed.asked.append(path)
        return b"[]"

    monkeypatch.setattr("dusty_tasks.effects.engine.http.Engine.request", answer)
    ended = dusty("uninstall", "--yes")
    assert (
        ended.code == 2
        and "network dusty_default stays: network has active endpoints" in ended.err
        and len(installed.asked) == 2
    )


def test_nothing_to_remove(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts_file, "read_hosts_file", lambda *_path: b"")
    monkeypatch.setattr(helper_install, "installed_paths", list)
    engine.containers = []
    assert dusty("uninstall").out.startswith("there is nothing of Dusty's to remove")
