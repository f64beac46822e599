"""The phases of an `up`, in their order. Between the first three and the others stands compile."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.change import (
    ASSETS,
    AWAIT,
    BUILD,
    CERTIFICATES,
    CLEAR,
    COMMAND_FILES,
    CREATE,
    HOSTS,
    NGINX,
    PULL,
    RECONNECT,
    RECREATE,
    RELOAD,
    RELOAD_CODE,
    REMOVE,
    RESTART,
    SPEC_FILES,
    START,
    STARTING,
    STOP,
    SYNC,
    UNPAUSE,
    Kind,
)
from dusty_tasks.operations.up import before_plan, changing, ending, planning, sending
from dusty_tasks.operations.up.run import Run

CONTAINER_KINDS = (CLEAR, REMOVE, STOP, CREATE, RECREATE, RESTART, START, UNPAUSE, RELOAD_CODE)


class Phase(NamedTuple):
    """One part of a run. `is_done` is asked when its turn comes, and raises nothing."""

    name: str
    doc: str
    act: Callable[[Run], None]
    is_done: Callable[[Run], bool] = lambda _run: False


def _none_of(*kinds: Kind) -> Callable[[Run], bool]:
    """True once there is a plan without changes of these kinds."""
    return lambda run: run.has_looked and not run.view.plan.of(*kinds)


def _is_base(_run: Run) -> bool:
    return not session.current().base


def _is_filled(run: Run) -> bool:
    if _is_base(run):
        return True
    from dusty_tasks.operations.worlds.filling import is_filled

    return is_filled(run)


def _fill_world(run: Run) -> None:
    from dusty_tasks.operations.worlds.filling import fill_world

    fill_world(run)


def _no_world_waits(run: Run) -> bool:
    """True unless something was made anew, and there are worlds."""
    return (
        not _is_base(run)
        or not any(change.kind in (CREATE, RECREATE) for change in run.deeds.done)
        or not os.path.isdir(session.paths().worlds)
    )


def _reconnect_worlds(run: Run) -> None:
    from dusty_tasks.operations.worlds.sharing import reconnect_worlds

    made = {change.name for change in run.deeds.done if change.kind in (CREATE, RECREATE)}
    found = {name: container for name, container in run.launcher.containers.items() if name in made}
    if worlds := reconnect_worlds(run.engine, found):
        say(f"reconnected to {', '.join(worlds)}, which use{'s' if len(worlds) == 1 else ''} what was made anew")


def _begin_world(run: Run) -> None:
    from dusty_tasks.operations.worlds.beginning import begin_world

    begin_world(run)


BEFORE_COMPILE = (
    Phase(
        "names",
        "refuse names that the stack does not have",
        before_plan.refuse_unknown_names,
        before_plan.names_nothing,
    ),
    Phase(
        "first_run", "choose the examples where nothing is configured", before_plan.choose, before_plan.is_configured
    ),
    Phase("repos", "fetch the managed repos", before_plan.fetch, before_plan.fetches_nothing),
    Phase("world", "of a world: decide what is its own, start and connect what it shares", _begin_world, _is_base),
    Phase(
        "routing",
        "on a first run: see whether the engine's bridge can be bound here",
        before_plan.choose_routing,
        before_plan.was_compiled,
    ),
)
AFTER_COMPILE = (
    Phase("plan", "compare what is with what should be", planning.make_plan),
    Phase("data", "of a world: copy the data of what became its own", _fill_world, _is_filled),
    Phase("images", "pull and build what is missing", sending.get_images, _none_of(PULL, BUILD)),
    Phase(
        "push", "push command files and assets", sending.push, _none_of(COMMAND_FILES, SPEC_FILES, ASSETS, CERTIFICATES)
    ),
    Phase("sync", "sync changed repos", sending.sync, _none_of(SYNC)),
    Phase(
        "containers",
        "remove, create, recreate, restart, start",
        changing.change_containers,
        _none_of(*CONTAINER_KINDS, NGINX),
    ),
    Phase(
        "proxy",
        "push, test and load the proxy's config",
        changing.load_proxy_config,
        _none_of(NGINX, RELOAD, RECONNECT),
    ),
    Phase(
        "certificates",
        "remove certificates that the proxy no longer uses",
        ending.remove_unused_certificates,
        ending.has_no_unused_certificates,
    ),
    Phase("worlds", "put what was made anew on the networks of worlds", _reconnect_worlds, _no_world_waits),
    Phase("ready", "wait until what was started is ready", ending.wait_until_ready, _none_of(*STARTING, AWAIT)),
    Phase("hosts", "write the hosts section", ending.write_hosts, _none_of(HOSTS)),
)
