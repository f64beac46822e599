"""`dusty mcp` on a stack with eight kinds of broken part: two calls lead to the line of the specs that is to blame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stacks import SmallStack

pytest.importorskip("mcp", reason="requirements-mcp.txt is not installed")
from agents import MOST_CALLS, MOST_TOKENS, ROOT, Agent, with_agent


class BrokenStack(SmallStack):
    """Parts that do not work, each for a reason that stands in one line of the specs."""

    def __init__(self, folder: Path, rig: Any) -> None:
        super().__init__(folder, rig.home, config="up: {wait: 8}\n")
        self.service("memory", command="exec dd if=/dev/zero of=/dev/null bs=200M count=1", more="mem_limit: 64m\n")
        self.service("loop", command="exit 4", more="restart: always\n")
        probe = '{test: ["CMD-SHELL", "exit 1"], interval: 300ms, timeout: 5s, retries: 1}'
        self.service("probe", more=f"healthcheck: {probe}\n")
        self.service("user", more="user: nobody-of-this-name\n")
        self.service("program", more="entrypoint: [/no/such/program]\n")
        self.app("port", always="exec httpd -f -p 81 -h /code")
        self.app("crash", always="echo no database; exit 3")
        self.app("command", always="nosuchtool --serve")
        self.bundle("shop", apps="[port, crash, command]", services="[memory, loop, probe, user, program]")


WANTED = {
    "memory": "services/memory.yml:3:12",
    "loop": "services/loop.yml:3:10",
    "probe": "services/probe.yml:3:14",
    "user": "services/user.yml:3:7",
    "program": "services/program.yml:3:13",
    "port": "apps/port.yml:6:18",
    "crash": "apps/crash.yml:4:21",
    "command": "apps/command.yml:4:21",
}


def test_two_calls_lead_to_the_line_that_broke_a_part(rig: Any, tmp_path: Path) -> None:
    BrokenStack(tmp_path, rig)
    rig.dusty("up", "--yes", check=False)
    wrong: dict[str, Any] = {}

    async def look_at_all(agent: Agent) -> None:
        for name, wanted in WANTED.items():
            led = await agent.look(name)
            if led.place != wanted or led.calls > MOST_CALLS or led.tokens > MOST_TOKENS:
                wrong[name] = led
        whole = await agent.look()
        assert whole.calls <= MOST_CALLS and whole.tokens <= MOST_TOKENS
        assert "no database" in await agent.ask("logs", names=["crash"], tail=5)

    env = {"DUSTY_HOME": str(rig.home), "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    with_agent(look_at_all, env, rig.machine.argv([str(ROOT / "dusty")]))

    async def change(agent: Agent) -> None:
        found = json.loads((await agent.ask("up", names=["port"], max_chars=20_000)).partition("\n")[2])
        assert (found["ok"], found["exit_code"], found["troubles"][0]["name"]) == (False, 1, "port"), found
        restarted = json.loads((await agent.ask("restart", names=["port"])).partition("\n")[2])
        assert (restarted["ok"], restarted["restarted"]) == (True, ["port"])
        synced = json.loads((await agent.ask("sync", repos=["port"])).partition("\n")[2])
        assert synced["ok"] and [row["status"] for row in synced["repos"]] == ["up to date"]

    with_agent(change, env, rig.machine.argv([str(ROOT / "dusty")]), words=["--allow", "changes"])
    # The helper holds each of these against its schema.
    for words in (
        "status -v --stats",
        "up -v",
        "plan -v",
        "why -n 9 loop",
        "timeline",
        "logs",
        "doctor",
        "disk",
        "repos",
        "wait port --timeout 1",
        "lookup",
        "urls",
        "config",
        "bundles",
        "assets",
        "env",
        "vars",
        "trust",
        "test",
        "version",
        "trace docker-compose.yml:9",
    ):
        rig.dusty(words.partition(" ")[0], "--json", *words.split()[1:], check=False)
    assert not wrong, "\n".join(f"{name}: {led}" for name, led in wrong.items())
