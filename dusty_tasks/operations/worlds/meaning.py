"""The world that a command means, and letting the run be about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dusty_tasks import session
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.core.worlds.meaning import VARIABLE, Meant, meant
from dusty_tasks.core.worlds.model import BASE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.worlds import home_of, names_of_worlds, worlds_of

READING = ("logs", "shell", "scripts", "cp", "why", "wait")
"""Verbs that take names, and may as well be asked of the base's container where a part is shared."""
CHANGING = ("up", "stop", "restart", "sync", "test", "data")
"""Verbs that say which world they act on. So do those that verbs/ has ask for it."""


def world_meant(option: str | None = None, folder: str = "") -> Meant:
    """That of a folder, by default the current one. Asked in a session of the base. Raises Failure for a name that no world has."""
    base = session.base_home()
    variable = os.environ.get(VARIABLE, "")
    if option is None and not variable:
        worlds = list(worlds_of(base))
        taken = {world.name: [os.path.realpath(folder) for folder in world.repos.values()] for world in worlds}
        folder = os.path.realpath(folder or os.getcwd())
        found = meant(None, "", folder, taken)
        if found.name != BASE:
            of_base = [os.path.realpath(path) for path in session.settings().repo_overrides.values()]
            found = meant(None, "", folder, taken, of_base)
        return found
    found = meant(option, variable, "", {})
    known = names_of_worlds(base)
    if found.name != BASE and found.name not in known:
        says = "" if option is not None else f" ({found.why})"
        raise Failure(
            f'there is no world named "{found.name}"{says}',
            did_you_mean(found.name, [BASE, *known]) if known else f"{DUSTY} world new {found.name}",
        )
    return found


def enter(option: str | None, verb: str, words: Sequence[str] = (), *, in_json: bool = False) -> None:
    """Let this run be about the world that is meant. Raises Failure: there is none of that name, or a word names a part that is not its own."""
    found = world_meant(option, os.path.expanduser(words[0]) if verb == "lookup" and words else "")
    session.current().why = found.why
    if found.name == BASE:
        if "both take" in found.why and not in_json:
            print(f"{found.why}: --world says which is meant", file=sys.stderr)
        return
    base = session.home()
    enter_home(home_of(base, found.name))
    world = session.world()
    if world is None:
        raise Failure(f'there is no world named "{found.name}"', f"{DUSTY} world list")
    named = [name for name in parts_named(verb, words) if name in (world.parts or {})]
    shared = [name for name in named if name in world.shared_parts]
    if shared and verb in READING and len(shared) == len(named):
        enter_home("")
        print(f"{shared[0]} is shared: this is the container of the base", file=sys.stderr)
        return
    if shared:
        raise Failure(
            f"{shared[0]} is not {found.name}'s own: it is the base's, which the world shares",
            f"{DUSTY} {verb} --world {BASE} {shared[0]}, or {DUSTY} world own {shared[0]}, which gives {found.name} its own",
        )
    if verb in CHANGING and not in_json:
        print(f"world {found.name} ({found.why})", file=sys.stderr)


def parts_named(verb: str, words: Sequence[str]) -> list[str]:
    """Those words of a command that name parts whose containers it acts on, or reads."""
    if verb not in (*CHANGING, *READING) or verb in ("sync", "test", "data"):
        return []  # They name repos, suites that run in containers of their own, and snapshots.
    if verb == "cp":
        return [word.partition(":")[0] for word in words if ":" in word]
    return list(words[:1] if verb in ("shell", "scripts") else words)


def enter_home(home: str) -> None:
    """Let this run be about the stack of that folder; '' for the base."""
    session.current().become(home)
