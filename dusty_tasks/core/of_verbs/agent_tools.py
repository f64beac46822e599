"""The tools that `dusty mcp` offers to agents: each is a command with `--json`, and its parameters are words and options of that command. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.text.safe import control_part, printable

CHANGES = "changes"
"""What `--allow` takes."""
LEAST_CHARS, USUAL_CHARS, MOST_CHARS = 400, 2_000, 20_000
"""How long an answer may be: 2,000 characters are about 500 tokens."""
TEXTS, TEXT, NUMBER = "texts", "text", "number"


class Parameter(NamedTuple):
    """A parameter of a tool: a word of the command, or one of its options."""

    name: str
    description: str
    kind: str = TEXT
    is_required: bool = False
    option: str = ""
    """The long name of the option; '' for words, in the order in which they are declared."""


class Tool(NamedTuple):
    """A tool, named as its command; `world_new` is the command `world new`."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    is_change: bool = False
    seconds: int = 120
    """How long it may take."""
    command: tuple[str, ...] = ()
    """The words of the command where it is not the name."""
    options: tuple[str, ...] = ("--json",)


class Misuse(Exception):
    """Arguments that a tool does not take; the text is for the agent."""


NAMES = Parameter("names", "Apps and services; all if left out.", TEXTS)
SINCE = Parameter("since", "Only from this time on, or from so long ago: 10m, 2h, 2026-01-31T12:00.", option="since")

WORLD = Parameter("world", "Act on this world (`world` lists them), or on the `base`.", option="world")
OF_THE_BASE = ("trace", "validate", "explain", "impact", "world", "world_new", "world_remove")
"""Tools that are not about one world."""

_WITHOUT_WORLDS: tuple[Tool, ...] = (
    Tool("status", "What is active and what runs, what is wrong with it, and from which code. Start here.", (NAMES,)),
    Tool(
        "plan",
        "What `up` would do now, each step with its cause and its place in the specs; or all problems of the specs.",
    ),
    Tool(
        "why",
        "Why a container is as it is: the cause, the spec line behind it, and its last lines.",
        (
            Parameter("name", "An app or service.", is_required=True),
            Parameter("last", "Also the last N events of its history.", NUMBER, option="last"),
        ),
    ),
    Tool(
        "timeline",
        "What containers printed and what happened to them, in order of time; the newest are kept.",
        (NAMES, SINCE, Parameter("tail", "Only the last N lines of each container.", NUMBER, option="tail")),
    ),
    Tool(
        "logs",
        "What containers printed; the newest lines are kept.",
        (
            NAMES,
            SINCE,
            Parameter("tail", "Only the last N lines of each container.", NUMBER, option="tail"),
            Parameter("grep", "Only lines that match this regular expression.", option="grep"),
        ),
    ),
    Tool(
        "trace",
        "The spec line behind a line of a generated file.",
        (Parameter("where", "For example docker-compose.yml:12, as below build/.", is_required=True),),
    ),
    Tool(
        "validate", "All problems of the specs, with file, line and hint.", (Parameter("path", "Another specs repo."),)
    ),
    Tool(
        "explain",
        "What the code of a problem means and how to fix it, with an example; without a code: all codes.",
        (Parameter("code", "The code of a problem, as in its `code`."),),
    ),
    Tool("urls", "The URLs of apps and services.", (NAMES,)),
    Tool(
        "wait",
        "Waits until parts of the stack are ready, or done; says what is late, and why.",
        (
            NAMES,
            Parameter("state", "`ready` (the default), or `done` for jobs.", option="for"),
            Parameter("timeout", "Give up after this many seconds.", NUMBER, option="timeout"),
        ),
        seconds=3600,
    ),
    Tool(
        "lookup",
        "Containers, URLs, ports and data folders of the stack, and which repo of it a folder belongs to.",
        (Parameter("path", "A file or folder; without one: the folder of this server."),),
    ),
    Tool(
        "impact",
        "What the change of the specs repo's working tree, or of commits, means for everyone who uses the specs.",
        (Parameter("range", "BASE or BASE..HEAD; without one: the working tree against its upstream."),),
    ),
    Tool(
        "world",
        "The worlds (stacks beside the base, for other branches), what each has of its own, and which one this folder means.",
        command=("world", "list"),
    ),
    Tool("up", "Starts or updates what is active; says what it did, and why.", (NAMES,), is_change=True, seconds=3600),
    Tool("restart", "Syncs the code of apps and restarts them.", (NAMES,), is_change=True, seconds=3600),
    Tool(
        "sync",
        "Copies code to the Docker host.",
        (Parameter("repos", "Repos; all if left out.", TEXTS),),
        is_change=True,
        seconds=3600,
    ),
    Tool(
        "test",
        "Runs a test suite of an app or lib in a fresh container.",
        (
            Parameter("target", "An app or lib.", is_required=True),
            Parameter("suite", "One of its suites, or `all`.", is_required=True),
            Parameter("args", "Arguments of the suite.", TEXTS),
        ),
        is_change=True,
        seconds=3600,
    ),
    Tool(
        "scripts",
        "Runs one of the scripts that the specs declare for an app, in its container.",
        (
            Parameter("app", "An app.", is_required=True),
            Parameter("script", "One of its scripts.", is_required=True),
            Parameter("args", "Arguments of the script.", TEXTS),
        ),
        is_change=True,
        seconds=3600,
    ),
    Tool(
        "world_new",
        "Makes a world: a stack beside the base with other code for some repos. `up` with its name as `world` starts it.",
        (
            Parameter("name", "Its name; without one: the branch of the worktree that this server runs in."),
            Parameter("repo", "REPO=FOLDER: take a repo from a worktree.", TEXTS, option="repo"),
            Parameter("branch", "REPO=BRANCH: make a worktree of a branch.", TEXTS, option="branch"),
            Parameter("bundle", "Bundles in place of those of the base.", TEXTS, option="bundle"),
            Parameter("own", "Parts that get containers of their own in any case.", TEXTS, option="own"),
            Parameter("share", "Services that stay shared though they keep data.", TEXTS, option="share"),
            Parameter("data", "`clone` (the default) copies the base's data, `empty` does not.", option="data"),
        ),
        is_change=True,
        command=("world", "new"),
    ),
    Tool(
        "world_remove",
        "Removes worlds with their containers and data, and worktrees that Dusty made; not one with uncommitted work.",
        (Parameter("names", "The worlds.", TEXTS, is_required=True),),
        is_change=True,
        seconds=600,
        command=("world", "remove"),
        options=("--json", "--yes"),
    ),
)
TOOLS: tuple[Tool, ...] = tuple(
    tool if tool.name in OF_THE_BASE else tool._replace(parameters=(*tool.parameters, WORLD))
    for tool in _WITHOUT_WORLDS
)

