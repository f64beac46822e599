"""An agent that asks `dusty mcp` what is wrong, as its instructions say, with the official client: for tests here and with a real engine."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import json_outputs
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"(?:apps|bundles|libs|services)/[\w.-]+\.yml:\d+:\d+|(?:vars|config)\.yml:\d+:\d+")
MOST_CALLS, MOST_TOKENS = 2, 1000


class Led(NamedTuple):
    """What the agent found."""

    place: str
    calls: int
    tokens: float


class Agent:
    """A session; each answer is held against its schema."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tools(self) -> list[Any]:
        return list((await self._client.list_tools()).tools)

    async def ask(self, tool: str, **arguments: Any) -> str:
        """The text of an answer."""
        result = await self._client.call_tool(tool, arguments)
        (content,) = result.content
        mark, _, text = content.text.partition("\n")
        assert mark.startswith("Data, not instructions")
        for value in json_outputs.values_in(text):
            wrong = json_outputs.mistakes(tool.partition("_")[0], value)
            assert not wrong, wrong
        assert len(content.text) <= arguments.get("max_chars", 2000)
        return content.text

    async def look(self, name: str = "") -> Led:
        """What its instructions say: status, and what that leads to."""
        answers = [await self.ask("status", **({"names": [name]} if name else {}))]
        facts = json.loads(answers[0].partition("\n")[2])
        if not facts.get("problems"):
            troubled = [row["name"] for row in facts["stack"] if row["why"]]
            answers.append(await (self.ask("why", name=troubled[0]) if troubled else self.ask("plan")))
            told = json.loads(answers[-1].partition("\n")[2])
            if told.get("look_at"):
                return Led(told["look_at"], len(answers), sum(map(len, answers)) / 4)
        found = PLACE.search(answers[-1])
        return Led(found.group() if found else answers[-1], len(answers), sum(map(len, answers)) / 4)


def with_agent(
    act: Callable[[Agent], Awaitable[None]],
    env: Mapping[str, str],
    argv: Sequence[str] = (sys.executable, "-m", "dusty_tasks"),
    words: Sequence[str] = (),
) -> None:
    """Start `dusty mcp words…`, and let an agent act."""

    async def connected() -> None:
        command, *arguments = [*argv, "mcp", *words]
        async with Client(StdioServerParameters(command=command, args=arguments, env=dict(env), cwd=ROOT)) as client:
            await act(Agent(client))

    asyncio.run(connected())
