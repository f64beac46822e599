"""`dusty mcp` with the official client: what it offers, what it refuses, and how few calls lead to what is wrong in the specs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from chosen import Chosen

from dusty_tasks.operations.machine import extras
from dusty_tasks.verbs import mcp as verb

pytest.importorskip("mcp", reason="requirements-mcp.txt is not installed")
from agents import MOST_CALLS, MOST_TOKENS, Agent, with_agent

WEB = """image: busybox:1
host_forwarding:
  - {host_name: web.test, host_port: 80, container_port: 5000}
depends:
  libs: [base]
  services: [db]
commands:
  always:
    - serve
"""
TWICE = "  - {host_name: web.test, host_port: 80, container_port: 81}\ndepends:"
SPECS = {
    "bundles/shop.yml": "apps: [web]\n",
    "apps/web.yml": WEB,
    "libs/base.yml": "repo: git.test/team/base\nmount: /base\n",
    "services/db.yml": "image: redis:7\n",
}
BROKEN = {
    "a misspelt key": ("apps/web.yml", WEB.replace("host_forwarding", "host_forwardings"), "apps/web.yml:2:1"),
    "a tab": ("apps/web.yml", WEB.replace("    - serve", "\t- serve"), "apps/web.yml:9:1"),
    "a bad host name": ("apps/web.yml", WEB.replace("web.test", "my site"), "apps/web.yml:3:17"),
    "a port that is too large": ("apps/web.yml", WEB.replace("5000", "500000"), "apps/web.yml:3:58"),
    "an unknown service": ("apps/web.yml", WEB.replace("[db]", "[bd]"), "apps/web.yml:6:14"),
    "an unknown lib": ("apps/web.yml", WEB.replace("[base]", "[bass]"), "apps/web.yml:5:10"),
    "an unknown app": ("bundles/shop.yml", "apps: [wbe]\n", "bundles/shop.yml:1:8"),
    "no image": ("apps/web.yml", WEB.replace("image: busybox:1\n", ""), "apps/web.yml:1:1"),
    "a service without an image": ("services/db.yml", "restart: always\n", "services/db.yml:1:1"),
    "a cycle": (
        "libs/base.yml",
        "repo: git.test/team/base\nmount: /base\ndepends: {libs: [base]}\n",
        "libs/base.yml:3:18",
    ),
    "a taken address": ("apps/web.yml", WEB.replace("depends:", TWICE), "apps/web.yml:4:5"),
    "an unknown Compose key": ("services/db.yml", "image: redis:7\nenvironmnt: {A: b}\n", "services/db.yml:2:1"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A DUSTY_HOME with an active bundle, and no engine."""
    for file, text in SPECS.items():
        path = tmp_path / "specs" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.yml").write_text(f"specs_repo: {tmp_path}/specs\nbundles: [shop]\n")
    return home


def env_of(home: Path) -> dict[str, str]:
    return {**os.environ, "DUSTY_HOME": str(home), "DOCKER_HOST": "unix:///nonexistent/docker.sock", "PYTHONPATH": "."}


def test_two_calls_lead_to_each_broken_line_of_the_specs(home: Path) -> None:
    wrong: dict[str, Any] = {}

    async def look_at_all(agent: Agent) -> None:
        for name, (file, text, wanted) in BROKEN.items():
            path = home.parent / "specs" / file
            fine = path.read_text()
            path.write_text(text)
            led = await agent.look()
            if led.place != wanted or led.calls > MOST_CALLS or led.tokens > MOST_TOKENS:
                wrong[name] = led
            path.write_text(fine)

    with_agent(look_at_all, env_of(home))
    assert not wrong, "\n".join(f"{name}: {led}" for name, led in wrong.items())


def test_what_changes_something_is_offered_only_where_it_is_allowed(home: Path) -> None:
    reading = "status plan why timeline logs trace validate explain urls wait lookup impact world".split()

    async def look(agent: Agent) -> None:
        tools = await agent.tools()
        assert [tool.name for tool in tools] == reading
        assert all(tool.annotations.read_only_hint for tool in tools)
        assert "there is no tool" in await agent.ask("up")
        assert '"no app or service named' in (await agent.ask("why", name="--help")).replace("\\", "")
        assert 'has no parameter \\"force\\"' in await agent.ask("status", force=True)
        assert '"D001"' in await agent.ask("explain", code="D001")

    with_agent(look, env_of(home))

    async def act(agent: Agent) -> None:
        tools = await agent.tools()
        changing = [tool.name for tool in tools if not tool.annotations.read_only_hint]
        assert changing == "up restart sync test scripts world_new world_remove".split()
        for tool, what in (("scripts", {"app": "web", "script": "x"}), ("test", {"target": "web", "suite": "x"})):
            assert '"ok":false' in await agent.ask(tool, **what, args=["--help"])

    with_agent(act, env_of(home), words=["--allow", "changes"])


def test_an_agent_makes_a_world_and_asks_about_it(home: Path, tmp_path: Path) -> None:
    tree = tmp_path / "base-fix"
    tree.mkdir()

    async def act(agent: Agent) -> None:
        assert '"world":"base"' in await agent.ask("world")
        assert "there is no world named" in await agent.ask("status", world="fix")
        made = await agent.ask("world_new", name="fix", repo=[f"base={tree}"], own=["web"], data="empty")
        assert f'"repos":{{"git.test/team/base":"{tree}"}}' in made and '"made":[]' in made
        assert "already a world named fix" in await agent.ask("world_new", name="fix")
        assert "takes clone or empty" in await agent.ask("world_new", name="fox", data="some")
        assert "no app or service" in await agent.ask("world_new", name="fox", own=["wbe"])
        assert '"name":"fix","state":"unknown"' in await agent.ask("world")
        assert '"name":"fix"' in await agent.ask("status", world="fix")
        for tool, words in (("up", {}), ("restart", {"names": ["web"]}), ("sync", {})):
            assert "there is no world named" in await agent.ask(tool, world="fxi", **words)
            assert "there is no world" not in await agent.ask(tool, world="fix", **words), tool
        assert "did you mean" in await agent.ask("world_remove", names=["fxi"])
        kept = await agent.ask("world_remove", names=["fix"])
        assert '"removed":[],"left":["fix"]' in kept and "engine" in kept
        assert "has no parameter" in await agent.ask("explain", world="fix")

    with_agent(act, env_of(home), words=["--allow", "changes"])


def test_without_the_sdk_it_asks_or_says_what_to_do(
    dusty: Chosen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(verb, "is_there", lambda: False)
    monkeypatch.setattr(extras.bootstrap, "main", lambda names: installed.append(names) or 1)
    ended = dusty("mcp")
    assert ended.code == 1 and "run dusty mcp once in a terminal" in ended.err and not installed
    ended = dusty("mcp", "--yes")
    assert ended.code == 2 and "could not be installed" in ended.err and installed == [["requirements-mcp.txt"]]
    monkeypatch.setattr(extras.bootstrap, "ROOT", tmp_path)
    assert 'pipx install "dusty[mcp]"' in dusty("mcp", "--yes").err
    assert '--allow takes "changes"' in dusty("mcp", "--allow", "everything").err
