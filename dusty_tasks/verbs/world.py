"""`dusty world`: stacks beside the base, made of what differs."""

from __future__ import annotations

import os
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import confirm, say, say_aside, table_within, warn, width
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted, size_text
from dusty_tasks.core.worlds.model import BASE, CLONE, EMPTY, World
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.worlds import names_of_worlds
from dusty_tasks.verbs.shared.aside import aside
from dusty_tasks.verbs.shared.repo_words import found_repo, under_home
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path, misuse, say_json

ACTIONS = ("list", "new", "remove", "prune", "share", "own")
OF_NEW = ("repo", "branch", "bundle", "own", "share", "data")


def run(words: list[str], yes: bool = False, json: bool = False, **of_new: Any) -> int | None:
    """No word: which world this folder means, and the list. Raises Failure."""
    action, rest = action_of("world", words, ACTIONS)
    if action != "new" and (given := [name for name in OF_NEW if of_new.get(name)]):
        raise misuse("world", f"--{given[0]} goes with new")
    if action == "list":
        exactly("world", action, rest)
        return show(as_json=json)
    if action == "new":
        new(rest, of_new, as_json=json)
        return None
    if action == "prune":
        exactly("world", action, rest)
        return prune(yes, as_json=json)
    if not rest:
        raise misuse("world", f"world {action} needs a name")
    if action == "remove":
        return remove(rest, yes, as_json=json)
    change(action, rest, as_json=json)
    return None


def show(*, as_json: bool) -> int | None:
    """The world that a command typed here means, and why; then all."""
    from dusty_tasks.operations.worlds.listing import read_list
    from dusty_tasks.operations.worlds.meaning import world_meant

    found, rows = world_meant(), read_list()
    if as_json:
        say_json({"world": found.name, "why": found.why, "worlds": rows})
        return None
    if not rows:
        say(
            f"there is no world beside the base\n    hint: {DUSTY} world new <name>, in a worktree of one of your repos"
        )
        return None
    say(f"here: {found.name} ({found.why})")
    table = [
        (
            row["name"],
            row["state"],
            f"{len(row['own'])} own, {len(row['shared'])} shared",
            _age(row["age_seconds"]),
            size_text(row["disk_bytes"]),
            size_text(row["memory_bytes"]),
            ", ".join(row["urls"]),
        )
        for row in rows
    ]
    say(table_within(width(), ("world", "state", "parts", "age", "disk", "memory", "urls"), table))
    for row in rows:
        for folder in row["lost"]:
            warn(f"{row['name']}: {under_home(folder)} is gone\n    hint: {DUSTY} world prune")
    return None


