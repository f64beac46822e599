"""Making a world: its name, its address, and where its code comes from. Nothing runs before its first `up`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.specs.repo_ids import Repo, repo_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.core.worlds.model import BASE, CLONE, World, free_address, name_from, unsupported, wrong_name
from dusty_tasks.effects.code.working_tree import read_branch
from dusty_tasks.effects.code.worktrees import add_worktree, remove_worktree, repo_of_tree, top_of, worktrees_below
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.home.worlds import LONGEST_WAIT, home_of, names_of_worlds, worlds_of, write_world
from dusty_tasks.operations.code.sources import check_source


class Wish(NamedTuple):
    """What was asked for."""

    name: str = ""
    repos: Mapping[str, str] = {}  # never changed
    """Repo id -> folder."""
    branches: Mapping[str, str] = {}
    """Repo id -> branch, for which a worktree is made."""
    bundles: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    data: str = CLONE


def repos_of_stack() -> dict[str, Repo]:
    """The repos that a world may take from elsewhere: those of the stack, and the specs repo."""
    found = dict(session.stack().repos)
    if session.settings().specs_repo:
        repo = repo_of(session.settings().specs_repo)
        found.setdefault(repo.id, repo)
    return found


def source_here(folder: str) -> tuple[str, str]:
    """(repo id, working tree) of the repo of the stack that `folder` is another working tree of; ('', '') if it is none, or the base's own."""
    tree = top_of(os.path.realpath(folder))
    if not tree:
        return "", ""
    common = repo_of_tree(tree)
    for repo_id, repo in repos_of_stack().items():
        source = os.path.realpath(session.settings().path_of(repo_id, repo.local_path))
        if source != tree and os.path.isdir(source) and top_of(source) == source and repo_of_tree(source) == common:
            return repo_id, tree
    return "", ""


def make_world(wish: Wish) -> World:
    """Write it down, and make its worktrees. Raises Failure; nothing is left of it then."""
    base = session.base_home()
    what, hint = unsupported(session.settings())
    if what:
        raise Failure(what, hint)
    _check_names(session.specs(), wish)
    repos, name = dict(wish.repos), wish.name
    if not repos and not wish.branches:
        repo_id, tree = source_here(os.getcwd())
        if repo_id:
            repos[repo_id] = tree
            name = name or name_from(read_branch(tree))
    if not name:
        raise Failure(
            "a world needs a name: this folder is no other working tree of a repo of the stack",
            f"{DUSTY} world new <name> --repo <repo>=<path>, or --branch <repo>=<branch>",
        )
    if wrong := wrong_name(name):
        raise Failure(wrong)
    if part := _taken_image(name, base):
        raise Failure(
            f"{name} cannot be the name of a world here: the image of {part} would have that of another part",
            "a world of another name has images of its own",
        )
    for path in repos.values():
        check_source(path, base)
    with held("worlds", verb="world new", home=base, wait=LONGEST_WAIT):
        if name in names_of_worlds(base):
            raise Failure(f"there is already a world named {name}", f"{DUSTY} world remove {name}, or another name")
        address = free_address(world.address for world in worlds_of(base))
        if not address:
            raise Failure("there are too many worlds: no address is left for one more", f"{DUSTY} world prune")
        home = home_of(base, name)
        shutil.rmtree(home, ignore_errors=True)  # What a killed `world new` left.
        made = {repo_id: f"{Paths(home).worktrees}/{repo_id}" for repo_id in wish.branches}
        world = World(
            name,
            address,
            {**repos, **made},
            made,
            wish.bundles,
            wish.own,
            wish.shared,
            wish.data,
            round(time.time(), 3),
        )
        os.makedirs(home, mode=0o700)
        write_world(home, world)
    try:
        for repo_id, branch in wish.branches.items():
            repo = repos_of_stack()[repo_id]
            add_worktree(session.settings().path_of(repo_id, repo.local_path), made[repo_id], branch)
    except BaseException:
        for tree in worktrees_below(Paths(home).worktrees):
            remove_worktree(tree)
        shutil.rmtree(home, ignore_errors=True)
        raise
    return world


def _taken_image(name: str, base: str) -> str:
    """A part whose image would be called in that world as one is in the base or another world: a part `fix-web`, and `web` in `fix`. ''."""
    stack, namespace = session.stack(), session.settings().namespace
    parts = [*stack.apps, *stack.services]
    others = [namespace, *(namespace.of_world(world) for world in names_of_worlds(base) if world != name)]
    taken = {other.built_image(part) for other in others for part in parts}
    return next((part for part in parts if namespace.of_world(name).built_image(part) in taken), "")


def _check_names(specs: Specs, wish: Wish) -> None:
    from dusty_tasks.operations.names import refuse_unknown

    for bundle in wish.bundles:
        if bundle not in specs.bundles:
            raise Failure(f'no bundle named "{bundle}"', did_you_mean(bundle, specs.bundles))
    refuse_unknown((*wish.own, *wish.shared), {*specs.apps, *specs.services})
    if both := sorted({*wish.own} & {*wish.shared}):
        raise Failure(f"{both[0]} cannot be both own and shared")


def read_named(name: str) -> World:
    """The world of that name. Raises Failure."""
    from dusty_tasks.effects.home.worlds import read_world

    base = session.base_home()
    world = read_world(home_of(base, name)) if not wrong_name(name) else None
    if world is None:
        what = f"{BASE} is no world" if name == BASE else f'there is no world named "{name}"'
        raise Failure(what, did_you_mean(name, names_of_worlds(base)))
    return world


def lost_sources(world: World) -> list[str]:
    """The folders of its repos that are gone."""
    return sorted(folder for folder in world.repos.values() if not os.path.isdir(folder))


def change_parts(name: str, *, own: Sequence[str] = (), shared: Sequence[str] = ()) -> World:
    """Let parts be own, or shared again, from the next `up` on. Raises Failure for one that cannot be shared; then nothing is changed."""
    from dusty_tasks.operations.worlds.deciding import decide_world

    base = session.base_home()
    with held("worlds", verb="world share", home=base, wait=LONGEST_WAIT):
        world = read_named(name)
        before = {part: is_own for part, is_own in (world.parts or {}).items() if part not in shared}
        wanted = world._replace(
            own=tuple(part for part in dict.fromkeys((*world.own, *own)) if part not in shared),
            shared=tuple(part for part in world.shared if part not in own and part not in shared),
            parts=before if world.parts is not None else None,
        )
        decided = decide_world(wanted, base).decision
        if still := [part for part in shared if part in decided.own]:
            # Only what a user asks for outweighs data that an own app would change.
            wanted = wanted._replace(shared=(*wanted.shared, *still))
            decide_world(wanted, base)
        write_world(home_of(base, name), wanted)
    return wanted
