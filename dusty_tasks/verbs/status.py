"""`dusty status`: what is active, what runs, and from which code."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from dusty_tasks import session
from dusty_tasks.console import drawn_for, is_terminal, say, table_within, warn, width
from dusty_tasks.core.of_verbs import status_view
from dusty_tasks.core.plan.container_state import UNKNOWN
from dusty_tasks.core.text.looks import wrapped
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.status_facts import read_facts
from dusty_tasks.verbs.shared.repo_words import source_text
from dusty_tasks.verbs.shared.words import say_json

INTERVAL = 2.0
"""Seconds between two looks."""


def run(
    words: list[str], json: bool = False, watch: bool = False, verbose: bool = False, stats: bool = False
) -> int | None:
    """Once, or again every two seconds until interrupted; of the parts in `words`, or with `verbose` of all, every detail.

    A Docker host that is known to be off is said to be so, exit 0; 2 where nobody knows.
    """

    is_on_screen = watch and is_terminal() and not json

    def read() -> dict[str, Any]:
        return read_facts(words, verbose=verbose, with_stats=stats or is_on_screen)

    is_detailed = bool(words) or verbose
    if is_on_screen:
        watch_on_screen(read, is_detailed)
    is_first = True
    while True:
        try:
            facts = read()
        except Failure as failure:
            # What can be broken while one watches can be mended while one watches, too: config.yml, a context of docker.
            if is_first or not watch:
                raise
            warn(str(failure))
            wait_a_moment()
            continue
        is_first = False
        if json:
            say_json(facts)
        else:
            show(facts, is_detailed=is_detailed)
        if not watch:
            return 2 if facts["docker_host"]["state"] == UNKNOWN else 0
        wait_a_moment()


def wait_a_moment() -> None:
    """Until the next look, which is to find what changed meanwhile."""
    time.sleep(INTERVAL)
    session.forget()


def watch_on_screen(read: Callable[[], dict[str, Any]], is_detailed: bool) -> NoReturn:
    """Until interrupted, on the whole terminal and in its size; what is broken is said there as well."""
    from dusty_tasks.verbs.shared.screen import whole_terminal

    facts = read()
    trouble = ""
    with whole_terminal() as screen:
        while True:
            columns, lines = screen.size
            screen.show(drawn_for(frame(facts, columns, lines, trouble=trouble, is_detailed=is_detailed)))
            if screen.wait(INTERVAL):
                continue
            session.forget()
            try:
                facts, trouble = read(), ""
            except Failure as failure:
                trouble = str(failure)


def frame(facts: dict[str, Any], columns: int, lines: int, *, trouble: str = "", is_detailed: bool = False) -> str:
    """What fits a screen: what went wrong on top."""
    from dusty_tasks.core.text.highlights import severe

    above = [wrapped(severe(text), columns) for text in (trouble, *troubles(facts)) if text]
    taken = sum(text.count("\n") + 1 for text in above)
    below = detailed(facts, columns) if is_detailed else status_view.overview(facts, columns, max(lines - taken, 5))
    return "\n".join("\n".join([*above, below]).split("\n")[:lines])


def troubles(facts: dict[str, Any]) -> list[str]:
    """What is wrong beside the parts: with the specs, in the hosts file."""
    compiled_last = "\nThe specs have problems; this is what was compiled last." if facts["stack"] else ""
    refused = facts.get("hosts_refused")
    return [
        *([facts["problems"] + compiled_last] if facts["problems"] else []),
        *facts.get("hosts_conflicts", ()),
        *([f"warning: the names do not resolve yet: {refused}"] if refused else []),
    ]


def show(facts: dict[str, Any], *, is_detailed: bool = False) -> None:
    """The facts for a person."""
    for trouble in troubles(facts):
        warn(trouble)
    say(detailed(facts, width()) if is_detailed else status_view.overview(facts, width()))


def detailed(facts: dict[str, Any], columns: int) -> str:
    """Every detail of the parts, then a table of their repos; those of one part stand with it."""
    repos = [{**row, "from": source_text(row)} for row in facts["repos"]]
    is_one = len(facts["stack"]) == 1
    parts = [
        "" if is_one else "\n".join(status_view.heads(facts)),
        status_view.details(facts["stack"], repos if is_one else (), columns),
        repo_table(repos, columns) if repos and not is_one else "",
        "\n".join(status_view.made_there_lines(repos)),
        "" if is_one else status_view.sums(facts),
    ]
    return "\n\n".join(filter(None, parts))


def repo_table(repos: Sequence[dict[str, Any]], columns: int) -> str:
    """A line a repo: what git says of it, where its code is taken from."""
    has_git = "git" in repos[0]
    return table_within(
        columns,
        ("repo", "branch", "commit", "copy", *(["git"] if has_git else []), "source"),
        [
            (row["name"], row["branch"], row["commit"], row["sync"], *([row["git"]] if has_git else []), row["from"])
            for row in repos
        ],
    )
