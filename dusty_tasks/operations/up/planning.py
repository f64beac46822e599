"""The plan of an `up`, and what must hold before any of it is done."""

from __future__ import annotations

import shutil

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.change import BUILD, CREATE, HOSTS, RECREATE, STARTING
from dusty_tasks.core.plan.container_state import RUNNING
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code import repos
from dusty_tasks.operations.look import look
from dusty_tasks.operations.names import refuse_unknown
from dusty_tasks.operations.up.run import Run


def make_plan(run: Run) -> None:
    """Read reality once; with something to do, take the lock, read it again and check what must hold before any change.

    Raises Failure where it does not, StartOver where other ports have to be compiled.
    """
    from dusty_tasks.effects.doors.lock import last_taken
    from dusty_tasks.operations.machine import trust

    refuse_unknown(run.options.names, {container.name for container in session.wanted().containers})
    trust.require(session.wanted())
    _check_assets()
    if not run.options.no_pull:
        run.fetches += repos.fetch_missing()
    seen = last_taken("up", session.home())
    _begin_reading(run)
    if run.view.engine_trouble:
        raise Failure(run.view.engine_trouble, code=2)  # It answered a moment ago.
    if run.view.found.unfinished_restore:
        from dusty_tasks.operations.launch.preconditions import refuse_unfinished_restore

        refuse_unfinished_restore(run.view.found.unfinished_restore)
    run.plan = run.view.plan
    if not run.plan.changes:
        _note_states(run)
        return
    # Between the first look and the lock another run may have come and gone.
    is_news = run.lock_file is None and last_taken("up", session.home()) != seen
    run.take_lock()
    if run.view.plan.of(CREATE, RECREATE, BUILD) or shutil.which("rsync") is None:
        from dusty_tasks.operations.machine.preflight import renew_stand_ins

        run.ensure_tools()
        renew_stand_ins(say, session.docker_host().engine_environment())
        is_news = True
    if is_news:
        run.view = look(run.engine, run.options.planning)
    if run.view.engine_trouble:
        raise Failure(run.view.engine_trouble, code=2)
    _check_all(run)
    _ask_for_changes_here(run)
    run.receipts, run.plan = run.view.found.receipts, run.view.plan


def _check_assets() -> None:
    from dusty_tasks.effects.home.assets import set_keys

    wanted = session.wanted()
    if session.settings().asset_commands:
        from dusty_tasks.operations.launch.asset_commands import read_due_assets

        read_due_assets(wanted.assets)
    required = {key: use["required_by"] for key, use in wanted.assets.items() if use.get("required_by")}
    missing = sorted(required.keys() - set_keys(session.base_home())) if required else []
    if missing:
        lines = "".join(f"\n    {key}, required by {', '.join(required[key])}" for key in missing)
        raise Failure(f"required assets are not set:{lines}", f"{DUSTY} assets set <KEY> <path>")


def _begin_reading(run: Run) -> None:
    """The first look; a Docker host that is off is started (under the lock), an engine that is missing is brought, a changed host.daemon applied."""
    if not run.view.engine_trouble and not _has_other_daemon(run):
        return
    from dusty_tasks.operations.machine.docker_host import ensure_running

    run.take_lock()
    if run.engine.host.has_engine_here:
        run.ensure_tools()
    ensure_running(run.engine, yes=run.options.yes)
    run.forget_engine()


def _has_other_daemon(run: Run) -> bool:
    """True if host.daemon was changed since it was last put on the Docker host."""
    if session.settings().host.daemon is None:
        return False
    from dusty_tasks.effects.docker_host.vm import is_daemon_in_place

    return not is_daemon_in_place(run.engine.host)


def _note_states(run: Run) -> None:
    """Keep in mind whose work is done, which the engine forgets, and who answers by now: the next run would have to ask again.

    Not worth waiting for.
    """
    from dusty_tasks.effects.doors.lock import Busy

    found = run.view.found
    records = {
        container.name: found.started.get(container.container_name) or {} for container in run.view.wanted.containers
    }
    finished = [name for name in found.finished if name in records and not records[name].get("finished")]
    ready = [
        name
        for name, record in records.items()
        if record.get("ready") is False and run.view.states[name].name == RUNNING
    ]
    if not finished and not ready:
        return
    try:
        run.take_lock()
    except Busy:
        return
    run.launcher.note_states(finished, ready)


def _check_all(run: Run) -> None:
    """What must hold before any change. Raises Failure for the first that does not."""
    from dusty_tasks.operations.launch.preconditions import PortsKept, check_before_changes

    try:
        check_before_changes(run.engine, run.view, adopt=run.options.adopt)
    except PortsKept as kept:
        from dusty_tasks.operations.up.changing import start_over_without

        start_over_without(run, kept.addresses)
        raise
    if not run.view.plan.of(*STARTING):
        return
    from dusty_tasks.operations.launch.mount_links import refuse_links

    refuse_links((container.mapping for container in run.view.wanted.containers), session.docker_host())
    if session.settings().sync_mode == "bind":
        from dusty_tasks.operations.code.bound_mounts import ensure_mount_points, trees_of_stack

        ensure_mount_points(
            {container.container_name: container.mapping for container in run.view.wanted.containers},
            trees_of_stack(),
            yes=run.options.yes,
        )


def _ask_for_changes_here(run: Run) -> None:
    """What this run will do to this machine beside containers, where it was not agreed to yet: one question, before any change."""
    from dusty_tasks.operations.machine import first_run
    from dusty_tasks.operations.machine.hosts import item_of_hosts, needs_password

    hosts, offers = item_of_hosts() if run.view.plan.of(HOSTS) else [], first_run.offers()
    if not offers and (not hosts or needs_password()):
        return  # Where sudo asks for a password anyway, the question comes with that, when all is up.
    run.consent.to(*hosts, *offers)
    first_run.accept_offers(run.consent)
