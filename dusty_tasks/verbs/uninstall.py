"""`dusty uninstall`: remove what Dusty put on this machine, after listing it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import confirm, may_ask, say, table_within, warn, width
from dusty_tasks.core.of_verbs import disk as core
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import COMMANDS_THERE, COMPOSE_FILE, EXCHANGED, PERSIST
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine.acts import run_remove, run_remove_image, run_remove_network, run_remove_volume
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import read_usage
from dusty_tasks.effects.hosts import helper as helper_install
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.effects.machine import user_shell
from dusty_tasks.verbs.shared.words import exactly

ORDER = (
    "world",
    "container",
    "network",
    "volume",
    "hosts section",
    "hosts helper",
    "link",
    "completion",
    "certificate authority",
    "folders",
    "image",
    "folder",
)


class Removal(NamedTuple):
    """One thing to remove."""

    kind: str
    name: str
    detail: str
    away: Callable[[], object]


def run(words: list[str], purge: bool = False, yes: bool = False) -> int | None:
    """List, ask, remove. What cannot be removed is said, and the rest goes all the same."""
    exactly("uninstall", "", words)
    removals, trouble = on_the_engine(purge)
    removals += worlds()
    removals += [*on_this_machine(), *authority_of_https()]
    if purge:
        removals += data()
    # Files of root's in persist/ may need a container, so images go after them; DUSTY_HOME, which holds the lock, goes last.
    removals.sort(key=lambda removal: ORDER.index(removal.kind))
    for line in trouble:
        warn(line)
    if not removals:
        say(
            "there is nothing of Dusty's to remove"
            + ("" if purge else "; --purge also removes persist/ and DUSTY_HOME, if they are there")
        )
        return 2 if trouble else None
    say(
        table_within(
            width(), ("to be removed", "", ""), [(removal.kind, removal.name, removal.detail) for removal in removals]
        )
    )
    if purge:
        for line in unsaved_work():
            warn(line)
    question = (
        "Remove all of this? The contents of persist/ and DUSTY_HOME cannot be restored"
        if purge
        else "Remove all of this? persist/ and DUSTY_HOME stay"
    )
    if not confirm(f"{question}.", yes=yes):
        return 1
    kept = remove(removals)
    if kept or trouble:
        return 2
    say("done" if purge else f"done; {session.home()} and persist/ are still there (--purge removes them)")
    return None


def remove(removals: list[Removal]) -> int:
    """Do it, in order; how many things stay."""
    # A world takes the lock itself.
    kept = sum(not is_removed(removal) for removal in removals if removal.kind == "world")
    with held("up", verb="uninstall", home=session.home()):
        for removal in removals:
            if removal.kind == "folder":
                session.docker_host().close()  # the shared connection's socket lies in there
            kept += removal.kind != "world" and not is_removed(removal)
    return kept


def is_removed(removal: Removal) -> bool:
    """Do one of them; False, said with the reason, if it stays."""
    try:
        removal.away()
    except (Failure, OSError) as error:
        warn(f"{removal.kind} {removal.name} stays: {error}")
        return False
    return True


def worlds() -> list[Removal]:
    """The worlds, which end with the base that they share parts with. Raises Failure if a worktree that Dusty made holds work."""
    from dusty_tasks.effects.home.worlds import names_of_worlds
    from dusty_tasks.operations.worlds.removing import refuse_lost_work, remove_world

    names = names_of_worlds(session.base_home())
    for name in names:
        refuse_lost_work(name)
    return [Removal("world", name, "its containers, data and copies", partial(remove_world, name)) for name in names]


def on_the_engine(purge: bool) -> tuple[list[Removal], list[str]]:
    """Containers, networks and images, with --purge the named volumes as well; and why some of it cannot be seen. Raises Failure for
    another owner's.
    """
    from dusty_tasks.effects.docker_host.files import read_host_json
    from dusty_tasks.effects.observe.docker_host import VOLUMES

    engine = Engine(session.docker_host())
    namespace = engine.host.namespace
    try:
        check_owner(engine)
        usage = read_usage(engine)
        networks = [entry for entry in engine.get("/networks") if core.is_ours(entry.get("Labels"), namespace)]
    except EngineDown as down:
        return [], [f"{down.what}: what is on it stays"]
    found = [
        Removal("container", item.name, item.detail, partial(run_remove, engine, item.id))
        for item in core.containers(usage, namespace)
    ]
    found += [
        Removal("network", entry["Name"], "", partial(run_remove_network, engine, entry["Id"])) for entry in networks
    ]
    if purge:
        own, others = core.own_volumes(usage, read_host_json(engine.host, VOLUMES), namespace)
        found += [
            Removal(
                "volume",
                item.name,
                size_text(item.size),
                partial(run_remove_volume, engine, item.id),
            )
            for item in own
        ]
        if others:
            names = [item.name for item in others]
            warn(
                f"not made by this stack as far as it knows, or used by containers that are not Dusty's, so it stays: {', '.join(names)}\n"
                f"    hint: what is yours goes with docker volume rm {' '.join(names)}"
            )
    found += [
        Removal(
            "image",
            item.name,
            size_text(item.size),
            partial(run_remove_image, engine, item.id, force=True),
        )
        for item in core.made_images(usage, namespace)
    ]
    return found, []


def check_owner(engine: Engine) -> None:
    """Another DUSTY_HOME's containers and data are never removed. Raises Failure."""
    from dusty_tasks.core.plan.found import Found, foreign_owner
    from dusty_tasks.effects.docker_host.files import read_host_json
    from dusty_tasks.effects.engine.reads import read_containers
    from dusty_tasks.effects.observe.docker_host import OWNER
    from dusty_tasks.operations.launch.preconditions import own_owner

    found = Found(containers=read_containers(engine), owner=read_host_json(engine.host, OWNER) or None)
    other = foreign_owner(found, own_owner(), session.paths().artifact(COMPOSE_FILE))
    if other:
        raise Failure(
            f"the containers or the data on {engine.host.name} belong to {other}",
            f"{DUSTY} uninstall as that user; or {DUSTY} up --adopt first",
        )


