"""`up NAMES…`: those, what they need, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.cli import doit_bridge
from dusty_tasks.core.plan.change import BUILD, CREATE, HOSTS, NGINX, PULL, REMOVE, SYNC, Change, Plan
from dusty_tasks.core.plan.chosen import narrowed, needed
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.namespace import PROXY, Namespace
from dusty_tasks.operations.up.run import UpOptions


def container(name: str, *after: str, kind: str = "app", **more: object) -> WantedContainer:
    mapping = {"image": f"{name}-image"}
    return WantedContainer(name, kind, f"dusty_{name}_1", mapping, after=after, repo_ids=(f"{name}-repo",), **more)  # type: ignore[arg-type]


STACK = Wanted(
    (
        container("db", kind="service"),
        container("redis", kind="service"),
        container("api", "db"),
        container("web", "api", "redis", http_urls=("http://web.test/",)),
        container("guest", shares_network_of="redis"),
        container("other"),
        container(PROXY, kind="proxy"),
    ),
    *(() for _ in Wanted._fields[1:]),  # type: ignore[arg-type]
)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["web"], {"web", "api", "db", "redis", PROXY}),
        (["api"], {"api", "db"}),
        (["guest"], {"guest", "redis"}),
        (["other", "db"], {"other", "db"}),
    ],
)
def test_what_is_needed_comes_along(names: list[str], wanted: set[str]) -> None:
    assert needed(STACK, names) == wanted


@given(st.sets(st.sampled_from([one.name for one in STACK.containers])))
def test_nothing_of_others_is_left_in_the_plan(names: set[str]) -> None:
    per_container = [
        Change(kind, f"{one.name}{suffix}", "")
        for one in STACK.containers
        for kind, suffix in ((PULL, "-image"), (BUILD, "-image"), (SYNC, "-repo"), (CREATE, ""))
    ]
    shared = [Change(NGINX, "", ""), Change(HOSTS, "", "")]
    plan = Plan((*per_container, Change(REMOVE, "stranger", ""), *shared))
    chosen = needed(STACK, names)
    kept = narrowed(plan, STACK, names, Namespace("dusty")).changes
    assert list(kept[-2:]) == shared
    assert [change.name for change in kept[:-2]] == [
        name
        for one in STACK.containers
        if one.name in chosen
        for name in (f"{one.name}-image", f"{one.name}-image", f"{one.name}-repo", one.name)
    ]


def test_the_names_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("dusty_tasks.pipelines.up.up_steps", lambda options: iter(seen.append(options) or ()))
    doit_bridge.run_pipeline("up", ["web", "--no-pull", "api"])
    options = UpOptions.of(seen[-1])
    assert (options.names, options.no_pull, options.planning.names) == (("web", "api"), True, ("web", "api"))
