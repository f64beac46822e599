"""restart, stop, why, status on a real engine; and `up` by a user who may not use sudo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stacks import PORT, SmallStack, changes


def up_in(rig, folder: Path) -> SmallStack:
    stack = SmallStack(folder, rig.home)
    stack.code("base", "lib.txt", "one\n")
    stack.spec("libs/base.yml", f'repo: {folder}/code/base\nmount: /base\ninstall: ["cp lib.txt /lib.txt"]\n')
    stack.spec(
        "apps/web.yml",
        f"""\
repo: {folder}/code/web
mount: /code
image: busybox:1
commands: {{once: ["date +%s%N > /once"], always: ["exec httpd -f -p 80 -h /code"]}}
depends: {{services: [cache], libs: [base]}}
host_forwarding: [{{host_name: web.test, host_port: {PORT}, container_port: 80}}]
""",
    )
    stack.spec(
        "apps/side.yml",
        'image: busybox:1\ncommands: {always: ["sleep 100000"]}\ncompose: {network_mode: "container:web"}\n',
    )
    stack.bundle("shop", apps="[web, side]")
    rig.dusty("up")
    return stack


@pytest.fixture
def running(rig, standing):
    """web and side, which lives in web's network; both hold the lib `base`, which web installs."""
    return standing(lambda folder: up_in(rig, folder))


def in_web(rig, path: str) -> str:
    return rig.run(["docker", "exec", "dusty_web_1", "cat", path]).stdout


def changed_names(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name.removeprefix("dusty_").removesuffix("_1") for name in before if before[name] != after.get(name)}


def test_restart_brings_new_code_and_restarts_who_shares_the_network_without_once(rig, running):
    before, once = rig.container_ids(), in_web(rig, "/once")
    running.code("web", "index.html", "new page\n")
    rig.dusty("restart", "web")
    after = rig.container_ids()
    assert changed_names(before, after) == {"web", "side"}
    assert {name: what.split()[0] for name, what in after.items()} == {
        name: what.split()[0] for name, what in before.items()
    }
    assert in_web(rig, "/once") == once
    assert rig.get(f"http://web.test:{PORT}/") == (200, "new page\n")
    assert rig.dusty("up").stdout.startswith("up to date")
    assert rig.dusty("why", "web").stdout.splitlines()[0].partition(": ")[2] == "dusty restart"


def test_restart_leaves_services_and_the_proxy_alone_unless_asked_and_starts_what_is_needed(rig, running):
    before = rig.container_ids()
    done = rig.dusty("restart")
    assert changed_names(before, rig.container_ids()) == {"web", "side"}
    assert "left alone: cache, the proxy" in done.stdout and "restart --all" in done.stdout
    rig.dusty("restart", "--all")
    assert changed_names(before, rig.container_ids()) == {"web", "side", "cache", "dustyInternalNginx"}
    assert rig.dusty("restart", "--all", "web", check=False).returncode == 1
    rig.dusty("stop")
    assert {*rig.dusty("plan").stdout.splitlines()} == {
        f"start {name}: it was stopped by hand" for name in ("cache", "web", "side", "dustyInternalNginx")
    }
    done = rig.dusty("restart", "web")
    assert done.stdout.splitlines()[:2] == ["started cache: web needs it", "restarted web"]
    assert "the proxy is not running, so no name reaches web" in done.stderr
    assert set(rig.container_ids()) == {"dusty_web_1", "dusty_cache_1"}
    assert rig.dusty("why", "cache").stdout.splitlines()[0].partition(": ")[2] == "dusty restart web, which needs it"
    rig.run(["docker", "rm", "-f", "dusty_cache_1"])
    done = rig.dusty("restart", "web", check=False)
    assert done.returncode == 1 and "web needs cache, which has no container" in done.stderr
    rig.dusty("up")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200 and rig.dusty("up").stdout.startswith("up to date")


def test_restart_by_the_repo_of_a_lib_restarts_its_users_which_install_it_again(rig, running):
    running.code("base", "lib.txt", "two\n")
    before = rig.container_ids()
    rig.dusty("restart", "--repo", "base")
    assert changed_names(before, rig.container_ids()) == {"web", "side"}
    assert in_web(rig, "/lib.txt") == "two\n"


