"""`dusty disk`: what takes space; clean up, back up and restore /persist."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from dusty_tasks import __version__, session
from dusty_tasks.console import confirm, progress, say, table_within, warn, width
from dusty_tasks.core.of_verbs import disk as core
from dusty_tasks.core.of_verbs.backup import BEING_PUT_BACK
from dusty_tasks.core.of_verbs.disk import Item
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import SNAPSHOTS_BELOW
from dusty_tasks.core.text.wording import counted, size_text
from dusty_tasks.effects.code.kept import read_sets
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine.acts import run_remove, run_remove_image
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import read_persist
from dusty_tasks.effects.engine.reads import list_containers, read_usage
from dusty_tasks.effects.observe.docker_host import read_unfinished
from dusty_tasks.verbs.shared.counting import counter
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path, misuse, say_json

ACTIONS = ("inspect", "cleanup_containers", "cleanup_images", "backup", "restore", "adopt")


def run(words: list[str], yes: bool = False, json: bool = False) -> int | None:
    """No word: inspect."""
    action, rest = action_of("disk", words, ACTIONS, "inspect")
    if action == "restore" and not rest and is_restore_unfinished():
        go_on()
        return None
    if action == "adopt":
        if len(rest) != 2:
            raise misuse("disk", "disk adopt needs a volume or folder, and a service")
        return adopt(rest[0], rest[1], yes)
    if action in ("backup", "restore"):
        (path,) = exactly("disk", action, rest, "a folder for the archive" if action == "backup" else "an archive")
        return backup(local_path(path)) if action == "backup" else restore(local_path(path), yes)
    exactly("disk", action, rest)
    if action == "inspect":
        inspect(json)
        return None
    return cleanup_containers(yes) if action == "cleanup_containers" else cleanup_images(yes)


def inspect(as_json: bool) -> None:
    """The Docker host's disk, Dusty's containers, images and volumes, and persist/ by folder."""
    host = session.docker_host()
    usage = read_usage(Engine(host))
    disk, persist = read_persist(host)
    kept = read_sets(host)
    items = [
        *core.containers(usage, host.namespace),
        *core.images(usage, named_images(), host.namespace),
        *core.volumes(usage, host.namespace),
    ]
    if as_json:
        say_json(
            {
                "root": host.root,
                "disk": disk,
                "items": [item._asdict() for item in items],
                "persist": persist,
                "kept": [one._asdict() for one in kept],
            }
        )
        return
    if disk:
        say(
            f"disk of {host.name} at {host.root}: {size_text(disk['used'])} used, {size_text(disk['free'])} free of {size_text(disk['size'])}"
        )
    rows = [(item.kind, item.name, size_text(item.size), item.detail) for item in items]
    made_again = [name for name in _made_again() if not (kept and name == ".dusty")]
    rows += [("persist", name, size_text(size), _detail(name, made_again)) for name, size in persist.items()]
    names = shown_names([*(one.repo_id for one in kept), *_repos_of_stack()])
    rows += [
        (
            "kept",
            f"{names[one.repo_id]} {one.time}",
            size_text(one.size),
            "left by an interrupted sync for the next one"
            if one.is_part
            else f"{DUSTY} sync {names[one.repo_id]} --restore {one.time}",
        )
        for one in kept
    ]
    say(table_within(width(), ("what", "name", "size", ""), rows) if rows else "nothing of Dusty's uses space there")


def _detail(name: str, made_again: Sequence[str]) -> str:
    """What is to be said of a folder of persist/."""
    if name == SNAPSHOTS_BELOW:
        return f"{DUSTY} data lists them; shared blocks count in full"
    return "recreated by up" if name in made_again else ""


def _repos_of_stack() -> list[str]:
    try:
        return [entry.id for entry in session.wanted().repos]
    except Failure:
        return []


def _made_again() -> tuple[str, ...]:
    from dusty_tasks.core.of_verbs.backup import MADE_AGAIN

    return MADE_AGAIN


def named_images() -> set[str]:
    """The images that the specs name; while the specs are broken only the proxy's, which is said."""
    try:
        return core.named_images(session.specs(), session.settings().nginx_image)
    except Failure as failure:
        warn(f"the specs cannot be read, so their images are left out: {str(failure).splitlines()[0]}")
        return {session.settings().nginx_image}


def cleanup_containers(yes: bool) -> int | None:
    """Remove containers of Dusty's that do not run, with their anonymous volumes."""
    engine = Engine(session.docker_host())
    items = core.ended_containers(read_usage(engine), engine.host.namespace)
    return remove("container", items, yes, lambda item: run_remove(engine, item.id))


def cleanup_images(yes: bool) -> int | None:
    """Remove images that nothing uses: nameless ones that Dusty built, and those that the specs name."""
    engine = Engine(session.docker_host())
    items = core.unused_images(read_usage(engine), named_images(), engine.host.namespace)
    return remove("image", items, yes, lambda item: run_remove_image(engine, item.id))


def remove(what: str, items: Sequence[Item], yes: bool, away: Callable[[Item], Any]) -> int | None:
    """List, ask, remove. What somebody began to use meanwhile stays, and is said."""
    if not items:
        say(f"no {what}s to clean up")
        return None
    say(table_within(width(), (what, "size", ""), [(item.name, size_text(item.size), item.detail) for item in items]))
    if not confirm(f"Remove {counted(len(items), what)} ({size_text(sum(item.size for item in items))})?", yes=yes):
        return 1
    kept = 0
    with held("up", verb="disk", home=session.home()):
        for item in items:
            try:
                away(item)
            except EngineRefused as refused:
                kept += 1
                warn(f"{item.name} stays: {refused}")
    say(f"removed {len(items) - kept} of {counted(len(items), what)}")
    return 2 if kept else None


