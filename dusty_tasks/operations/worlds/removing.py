"""Removing a world: its containers, network, data, copies, hosts lines and the worktrees that Dusty made. What was removed already is fine."""

from __future__ import annotations

import os
import shutil
from typing import Any

from dusty_tasks import session
from dusty_tasks.core.of_verbs.disk import is_of_project
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import CONFIG_LABEL, PROJECT_LABEL, Namespace
from dusty_tasks.core.text.paths import HOSTS_FILE, WORLDS_THERE, Paths
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.code.worktrees import remove_worktree, work_in
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import remove_folders
from dusty_tasks.effects.home.worlds import home_of, read_world
from dusty_tasks.operations.machine.consent import Consent
from dusty_tasks.operations.worlds.sharing import Shared

WAIT = 60.0


def refuse_lost_work(name: str) -> None:
    """Raise Failure if a worktree that Dusty made holds work that would be lost."""
    try:
        world = read_world(home_of(session.base_home(), name))
    except Failure:
        return
    for repo_id, tree in (world.made if world else {}).items():
        if work := work_in(tree):
            raise Failure(
                f"{name} stays: {tree}, the worktree of {repo_id} that it was made with, has {work}",
                f"commit them there, then {DUSTY} world remove {name}",
            )


def remove_world(name: str) -> None:
    """Raises Failure; what is left then is removed by the next call."""
    base = session.base_home()
    home = home_of(base, name)
    refuse_lost_work(name)
    with held("up", verb="world remove", home=base, wait=WAIT), held("up", verb="world remove", home=home, wait=WAIT):
        world = _world_or_none(home)
        _remove_from_engine(world, base, name)
        for tree in (world.made if world else {}).values():
            remove_worktree(tree)
        _remove_hosts_lines(home)
        shutil.rmtree(home)


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


def _remove_hosts_lines(home: str) -> None:
    """The section without them; where that cannot be written now, the next `up` does it."""
    compiled = Paths(home).artifact(HOSTS_FILE)
    if not os.path.exists(compiled):
        return
    os.unlink(compiled)
    from dusty_tasks.operations.machine.hosts import write_section

    if session.settings().hosts_mode == "file" and session.settings().hosts_agreed:
        write_section(Consent(yes=False))
