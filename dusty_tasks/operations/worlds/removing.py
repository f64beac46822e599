"""Removing a world: its containers, network, data, copies, hosts lines and the worktrees that Dusty made. What was removed already is fine."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import warn
from dusty_tasks.core.of_verbs.disk import is_of_project
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import CONFIG_LABEL, PROJECT_LABEL, Namespace
from dusty_tasks.core.text.paths import HOSTS_FILE, WORLD_FILE, WORLDS_THERE, Paths
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.code.worktrees import forget_worktree, remove_worktree, work_in, worktrees_below
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import remove_folders
from dusty_tasks.effects.home.worlds import home_of, read_world, worlds_of
from dusty_tasks.operations.machine.consent import Consent
from dusty_tasks.operations.worlds.sharing import Shared

WAIT = 60.0


def refuse_lost_work(name: str) -> None:
    """Raise Failure if a worktree that Dusty made holds work that would be lost, or another world takes a repo from one. It looks at what
    lies there: the world's file may be damaged.
    """
    base = session.base_home()
    below = Paths(home_of(base, name)).worktrees
    for tree in worktrees_below(below):
        if work := work_in(tree):
            raise Failure(
                f"{name} stays: {tree}, the worktree of {os.path.relpath(tree, below)} that it was made with, has {work}",
                f"commit them there, then {DUSTY} world remove {name}",
            )
    inside = f"{os.path.realpath(below)}/"
    for other in worlds_of(base):
        if other.name != name and any(f"{os.path.realpath(path)}/".startswith(inside) for path in other.repos.values()):
            raise Failure(
                f"{name} stays: {other.name} takes a repo from one of its worktrees",
                f"{DUSTY} world remove {other.name}",
            )


def remove_world(name: str) -> None:
    """Raises Failure; what is left then is removed by the next call."""
    base = session.base_home()
    home = home_of(base, name)
    refuse_lost_work(name)
    with held("up", verb="world remove", home=base, wait=WAIT), held("up", verb="world remove", home=home, wait=WAIT):
        world = _world_or_none(home)
        _remove_from_engine(world, base, name)
        for tree in worktrees_below(Paths(home).worktrees):
            remove_worktree(tree)
        _forget_lost(world)
        _remove_hosts_lines(home, world)
        _remove_folder(home)


def _remove_folder(home: str) -> None:
    """The file that tells it is a world's goes last, so that a call which is killed can be made again."""
    for entry in os.scandir(home):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        elif entry.name != WORLD_FILE:
            os.unlink(entry.path)
    shutil.rmtree(home)


def _forget_lost(world: World | None) -> None:
    """Let the repos forget worktrees whose folders are gone; of specs that are broken it is not known where repos lie."""
    from dusty_tasks.operations.worlds.making import repos_of_stack

    with suppress(Failure):
        repos = repos_of_stack() if world and world.made else {}
        for repo_id, tree in (world.made if world else {}).items():
            if repo_id in repos:
                forget_worktree(session.settings().path_of(repo_id, repos[repo_id].local_path), tree)


def _remove_from_engine(world: World | None, base: str, name: str) -> None:
    with session.begun(session.Session(base)):
        engine, settings = Engine(session.docker_host()), session.settings()
        namespace = settings.namespace.of_world(name)
        for container in _own_containers(engine.get("/containers/json?all=1"), namespace, home_of(base, name)):
            acts.run_remove(engine, container["Id"])
        Shared(base, name).remove_network()
        for volume in engine.get("/volumes").get("Volumes") or ():
            if is_of_project(volume.get("Labels"), namespace):
                acts.run_remove_volume(engine, volume["Name"])
        built = {namespace.built_image(part) for part in (world.parts or {})} if world else set()
        for image in engine.get("/images/json"):
            for tag in image.get("RepoTags") or ():
                if tag.rpartition(":")[0] in built or tag.startswith(namespace.test_image("")):
                    acts.run_remove_image(engine, tag, force=True)
        remove_folders(engine.host, [f"{WORLDS_THERE}/{name}"], settings.nginx_image)


def _own_containers(listing: list[dict[str, Any]], namespace: Namespace, home: str) -> list[dict[str, Any]]:
    """Raises Failure where another DUSTY_HOME has a world of that name on this engine."""
    found = [entry for entry in listing if is_of_project(entry.get("Labels"), namespace)]
    for entry in found:
        labels = entry["Labels"]
        files = str(labels.get(CONFIG_LABEL, ""))
        if labels.get(PROJECT_LABEL) == namespace.project and files and not files.startswith(f"{home}/"):
            raise Failure(
                f"the containers of {namespace.project} on this engine are not those of this DUSTY_HOME: they come from {files}",
                "docker rm removes them by hand, if nobody needs them",
            )
    return found


def _world_or_none(home: str) -> World | None:
    try:
        return read_world(home)
    except Failure:
        return None


def _remove_hosts_lines(home: str, world: World | None) -> None:
    """The section without them, also where a call that was killed has removed the file; where it cannot be written, that is said."""
    from dusty_tasks.effects.hosts.section import found_section, read_hosts_file
    from dusty_tasks.operations.machine.hosts import write_section

    compiled = Paths(home).artifact(HOSTS_FILE)
    is_there = os.path.exists(compiled)
    if not is_there and not (world and f"{world.address} ".encode() in found_section(read_hosts_file())):
        return
    if is_there:
        os.unlink(compiled)

    if session.settings().hosts_mode == "file" and session.settings().hosts_agreed:
        written = write_section(Consent(yes=False))
        if written.failure:
            warn(str(written.failure))