def on_this_machine() -> list[Removal]:
    """The section in the hosts file, the helper and its rule, the link and the completion."""
    found = []
    if hosts_file.found_section(hosts_file.read_hosts_file()):
        found.append(Removal("hosts section", hosts_file.HOSTS_PATH, "", remove_section))
    if paths := helper_install.installed_paths():
        found.append(
            Removal(
                "hosts helper",
                ", ".join(paths),
                "",
                lambda: helper_install.run_as_root(helper_install.uninstall_script(), may_ask=may_ask(), say=say),
            )
        )
    for left in user_shell.found_setup():
        detail = "Dusty's lines in it" if left.kind == "lines" else ""
        found.append(
            Removal(
                "link" if left.kind == "link" else "completion", left.path, detail, partial(user_shell.undo_setup, left)
            )
        )
    return found


def authority_of_https() -> list[Removal]:
    """The certificate authority: in the stores of this machine, with its key and what it signed."""
    from dusty_tasks.operations.launch.certificates import remove_pushed
    from dusty_tasks.operations.machine import authority

    folder = session.paths().https
    if not os.path.isdir(folder):
        return []
    try:
        stores = [place.store.title for place in authority.places() if place.state != "missing"]
    except Failure:  # There is none: what is in the folder is of no use.
        stores = []

    def away() -> None:
        if stores:
            authority.uninstall(yes=True)
        remove_pushed(session.docker_host())
        shutil.rmtree(folder)

    return [Removal("certificate authority", folder, f"trusted by {', '.join(stores)}" if stores else "", away)]


def remove_section() -> None:
    """Take the section out of the hosts file. Raises Failure."""
    outcome = hosts_file.write_hosts_section(hosts_file.EMPTY_SECTION, may_ask=may_ask(), say=say)
    if not outcome.done:
        raise Failure(outcome.what, outcome.hint)


def data() -> list[Removal]:
    """What lies on the Docker host below host.root, then DUSTY_HOME itself."""
    from dusty_tasks.effects.engine.persist import read_persist, remove_folders
    from dusty_tasks.verbs.disk import helper_image

    host, home = session.docker_host(), session.home()
    names = [PERSIST, COMMANDS_THERE, EXCHANGED]
    size = sum(read_persist(host)[1].values())
    found = [
        Removal(
            "folders",
            f"{', '.join(names)} in {host.root} of {host.name}",
            f"{size_text(size)} in persist/",
            lambda: remove_folders(host, names, helper_image()),
        )
    ]
    check_home(home)
    return (
        [*found, Removal("folder", home, "DUSTY_HOME", lambda: shutil.rmtree(home))] if os.path.isdir(home) else found
    )


def check_home(home: str) -> None:
    """Raise Failure unless the folder is surely Dusty's own."""
    own = os.path.realpath(home)
    users = os.path.realpath(os.path.expanduser("~"))
    if (
        own == "/"
        or users == own
        or users.startswith(f"{own}/")
        or not {"config.yml", "state", "build"} & set(os.listdir(home) if os.path.isdir(home) else ("state",))
    ):
        raise Failure(f"{home} does not look like a folder of Dusty's own, so it is not removed", "remove it by hand")


def unsaved_work() -> list[str]:
    """Managed clones with commits or edits that are nowhere else."""
    from dusty_tasks.effects.code.clones import Clone

    found = []
    for folder, names, _files in os.walk(session.paths().repos):
        if ".git" in names:
            state = Clone(folder).state()
            names.clear()
            if state != "clean":
                found.append(f"{folder} contains work of yours ({state}), which goes with DUSTY_HOME")
    return found
