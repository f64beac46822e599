"""The phases of an `up`, in their order. Between the first three and the others stands compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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
    Phase(
        "routing",
        "on a first run: see whether the engine's bridge can be bound here",
        before_plan.choose_routing,
        before_plan.was_compiled,
    ),
)
AFTER_COMPILE = (
    Phase("plan", "compare what is with what should be", planning.make_plan),
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
    Phase("ready", "wait until what was started is ready", ending.wait_until_ready, _none_of(*STARTING, AWAIT)),
    Phase("hosts", "write the hosts section", ending.write_hosts, _none_of(HOSTS)),
)