def _age(seconds: int | None) -> str:
    if seconds is None:
        return ""
    for unit, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            return counted(seconds // unit, word)
    return counted(seconds, "second")


def new(rest: list[str], asked: dict[str, Any], *, as_json: bool = False) -> None:
    """Make one; `up` runs it."""
    from dusty_tasks.operations.worlds.making import Wish, make_world, repos_of_stack

    if len(rest) > 1:
        raise misuse("world", f'world new: unexpected argument "{rest[1]}"')
    data = asked.get("data") or CLONE
    if data not in (CLONE, EMPTY):
        raise Failure(f'--data takes {CLONE} or {EMPTY}, not "{data}"')
    known = list(repos_of_stack())

    def pairs(option: str, given: list[str]) -> dict[str, str]:
        found = {}
        for text in given:
            name, equals, value = text.partition("=")
            if not equals or not name or not value:
                raise misuse(
                    "world", f"--{option} takes <repo>=<{'path' if option == 'repo' else 'branch'}>, not {text}"
                )
            found[found_repo(name, known, str)] = value
        return found

    folders = {repo_id: local_path(path) for repo_id, path in pairs("repo", asked["repo"]).items()}
    branches = pairs("branch", asked["branch"])
    if both := sorted(folders.keys() & branches.keys()):
        raise Failure(f"{both[0]} cannot come from a path and a branch at once")
    bundles, own, shared = (tuple(asked[name]) for name in ("bundle", "own", "share"))
    wish = Wish(rest[0] if rest else "", folders, branches, bundles, own, shared, data)
    if not as_json:
        tell_new(make_world(wish))
        return
    with aside() as heard:
        world = make_world(wish)
    facts = {key: getattr(world, key) for key in ("name", "address", "repos", "data")}
    say_json({"ok": True, **facts, "made": list(world.made), "warnings": heard.warnings})


def tell_new(world: World) -> None:
    say(f"made the world {world.name}")
    for repo_id, folder in world.repos.items():
        word = "a new worktree" if repo_id in world.made else "from"
        say(f"  {repo_id}: {word} {under_home(folder)}")
    here = os.path.realpath(os.getcwd())
    is_here = any(f"{here}/".startswith(f"{os.path.realpath(folder)}/") for folder in world.repos.values())
    command = f"{DUSTY} up" if is_here else f"{DUSTY} up --world {world.name}"
    say(f"{command} starts it; {DUSTY} plan{'' if is_here else f' --world {world.name}'} shows what will be its own")


def remove(names: list[str], yes: bool, *, as_json: bool = False) -> int | None:
    """Remove worlds with all that is theirs."""
    from dusty_tasks.operations.worlds.making import read_named
    from dusty_tasks.operations.worlds.removing import refuse_lost_work

    names = list(dict.fromkeys(names))
    known = names_of_worlds(session.base_home())
    for name in names:
        if name not in known:
            read_named(name)  # raises
        refuse_lost_work(name)
    return remove_all(names, yes, as_json=as_json)


def prune(yes: bool, *, as_json: bool = False) -> int | None:
    """Remove the worlds whose worktrees are gone."""
    from dusty_tasks.effects.home.worlds import worlds_of
    from dusty_tasks.operations.worlds.making import lost_sources

    lost = {world.name: folders for world in worlds_of(session.base_home()) if (folders := lost_sources(world))}
    if not lost and not as_json:
        say("every world has its worktrees")
        return None
    for name, folders in lost.items():
        (say_aside if as_json else say)(f"{name}: {', '.join(map(under_home, folders))} is gone")
    return remove_all(list(lost), yes, as_json=as_json)


def remove_all(names: list[str], yes: bool, *, as_json: bool) -> int | None:
    """Ask, and remove them. With JSON nobody is asked, and the document says how far it came; otherwise raises Failure."""
    from dusty_tasks.operations.worlds.removing import remove_world

    whose = f"{', '.join(names)} with {'its' if len(names) == 1 else 'their'} containers and data"
    if not as_json:
        if not confirm(f"Remove {whose}?", yes=yes):
            return 1
        for name in names:
            remove_world(name)
            say(f"removed the world {name}")
        return None
    removed: list[str] = []
    failure = None if yes or not names else Failure(f"you have not agreed to remove {whose}", "--yes agrees")
    with aside() as heard:
        try:
            for name in () if failure else names:
                remove_world(name)
                removed.append(name)
        except Failure as error:
            failure = error
    left, problems = names[len(removed) :], failure.to_json()["problems"] if failure else []
    say_json(
        {"ok": failure is None, "removed": removed, "left": left, "problems": problems, "warnings": heard.warnings}
    )
    return failure.code if failure else None


def change(action: str, names: list[str], *, as_json: bool = False) -> None:
    """Let parts of the world that is meant be own, or shared again."""
    from dusty_tasks.operations.worlds.making import change_parts
    from dusty_tasks.operations.worlds.meaning import world_meant

    found = world_meant()
    if found.name == BASE:
        raise Failure(
            f"world {action} is about a world, and this is the base ({found.why})",
            f"type it in a worktree of the world, or DUSTY_WORLD=<name> {DUSTY} world {action} {' '.join(names)}",
        )
    change_parts(found.name, **{"own" if action == "own" else "shared": names})
    if as_json:
        say_json({"ok": True, "world": found.name, "names": names})
        return
    say(f"{', '.join(names)}: {'own' if action == 'own' else 'shared'} from the next {DUSTY} up of {found.name} on")