def test_restart_without_sync_keeps_the_copy_and_a_changed_spec_is_only_mentioned(rig, running):
    running.code("web", "index.html", "new page\n")
    path = running.folder / "specs/apps/web.yml"
    path.write_text(path.read_text().replace("busybox:1", "busybox:2"))
    done = rig.dusty("restart", "--no-sync", "web")
    assert "pending changes: run " in done.stdout
    assert rig.get(f"http://web.test:{PORT}/") == (200, "hello from web\n")
    assert rig.run(["docker", "inspect", "--format", "{{.Config.Image}}", "dusty_web_1"]).stdout == "busybox:1\n"


def test_new_code_restarts_who_shares_the_network_after_its_owner(rig, running):
    before = rig.container_ids()
    running.code("web", "index.html", "new page\n")
    printed = changes(rig.dusty("up").stdout)
    assert [line.partition(" (")[0] for line in printed][1:] == ["restarted web", "restarted side"]
    assert changed_names(before, rig.container_ids()) == {"web", "side"}


def test_a_changed_image_recreates_who_shares_the_network_too(rig, running):
    before = rig.container_ids()
    path = running.folder / "specs/apps/web.yml"
    path.write_text(path.read_text().replace("busybox:1", "busybox:2"))
    printed = changes(rig.dusty("up").stdout)
    assert [line.partition(" (")[0] for line in printed] == ["recreated web", "recreated side"]
    assert changed_names(before, rig.container_ids()) == {"web", "side"}
    assert rig.run(["docker", "exec", "dusty_side_1", "wget", "-qO-", "http://127.0.0.1/"]).stdout == "hello from web\n"


def test_stop_and_up_bring_the_same_containers_back(rig, running):
    before = rig.container_ids()
    assert rig.dusty("stop").stdout.splitlines()[0] == "stopped dustyInternalNginx"
    assert rig.container_ids() == {}
    assert "dusty stop` since" in rig.dusty("why", "web").stdout
    rig.dusty("up")
    assert {name: what.split()[0] for name, what in rig.container_ids().items()} == {
        name: what.split()[0] for name, what in before.items()
    }
    rig.dusty("down")
    assert rig.container_ids("") == {}
    rig.dusty("up", "cache")
    assert list(rig.container_ids("")) == ["dusty_cache_1"]
    assert rig.dusty("up", "nosuch", check=False).returncode == 1
    rig.dusty("up", "web")
    assert set(rig.container_ids("")) == {"dusty_cache_1", "dusty_web_1", "dusty_dustyInternalNginx_1"}
    assert rig.dusty("exec", "web", "pwd").stdout == "/code\n"
    rig.dusty("disable", "side")
    rig.dusty("up")
    assert "dusty_side_1" not in rig.container_ids("")
    assert "disabled on this machine: side" in rig.dusty("ps").stdout
    rig.dusty("enable", "side")
    rig.dusty("up")
    assert "dusty_side_1" in rig.container_ids("")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200


def test_stopping_what_has_no_container_is_nothing_to_stop_and_an_unknown_name_stops_nothing(rig, running):
    rig.dusty("stop", "--rm", "side")
    assert rig.dusty("stop", "side").stdout == "nothing to stop\n"
    before = rig.container_ids()
    assert rig.dusty("stop", "web", "nosuch", check=False).returncode == 1
    assert rig.container_ids() == before
    assert rig.dusty("stop", "side", "cache").stdout == "stopped cache\n"


def test_status_says_that_nothing_is_activated_though_containers_run(rig, running):
    (rig.home / "config.yml").write_text(running.config.replace("[shop]", "[]"))
    done = rig.dusty("status")
    assert done.stdout.startswith("bundles: none is activated") and "running" in done.stdout


def test_status_tells_what_runs_and_what_is_pending(rig, running):
    rig.run(["docker", "kill", "dusty_web_1"])
    running.code("web", "index.html", "new page\n")
    facts = json.loads(rig.dusty("status", "--json").stdout)
    web = next(row for row in facts["stack"] if row["name"] == "web")
    assert (web["state"], web["routes"]) == ("exited 137", [f"http://web.test:{PORT}/"])
    assert web["pending"].startswith("restart: ") and "index.html changed" in web["pending"]
    assert facts["docker_host"]["answers"] is True
