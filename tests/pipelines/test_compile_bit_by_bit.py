"""A stack that grew by many small compiles is, to the byte, the one that a first compile makes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from dusty_tasks import session
from dusty_tasks.core.artifacts import rendering as core_compile
from dusty_tasks.core.artifacts.rendering import Rendering, compile_all
from dusty_tasks.core.artifacts.table import ARTIFACTS, Form, Whole
from dusty_tasks.effects.specs.schemas import read_templates
from dusty_tasks.operations.compile.as_checked import AsChecked
from tests.pipelines.test_compile import Room, room
from tests.test_rooms import ROOT

__all__ = ["room"]

START = {
    "bundles/main.yml": "apps: [api, web]\n",
    "bundles/more.yml": "apps: [extra]\n",
    "apps/web.yml": "repo: /src/web\nmount: /web\nimage: busybox:1\ndepends: {services: [redis], apps: [api], libs: [base]}\n"
    "host_forwarding: [{host_name: web.test, host_port: 80, container_port: 1}]\ncommands: {always: [run]}\n"
    "compose: {volumes: [data:/data]}\n",
    "apps/api.yml": "image: busybox:1\nhost_forwarding: [{host_name: api.test, host_port: 80, container_port: 1}]\ncommands: {always: [run]}\n",
    "apps/extra.yml": "image: busybox:1\nconditional_links: {apps: [web]}\ncommands: {always: [run]}\n",
    "libs/base.yml": "repo: /src/base\nmount: /base\ninstall: [make]\n",
    "services/redis.yml": "image: redis:7\n",
}
EDITS = {
    "a line moves": ("libs/base.yml", "# a comment\n" + START["libs/base.yml"]),
    "a service gets a healthcheck": ("services/redis.yml", "image: redis:7\nhealthcheck: {test: [CMD, ping]}\n"),
    "a service depends on another": ("services/mongo.yml", "image: mongo:7\nlinks: [redis]\n"),
    "another container joins a network": (
        "apps/api.yml",
        "image: busybox:1\ncommands: {always: [run]}\ncompose: {net: 'container:redis'}\n",
    ),
    "a lib's install changes": ("libs/base.yml", START["libs/base.yml"].replace("make", "make all")),
    "a lib needs another": ("libs/base.yml", START["libs/base.yml"] + "depends: {libs: [deep]}\n"),
    "a host_name becomes that of a container": ("apps/api.yml", START["apps/api.yml"].replace("api.test", "redis")),
    "an app gets a port before others": (
        "apps/api.yml",
        START["apps/api.yml"].replace("[{", "[{host_name: new.test, host_port: 80, container_port: 2}, {"),
    ),
    "an app is added": ("bundles/main.yml", "apps: [api, extra, web]\n"),
    "an app is gone": ("bundles/main.yml", "apps: [api]\n"),
    "a bundle brings a service": ("bundles/main.yml", "apps: [api, web]\nservices: [mongo]\n"),
    "a volume gets a driver": (
        "apps/web.yml",
        START["apps/web.yml"].replace("volumes:", "volume_driver: nfs, volumes:"),
    ),
    "an image changes": ("apps/web.yml", START["apps/web.yml"].replace("busybox:1", "busybox:2")),
    "an asset is declared": (
        "libs/base.yml",
        START["libs/base.yml"] + "assets: [{name: KEY, path: /key, required: false}]\n",
    ),
    "an override": ("config.yml", "bundles: [main]\nenv: {web: {A: '1'}}\n"),
    "bind mounts": ("config.yml", "bundles: [main]\nsync: {mode: bind}\nrepo_overrides: {/src/web: /elsewhere}\n"),
    "an outer proxy is trusted": ("config.yml", "bundles: [main]\nproxy: {trusted: [10.0.0.0/8]}\n"),
    "network routing": ("config.yml", "bundles: [main, more]\nrouting: network\n"),
}


def grow(room: Room, edit: str) -> None:
    file, text = EDITS[edit]
    room.config(text) if file == "config.yml" else room.write(file, text)


@pytest.fixture
def grown(room: Room) -> Room:
    for file, text in {
        **START,
        "libs/deep.yml": "repo: /src/deep\nmount: /deep\n",
        "services/mongo.yml": "image: mongo:7\n",
    }.items():
        room.write(file, text)
    assert room.compile()[0] == 0
    return room


def at_once(room: Room) -> tuple[dict[str, bytes], bytes]:
    """What a first compile would write into build/, and state/wanted.json."""
    session.forget()
    made, root = session.assembled()[0], str(session.specs_root())
    settings = session.settings_for(made.stack.repos.values())
    whole = Whole(made.stack, settings, root)
    artifacts = compile_all(session.specs(), made.ports, whole, read_templates())
    return artifacts, Rendering(whole, read_templates()).wanted


def assert_as_at_once(room: Room) -> None:
    artifacts, wanted = at_once(room)
    assert room.files() == {path: artifacts[path] for path in sorted(artifacts)}
    assert (room.home / "state/wanted.json").read_bytes() == wanted


@pytest.mark.parametrize("edit", EDITS)
def test_after_one_edit(grown: Room, edit: str) -> None:
    grow(grown, edit)
    assert grown.compile()[0] == 0
    assert_as_at_once(grown)


@pytest.mark.parametrize("seed", range(3))
def test_after_many_edits_in_any_order(grown: Room, seed: int) -> None:
    edits = random.Random(seed).sample(list(EDITS), len(EDITS))
    for edit in edits:
        grow(grown, edit)
        if grown.compile()[0] == 0:
            assert_as_at_once(grown)


@pytest.mark.parametrize("step", [row.name for row in ARTIFACTS if row.form is not Form.STACK])
def test_after_another_compile_came_between_two_steps(grown: Room, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first makes of its older stack.json must not pass for made of the newer one."""
    app, ask = START["apps/api.yml"], AsChecked.__call__

    def let_another_in(checked: AsChecked, task: Any, values: dict[str, Any]) -> bool:
        if task.name == f"compile:{step}":
            grown.write(
                "apps/api.yml",
                app.replace("busybox:1", "busybox:3").replace("api.test", "newer.test").replace("run", "run-3"),
            )
            subprocess.run([sys.executable, "-m", "dusty_tasks", "compile"], cwd=ROOT, check=True, capture_output=True)
        return ask(checked, task, values)

    grown.write(
        "apps/api.yml", app.replace("busybox:1", "busybox:2").replace("api.test", "new.test").replace("run", "run-2")
    )
    with monkeypatch.context() as patched:
        patched.setattr(AsChecked, "__call__", let_another_in)
        assert grown.compile()[0] == 0
    assert grown.compile()[0] == 0
    assert_as_at_once(grown)


