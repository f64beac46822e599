"""The TAB key offers what fits, by the same table that parses the words."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.completion import PATHS, offers
from dusty_tasks.verbs.table import ALIASES, VERBS

NAMES = {
    "bundle": ["shop", "my bundle"],
    "app": ["web"],
    "lib": ["base"],
    "container": ["web", "redis"],
    "repo": ["web-code"],
    "asset": ["KEY"],
    "key": ["routing", "host.kind"],
    "world": ["fix"],
}


def names(kind: str, words: tuple[str, ...]) -> list[str]:
    if kind in ("script", "suite", "value"):
        return [f"{kind} of {words[-1]}"]
    return NAMES[kind]


def offered(*typed: str) -> list[str]:
    return [offer.word for offer in offers(typed, VERBS, ALIASES, names)]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (("bun",), ["bundles"]),
        (("help", "bun"), ["bundles"]),
        (("nosuch", ""), []),
        (("bundles", "a"), ["activate"]),
        (("bundles", "activate", ""), ["shop", "my bundle"]),
        (("bundles", "activate", "shop", "my"), ["my bundle"]),
        (("bundles", "activate", "--only", "s"), ["shop"]),
        (("bundles", "--o"), ["--only"]),
        (("bundles", "list", ""), []),
        (("logs", "web", "r"), ["redis"]),
        (("logs", "--tail", "5", "w"), ["web"]),
        (("logs", "--tail", ""), []),
        (("logs", "--", "-"), []),
        (("restart", "--repo", ""), ["web-code"]),
        (("scripts", "w"), ["web"]),
        (("scripts", "web", ""), ["script of web"]),
        (("script", "web", ""), ["script of web"]),
        (("scripts", "web", "reset", ""), [PATHS]),
        (("shell", "web", "--"), [PATHS]),
        (("test", ""), ["web", "base"]),
        (("test", "web", ""), ["suite of web"]),
        (("cp", ""), [PATHS]),
        (("cp", "a", ""), [PATHS]),
        (("cp", "a", "b", ""), []),
        (("assets", "set", "KEY", ""), [PATHS]),
        (("assets", "list", ""), ["web", "base"]),
        (("assets", "read", "KEY", ""), []),
        (("config", "set", "rou"), ["routing"]),
        (("config", "set", "routing", ""), ["value of routing"]),
        (("config", "log", ""), []),
        (("env", "set", ""), ["web", "redis"]),
        (("env", "set", "web", ""), []),
        (("env", "set", "web", "--file", ""), [PATHS]),
        (("repos", "from", ""), [PATHS]),
        (("repos", "override", "web-code", ""), [PATHS]),
        (("completion", ""), ["bash", "zsh", "fish", "install"]),
        (("validate", "--schema", "s"), ["service"]),
        (("setup", "--host", ""), ["local", "ssh"]),
        (("up", "--no-p"), ["--no-pull"]),
        (("up", ""), ["web", "redis"]),
        (("up", "--world", ""), ["fix", "base"]),
        (("logs", "web", "--world", "b"), ["base"]),
        (("world", "r"), ["remove"]),
        (("world", "remove", ""), ["fix"]),
        (("world", "remove", "other", ""), ["fix"]),
        (("world", "new", ""), []),
        (("world", "new", "two", "--own", "w"), ["web"]),
        (("world", "new", "two", "--bundle", "s"), ["shop"]),
        (("world", "own", ""), ["web", "redis"]),
        (("world", "share", "web", ""), ["web", "redis"]),
    ],
    ids=str,
)
def test_what_fits_is_offered(typed: tuple[str, ...], wanted: list[str]) -> None:
    assert offered(*typed) == wanted


def test_verbs_are_offered_with_their_meaning() -> None:
    assert [offer.description for offer in offers(["vers"], VERBS, ALIASES, names)] == [
        "show the versions of Dusty and of what it uses"
    ]
    assert offered() == [verb.name for verb in VERBS] + ["help"]
