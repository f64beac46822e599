"""Before `up` compiles: the names that were typed, a first run's choices, the managed repos, and the way nginx reaches apps."""

from __future__ import annotations

import os
import shutil

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code import repos
from dusty_tasks.operations.up.run import Run


def names_nothing(run: Run) -> bool:
    """True for an `up` of all that is active."""
    return not run.options.names


def refuse_unknown_names(run: Run) -> None:
    """Before anything is asked, installed or fetched. Raises Failure for a name that neither the specs here nor, where they are
    fetched, their newest commit has in the stack. Where that cannot be known yet the plan refuses it.
    """
    from dusty_tasks.operations.names import refuse_unknown, stack_names

    known = stack_names()
    if known and not set(run.options.names) <= known and not fetches_nothing(run) and shutil.which("git"):
        run.fetches += repos.fetch_specs(is_reset_wanted=run.options.reset_repos)
        known = stack_names()
    if known:
        refuse_unknown(run.options.names, known)


def is_configured(_run: Run) -> bool:
    """True unless this is a first run."""
    from dusty_tasks.operations.machine import first_run

    return first_run.is_configured()


def choose(run: Run) -> None:
    """A first run: the tools, what it does to this machine, and the example specs."""
    from dusty_tasks.operations.machine import first_run

    also = first_run.items_of_a_first_run()
    # First, so that the examples become real git repos.
    run.ensure_tools(also)
    run.consent.to(*also)
    first_run.accept_offers(run.consent)
    first_run.choose_examples()


def fetches_nothing(run: Run) -> bool:
    """True where no repo is to be fetched: `--no-pull`, or none is due."""
    try:
        return run.options.no_pull or not repos.is_any_due()
    except Failure:
        return False


def fetch(run: Run) -> None:
    """Bring the specs repo and the repos of the stack up to date; a failed fetch of a repo that has a clone is a warning."""
    if shutil.which("git") is None:
        run.ensure_tools()
    run.fetches += repos.fetch_all(is_reset_wanted=run.options.reset_repos)


def was_compiled(_run: Run) -> bool:
    """True where an earlier run chose the routing, and in a world, which has its own."""
    return bool(session.current().base) or os.path.exists(session.paths().wanted)


def choose_routing(_run: Run) -> None:
    from dusty_tasks.operations.machine.docker_host import choose_routing

    choose_routing("up")