def test_only_the_container_that_changed_is_made_again(grown: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(
        core_compile,
        "compose_entry",
        lambda of, original=core_compile.compose_entry: made.append(of.parts) or original(of),
    )
    grow(grown, "an image changes")
    assert grown.compile()[0] == 0
    assert [parts.app.name for parts in made if hasattr(parts, "app")] == ["web"] and all(
        hasattr(parts, "app") or hasattr(parts, "aliases") for parts in made
    )


@pytest.mark.parametrize(
    "damage",
    [lambda kept: b"", lambda kept: kept[:-1], lambda kept: kept.replace(b"busybox", b"bustbox"), lambda kept: b"\xff"],
)
@pytest.mark.parametrize("name", ["compose", "wanted", "origins"])
def test_a_damaged_memo_costs_nothing_but_time(grown: Room, name: str, damage: Callable[[bytes], bytes]) -> None:
    memo = grown.home / "state/made" / name
    memo.write_bytes(damage(memo.read_bytes()))
    grow(grown, "an image changes")
    assert grown.compile()[0] == 0
    assert_as_at_once(grown)


def test_what_was_made_for_containers_that_are_gone_is_not_kept(grown: Room) -> None:
    kept = grown.home / "state/made/compose"
    before = kept.read_bytes()
    grow(grown, "an app is gone")
    grown.compile()
    assert len(kept.read_bytes()) < len(before)
