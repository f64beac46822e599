"""The tools of `dusty mcp`: words that stay words, and answers that are short, valid and marked."""

from __future__ import annotations

import json
from typing import Any

import json_outputs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.cli.parsing import parse
from dusty_tasks.core.of_verbs import agent_answers as answers
from dusty_tasks.core.of_verbs import agent_tools as tools
from dusty_tasks.verbs.table import BY_NAME

ALL = tools.offered("changes")
WORD = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())


def verb_of(tool: tools.Tool) -> str:
    return tool.command[0] if tool.command else tool.name


def test_each_tool_is_a_command_and_its_options_are_those_of_the_command() -> None:
    assert all(verb_of(tool) in BY_NAME for tool in ALL.values())
    for tool in ALL.values():
        known = {option.long: option.type for option in BY_NAME[verb_of(tool)].options}
        for parameter in tool.parameters:
            wanted = (list,) if parameter.kind == tools.TEXTS else (str, int)
            assert not parameter.option or known[parameter.option] in wanted
        assert (tools.WORLD in tool.parameters) == BY_NAME[verb_of(tool)].is_of_a_world, tool.name
        assert tools.input_schema(tool)["properties"].keys() >= {"max_chars"}


@given(st.sampled_from(sorted(ALL)), st.data())
def test_no_argument_becomes_an_option(name: str, data: st.DataObject) -> None:
    tool = ALL[name]
    kinds: dict[str, st.SearchStrategy[Any]] = {
        tools.TEXT: WORD,
        tools.TEXTS: st.lists(WORD, max_size=3),
        tools.NUMBER: st.integers(1, 99),
    }
    arguments = {parameter.name: data.draw(kinds[parameter.kind]) for parameter in tool.parameters}
    words, options = parse(BY_NAME[verb_of(tool)], tools.argv_of(tool, arguments)[1:])
    wanted: list[str] = [*tool.command[1:]]
    for parameter in tool.parameters:
        value = arguments[parameter.name]
        if parameter.option:
            assert str(options.pop(parameter.option)) == str(value)
        else:
            wanted += value if isinstance(value, list) else [value]
    assert words == wanted
    assert {f"--{key}" for key, value in options.items() if value} == {*tool.options}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("why", {}, "why needs name"),
        ("why", {"name": "a\x1bb"}, "why: name holds a control character (U+001B)"),
        ("why", {"name": "a\nb"}, "why: name holds a newline"),
        ("why", {"name": ["web"]}, "why: name must be a text"),
        ("why", {"name": "web", "last": True}, "why: last must be a number, at least 1"),
        ("status", {"names": "web"}, "status: names must be a list of texts"),
        ("status", {"verbose": True}, 'status has no parameter "verbose"; it has names, world, max_chars'),
    ],
)
def test_wrong_arguments_are_named(name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(tools.Misuse) as misuse:
        tools.argv_of(ALL[name], arguments)
    assert str(misuse.value) == said


def row(number: int, why: str = "", noise: str = "") -> dict[str, Any]:
    return {
        "name": f"app{number}",
        "type": "app",
        "state": "running",
        "condition": "failed" if why else "running",
        "why": why,
        "routes": [f"http://app{number}.test/"] * 3,
        "last": noise,
        "pending": "",
    }


def status(rows: list[dict[str, Any]], problems: str = "") -> dict[str, Any]:
    return {
        "bundles": ["all"],
        "disabled": [],
        "overrides": [],
        "docker_host": {"name": "here", "answers": True, "state": "on"},
        "stack": rows,
        "repos": [],
        "hosts_conflicts": [],
        "hosts_refused": "",
        "problems": problems,
    }


@given(st.integers(0, 60), st.text(max_size=300), st.text(max_size=6000), st.sampled_from([400, 2000, 20_000]))
def test_a_cut_answer_fits_and_keeps_its_schema(count: int, noise: str, problems: str, limit: int) -> None:
    facts = status([row(number, noise=noise) for number in range(count)], problems)
    answer = answers.answer("status", json.dumps(facts), limit)
    assert len(str(answer)) <= limit
    assert json_outputs.mistakes("status", json.loads(answer.text)) == []
    assert str(answer).startswith(answers.DATA)
    if len(json.dumps(facts, ensure_ascii=False)) > limit * 6:
        assert answer.note


def test_what_is_in_trouble_is_what_stays() -> None:
    facts = status([*(row(number) for number in range(100)), row(100, "exited with status 1")])
    kept = json.loads(answers.answer("status", json.dumps(facts), 2000).text)["stack"]
    assert kept[0]["name"] == "app100" and len(kept) < 10


def test_of_lines_the_newest_stay_and_control_characters_are_escaped() -> None:
    lines = [{"at": "", "name": "web", "stream": "stdout", "text": f"\x1b[2J\u202eline {n}"} for n in range(500)]
    answer = answers.answer("logs", "\n".join(map(json.dumps, lines)), 2000)
    assert len(str(answer)) <= 2000 and "earlier lines" in answer.note
    assert json.loads(answer.text.splitlines()[-1]) == lines[-1]
    assert answer.text.replace("\n", "").isprintable() and "\\u001b[2J\\u202e" in answer.text
    long = answers.answer("logs", json.dumps({**lines[0], "text": "x" * 90_000}), 400)
    assert len(str(long)) <= 400 and "…" in long.text
    printed = ["a line"] * 200 + ["the end"]
    ended = {
        "ok": True,
        "exit_code": 0,
        "app": "web",
        "script": "seed",
        "seconds": 1.0,
        "printed": printed,
        "warnings": [],
    }
    ran = answers.answer("scripts", json.dumps(ended), 400)
    assert len(str(ran)) <= 400 and json.loads(ran.text)["printed"][-1] == "the end" and "of printed" in ran.note
