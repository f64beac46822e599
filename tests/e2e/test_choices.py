"""What the verbs that choose store (bundles, env, assets, config) arrives in containers with the next `up`, and with it alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from stacks import PORT, SmallStack, changes

ASSETS = "assets: [{name: WEB_KEY, path: /etc/web/key}, {name: MAYBE, path: /etc/maybe, required: false}]\n"


def stack_in(rig, folder: Path) -> SmallStack:
    stack = SmallStack(folder, rig.home)
    stack.app("web", services="[cache]", more=ASSETS)
    stack.app("shop")
    stack.bundle("more", apps="[shop]")
    (folder / "key").write_text("first\n")
    return stack


def up_in(rig, folder: Path) -> SmallStack:
    stack = stack_in(rig, folder)
    rig.dusty("assets", "set", "WEB_KEY", str(stack.folder / "key"))
    rig.dusty("up")
    return stack


@pytest.fixture
def stack(rig, tmp_path):
    """A small stack whose app needs an asset; not up yet."""
    return stack_in(rig, tmp_path)


@pytest.fixture
def running(rig, standing):
    """The same with its asset, up."""
    return standing(lambda folder: up_in(rig, folder))


def in_web(rig, *words: str) -> str:
    return rig.run(["docker", "exec", "dusty_web_1", *words]).stdout


def id_of(rig, name: str) -> str:
    return rig.container_ids()[name].split()[0]


def test_a_required_asset_is_asked_for_before_any_docker_work(rig, stack):
    refused = rig.dusty("up", check=False)
    assert (
        refused.returncode == 1
        and "WEB_KEY" in refused.stderr
        and "web" in refused.stderr
        and "MAYBE" not in refused.stderr
    )
    assert rig.container_ids("") == {}


def test_an_asset_reaches_its_app_and_a_new_one_restarts_it(rig, running):
    assert in_web(rig, "cat", "/etc/web/key") == "first\n"
    before = rig.container_ids()
    (running.folder / "key").write_text("second\n")
    assert rig.dusty("up").stdout.startswith("up to date"), "what counts is the snapshot"
    rig.dusty("assets", "set", "WEB_KEY", str(running.folder / "key"))
    assert in_web(rig, "cat", "/etc/web/key") == "first\n"
    done = rig.dusty("up")
    assert in_web(rig, "cat", "/etc/web/key") == "second\n"
    assert any(line.startswith("restarted web (") and "WEB_KEY" in line for line in changes(done.stdout)), done.stdout
    assert id_of(rig, "dusty_web_1") == before["dusty_web_1"].split()[0]


def test_an_asset_that_is_unset_is_gone_from_its_app_from_volumes_and_from_the_docker_host(rig, running):
    more = "assets: [{name: MAYBE, path: /etc/group, required: false}, {name: VOL, path: /data/key, required: false}]\ncompose: {volumes: ['data:/data']}\n"
    tests = "test: {image: busybox:1, suites: [{name: unit, command: [cat /etc/shop/key]}]}\nassets: [{name: SHOP, path: /etc/shop/key}]\n"
    running.app("web", services="[cache]", more=more)
    running.app("shop", more=tests)
    (running.folder / "key").write_text("t0p-secret\n")
    for key in ("MAYBE", "VOL", "SHOP"):
        rig.dusty("assets", "set", key, str(running.folder / "key"))
    rig.dusty("up")
    assert rig.dusty("test", "shop", "unit").stdout.count("t0p-secret") == 1
    assert in_web(rig, "cat", "/etc/group", "/data/key") == "t0p-secret\n" * 2
    assert rig.dusty("up").stdout.startswith("up to date")
    (rig.home / "state/staged-999999999-x").mkdir()
    (rig.home / "state/staged-999999999-x/KEY").write_text("t0p-secret\n")
    for key in ("MAYBE", "VOL", "SHOP"):
        rig.dusty("assets", "unset", key)
    rig.dusty("env", "set", "web", "ANEW=1")
    done = rig.dusty("up").stdout
    assert "recreated web (" in done and "pushed assets (those of shop, web differed" in done
    assert in_web(rig, "sh", "-c", "grep -c root /etc/group; ls /data") == "1\n"
    rig.dusty("assets", "set", "MAYBE", str(running.folder / "key"))
    rig.dusty("up")
    assert in_web(rig, "cat", "/etc/group") == "t0p-secret\n"
    rig.dusty("assets", "unset", "MAYBE")
    assert "restarted web (asset MAYBE was unset)" in rig.dusty("up").stdout
    assert in_web(rig, "grep", "-c", "root", "/etc/group") == "1\n", "what it covered is back"
    assert rig.run(["grep", "-rl", "t0p-secret", str(rig.home)], check=False).stdout == ""


def test_a_variable_recreates_its_container_and_no_other(rig, running):
    before = rig.container_ids()
    rig.dusty("env", "set", "web", "GREETING=good morning", "EMPTY=")
    assert rig.container_ids() == before
    done = rig.dusty("up")
    assert [line.partition(" (")[0] for line in changes(done.stdout)] == ["recreated web"] and "GREETING" in done.stdout
    assert in_web(rig, "sh", "-c", 'echo "$GREETING|${EMPTY-unset}|"') == "good morning||\n"
    after = rig.container_ids()
    assert after["dusty_cache_1"] == before["dusty_cache_1"] and after["dusty_web_1"] != before["dusty_web_1"]
    assert "up to date" in rig.dusty("up").stdout
    assert holding(rig, b"good morning") == dict.fromkeys(
        ("config.yml", "state/config.json", "state/env/web.env"), 0o600
    )
    assert (
        "good morning"
        not in rig.dusty("plan", "-v").stdout + rig.dusty("why", "web").stdout + rig.dusty("status", "--json").stdout
    )
    rig.dusty("env", "unset", "web", "--all")
    rig.dusty("up")
    assert in_web(rig, "sh", "-c", 'echo "${GREETING-unset}"') == "unset\n"
    assert holding(rig, b"good morning") == {}, "its history is compressed, and of mode 0700"


def holding(rig, secret: bytes) -> dict[str, int]:
    """The files of DUSTY_HOME, host.root included, that hold these bytes, and their modes."""
    return {
        str(path.relative_to(rig.home)): path.stat().st_mode & 0o777
        for path in sorted(rig.home.rglob("*"))
        if path.is_file() and not path.is_symlink() and secret in path.read_bytes()
    }


def test_a_wide_umask_opens_nothing(rig, stack):
    """Nothing that Dusty makes in an own, new DUSTY_HOME may be written by others, and nobody else gets into it."""
    home = stack.folder / "new"
    command = f"umask 000; DUSTY_HOME={home} {sys.executable} -m dusty_tasks config set specs_repo {stack.folder}/specs"
    rig.run(["sh", "-c", f"cd {Path(__file__).resolve().parents[2]} && {command}"])
    assert home.stat().st_mode & 0o777 == 0o700
    rig.run(
        [
            "sh",
            "-c",
            f"umask 000; DUSTY_HOME={rig.home} {Path(__file__).resolve().parents[2]}/dusty assets set WEB_KEY {stack.folder}/key",
        ]
    )
    rig.run(["sh", "-c", f"umask 000; DUSTY_HOME={rig.home} {Path(__file__).resolve().parents[2]}/dusty up"])
    by_dusty = [path for path in rig.home.rglob("*") if not path.is_symlink() and "repos" not in path.parts]
    assert [str(path) for path in by_dusty if path.stat().st_mode & 0o022] == []
    assert (rig.home / "host/persist/.dusty/started.json").stat().st_mode & 0o777 == 0o600


def test_a_variable_without_a_value_is_that_of_the_caller(rig, running):
    (running.folder / "my.env").write_text("FROM_CALLER\n")
    rig.dusty("env", "set", "web", "--file", str(running.folder / "my.env"))
    rig.dusty("up", env={"FROM_CALLER": "mine"})
    assert in_web(rig, "sh", "-c", 'echo "$FROM_CALLER"') == "mine\n"


def test_bundles_come_and_go_with_the_next_up(rig, running):
    before = rig.container_ids()
    rig.dusty("bundles", "activate", "more")
    assert rig.container_ids() == before
    rig.dusty("up")
    assert rig.get(f"http://shop.test:{PORT}/") == (200, "hello from shop\n")
    assert rig.container_ids()["dusty_web_1"] == before["dusty_web_1"]
    rig.dusty("bundles", "deactivate", "more")
    rig.dusty("up")
    assert "dusty_shop_1" not in rig.container_ids("")


def test_undo_takes_back_what_up_then_takes_back(rig, running):
    rig.dusty("env", "set", "web", "A=1")
    rig.dusty("up")
    rig.dusty("config", "undo")
    rig.dusty("up")
    assert in_web(rig, "sh", "-c", 'echo "${A-unset}"') == "unset\n"


def test_version_names_the_engine(rig):
    found = json.loads(rig.dusty("version", "--json").stdout)
    assert found["engine"] and found["compose"] and found["docker"]


def test_what_init_writes_for_a_dockerfile_comes_up(rig, tmp_path):
    here = tmp_path / "pages"
    here.mkdir()
    (here / "Dockerfile").write_text(
        "FROM busybox:1\nCOPY index.html /www/index.html\nEXPOSE 8000\nCMD httpd -f -p 8000 -h /www\n"
    )
    (here / "index.html").write_text("found\n")
    said = rig.dusty("init", "--yes", cwd=here).stdout
    assert f"dusty setup --specs-repo {here}/specs\n" in said
    rig.home.mkdir(parents=True, exist_ok=True)
    (rig.home / "config.yml").write_text(f"specs_repo: {here}/specs\nhosts: {{mode: file}}\n")
    rig.dusty("bundles", "activate", "pages")
    rig.dusty("up")
    assert rig.get("http://pages.test/") == (200, "found\n")