BOUND = Parameter(
    "max_chars", f"The longest answer, {LEAST_CHARS} to {MOST_CHARS} characters (default {USUAL_CHARS}).", NUMBER
)


def offered(allowed: str) -> dict[str, Tool]:
    """The tools by name; those that change something only where that is allowed."""
    return {tool.name: tool for tool in TOOLS if not tool.is_change or allowed == CHANGES}


def input_schema(tool: Tool) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    types: dict[str, dict[str, Any]] = {
        TEXT: {"type": "string"},
        TEXTS: {"type": "array", "items": {"type": "string"}},
        NUMBER: {"type": "integer", "minimum": 1},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [parameter.name for parameter in tool.parameters if parameter.is_required],
        "properties": {
            parameter.name: {**types[parameter.kind], "description": parameter.description}
            for parameter in (*tool.parameters, BOUND)
        },
    }


def argv_of(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    """The words of the command line, after `dusty`: no argument can become an option. Raises Misuse."""
    known = {parameter.name: parameter for parameter in (*tool.parameters, BOUND)}
    for name in arguments:
        if name not in known:
            raise Misuse(f'{tool.name} has no parameter "{printable(str(name))}"; it has {", ".join(known)}')
    options, words = list(tool.options), []
    missing = ""
    for parameter in tool.parameters:
        value = arguments.get(parameter.name)
        if value is None:
            if parameter.is_required:
                raise Misuse(f"{tool.name} needs {parameter.name}")
            missing = missing or ("" if parameter.option else parameter.name)
            continue
        texts = _texts(tool, parameter, value)
        if parameter.option:
            options += [f"--{parameter.option}={text}" for text in texts]
        elif texts and missing:
            raise Misuse(f"{tool.name} takes {parameter.name} only with {missing}")
        else:
            words += texts
    return [*(tool.command or (tool.name,)), *options, "--", *words]


def _texts(tool: Tool, parameter: Parameter, value: Any) -> list[str]:
    """A value as words. Raises Misuse for one of another kind, and for control characters."""
    if parameter.kind == NUMBER:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise Misuse(f"{tool.name}: {parameter.name} must be a number, at least 1")
        return [str(value)]
    texts = value if parameter.kind == TEXTS else [value]
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise Misuse(
            f"{tool.name}: {parameter.name} must be {'a list of texts' if parameter.kind == TEXTS else 'a text'}"
        )
    for text in texts:
        if part := control_part(text) or ("a newline" if "\n" in text else ""):
            raise Misuse(f"{tool.name}: {parameter.name} holds {part}")
    return texts


def limit_of(arguments: Mapping[str, Any]) -> int:
    """How many characters the answer may have. Raises Misuse."""
    limit = arguments.get(BOUND.name, USUAL_CHARS)
    if isinstance(limit, bool) or not isinstance(limit, int) or not LEAST_CHARS <= limit <= MOST_CHARS:
        raise Misuse(f"{BOUND.name} must be a number from {LEAST_CHARS} to {MOST_CHARS}")
    return limit