def backup(folder: str) -> int | None:
    """One archive of persist/ without what `up` makes again."""
    from dusty_tasks.core.of_verbs.backup import folders
    from dusty_tasks.effects.engine.persist import ARCHIVE, NAMED, write_backup

    host = session.docker_host()
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder} is not a folder that can be written to: {error.strerror}") from error
    running = running_names()
    if running:
        warn(
            f"{', '.join(running)} {'is' if len(running) == 1 else 'are'} running: files that change now may be in the backup half-written ({DUSTY} stop)"
        )
    path = os.path.join(folder, f"{NAMED}{time.strftime('%Y%m%d-%H%M%S')}{ARCHIVE}")
    facts = {
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "by": f"{getpass.getuser()}@{socket.gethostname()}",
        "dusty": __version__,
        "host": host.name,
        "root": host.root,
    }
    with counter("backup") as count:
        entries, changed = write_backup(host, path, helper_image(), facts, count)
    for line in changed:
        warn(line)
    say(
        f"wrote {path}: {', '.join(found.name for found in folders(entries)) or 'nothing, persist/ is empty'}, "
        f"{size_text(sum(entry.size for entry in entries))} in {len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
    )
    return None


def restore(path: str, yes: bool) -> int | None:
    """Check all of the archive, show what it replaces, ask, and put it back."""
    from dusty_tasks.core.of_verbs.backup import folders
    from dusty_tasks.effects.engine.persist import read_backup
    from dusty_tasks.effects.engine.restore import restore_backup

    with counter("checking the archive") as count:
        manifest, entries = read_backup(path, count)
    check_nothing_runs()
    found = folders(entries)
    if not found:
        say("the backup is sound and empty: nothing to restore")
        return None
    _, there = read_persist(session.docker_host())
    say(
        f"backup of {manifest.get('made')} by {manifest.get('by')}, from {manifest.get('root')} of {manifest.get('host')}"
    )
    say(
        table_within(
            width(),
            ("persist/", "in the backup", "entries", "there now"),
            [
                (
                    folder.name,
                    size_text(folder.size),
                    str(folder.entries),
                    size_text(there[folder.name]) if folder.name in there else "-",
                )
                for folder in found
            ],
        )
    )
    replaced = [folder.name for folder in found if folder.name in there]
    question = f"Replace {', '.join(replaced)} with what is in the backup?" if replaced else "Restore this?"
    if not confirm(question, yes=yes):
        return 1
    with held("up", verb="disk restore", home=session.home()), counter("restore") as count:
        restore_backup(session.docker_host(), path, [folder.name for folder in found], helper_image(), count)
    say(f"restored {', '.join(folder.name for folder in found)}")
    return None


def adopt(source: str, target: str, yes: bool) -> int | None:
    """Put a copy of data that another stack left in place of what a service keeps, after asking."""
    from dusty_tasks.core.of_verbs.snapshots import BEFORE_ADOPT
    from dusty_tasks.operations import adopting
    from dusty_tasks.verbs.data import keeping, warn_of

    service, _, path = target.partition(":")
    (service,) = keeping([service])
    engine = Engine(session.docker_host())
    is_here = not session.settings().host.is_elsewhere
    found = adopting.find(engine, local_path(source) if is_here and "/" in source else source, service, path)
    now = f"{found.place} ({size_text(found.size)})" if found.size else f"{found.place}, where nothing is yet,"
    question = f"Replace what {service} keeps in {now} with a copy of {found.source} ({size_text(found.source_size)})?"
    if not confirm(question, yes=yes):
        return 1
    with progress("copying") as tell:
        is_started, late = adopting.adopt(engine, found, tell)
    say(f"{service} has a copy of {found.source}, which is as it was")
    warn_of(late)
    if found.size:
        say(f"what it replaced is kept: {DUSTY} data restore {BEFORE_ADOPT} brings it back")
    if not is_started:
        say(f"{DUSTY} up starts {service} with it")
    return 1 if late else None


def is_restore_unfinished() -> bool:
    """True if `restore` without an archive has something to do: to finish one that was broken off."""
    return BEING_PUT_BACK in read_unfinished(session.docker_host())


def go_on() -> None:
    """Finish a restore that was broken off: all of its backup has arrived."""
    from dusty_tasks.effects.engine.restore import finish_restore

    with held("up", verb="disk restore", home=session.home()):
        check_nothing_runs()
        finish_restore(session.docker_host(), helper_image())
    say("finished the interrupted restore")


def check_nothing_runs() -> None:
    """Raise Failure if containers of Dusty's run."""
    running = running_names()
    if running:
        raise Failure(
            f"{', '.join(running)} {'is' if len(running) == 1 else 'are'} running, and a restore would replace files in use",
            f"{DUSTY} stop",
        )


def running_names() -> list[str]:
    """Dusty's containers that have files open, or may have: those that run, are paused, or are being started again."""
    return [container.name for container in list_containers(session.docker_host()) if container.is_stoppable]


def helper_image() -> str:
    """An image with sh and tar, for callers who are not root on a local engine."""
    return session.settings().nginx_image
