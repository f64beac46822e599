"""The end of an `up`: until what was started is ready, the hosts section, and what came of it all."""

from __future__ import annotations

import os

from dusty_tasks import session
from dusty_tasks.console import progress, say
from dusty_tasks.core.plan.change import AWAIT, HOSTS, STARTING
from dusty_tasks.core.plan.conditions import longest_start
from dusty_tasks.core.plan.push_changes import unused_certificates
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.reporter import Outcome, Sums
from dusty_tasks.operations.up.changing import note_page_states, proxy_is_started
from dusty_tasks.operations.up.run import Run


def wait_until_ready(run: Run) -> None:
    """Watch what was started, and what was not ready before; who fails is named with his last lines.

    The run ends with 2 for a container that ended, with 1 for one that runs and does not answer, or is unhealthy.
    """
    from dusty_tasks.operations.launch import ready
    from dusty_tasks.operations.launch.page_states import seen_of

    awaited = run.view.plan.names(AWAIT)
    names = {change.name for change in run.deeds.done if change.kind in STARTING} | awaited
    watched = [container for container in run.view.wanted.containers if container.name in names]
    noted = {name: run.view.states[name].what for name in awaited if run.view.states[name].is_trouble}
    settings = session.settings()
    with progress("waiting until ready") as tell:
        seconds = longest_start(watched, settings.up_wait)
        outcome = ready.wait_until_ready(run.engine, watched, settings.hosts_address, seconds, tell, noted)
    for name in outcome.ready:
        if noted.get(name):
            say(f"{name} is ready")
    run.troubles = {trouble.name: trouble.state.what for trouble in outcome.troubles}
    run.launcher.note_states({*outcome.finished, *run.view.found.finished}, outcome.ready, run.troubles)
    run.seen, run.printed = seen_of(outcome)

    def code_of(trouble: ready.Trouble) -> int:
        is_ours = trouble.name == PROXY and proxy_is_started(run) and "[emerg]" in str(trouble)
        return 1 if trouble in outcome.silent else 3 if is_ours else 2

    own = {container.name: (container.container_name, *container.http_urls) for container in watched}
    reports = [
        Report(trouble.name, trouble.words + _blamed_deletions(run, trouble.name), own[trouble.name], code_of(trouble))
        for trouble in outcome.troubles
    ]
    for sentence, code in sentences(reports, " "):
        run.fail(Failure(sentence, code=code))
    run.warnings += outcome.notes


def _blamed_deletions(run: Run, name: str) -> str:
    """A line on what syncs deleted since an app was ready that is not now."""
    from dusty_tasks.core.code.replaced import blamed_deletions
    from dusty_tasks.core.plan.started import last_good

    wanted = next(container for container in run.view.wanted.containers if container.name == name)
    record = run.view.found.started.get(wanted.container_name)
    receipts = {repo_id: run.receipts[repo_id] for repo_id in wanted.repo_ids if repo_id in run.receipts}
    said = blamed_deletions(
        bool(record), last_good(record or {}), receipts, shown_names(entry.id for entry in run.view.wanted.repos)
    )
    return f"\n  {said}" if said else ""


def has_no_unused_certificates(run: Run) -> bool:
    return run.has_looked and not unused_certificates(run.view.wanted, run.view.found)


def remove_unused_certificates(run: Run) -> None:
    """Those of names that are gone, once nginx has loaded what it has now."""
    from dusty_tasks.operations.launch.certificates import remove_unused

    remove_unused(run.engine.host, run.view)


def write_hosts(run: Run) -> None:
    """The hosts section, when all is up; where that is refused the run ends with 1, and where it is skipped with 0."""
    from dusty_tasks.operations.machine.hosts import write_section

    change = run.view.plan.of(HOSTS)[0]
    run.deeds.begin(change)
    written = write_section(run.consent)
    if written.starts_over:
        run.starts_over = "the names have changed: compiling and comparing again"
    if written.is_done:
        run.sudo_calls += os.geteuid() != 0
        run.deeds.end(change)
    elif written.failure:
        run.fail(written.failure)


def conclude(run: Run, seconds: float) -> Outcome:
    """What came of a run that is through all its phases; it has no lock any more."""
    if run.view.found.hosts_conflicts:
        from dusty_tasks.effects.hosts.section import CONFLICT_HINT

        run.fail(Failure("\n".join(run.view.found.hosts_conflicts), CONFLICT_HINT))
    if run.has_launched:
        note_page_states(run, run.seen)
    run.close()
    return outcome_of(run, seconds)._replace(is_whole=True)


def outcome_of(run: Run, seconds: float) -> Outcome:
    """What came of it so far."""
    view, done = run.view if run.has_looked else None, tuple(run.deeds.done)
    engine = run.engine
    sums = Sums(len(done), engine.reads, engine.host.round_trips, run.fetches, run.sudo_calls)
    return Outcome(
        code=max((failure.code for failure in run.failures), default=0),
        failures=tuple(run.failures),
        view=view,
        plan=run.plan,
        done=done,
        warnings=tuple(run.warnings),
        troubles=run.troubles,
        urls={container.name: container.http_urls for container in view.wanted.containers if container.http_urls}
        if view
        else {},
        sums=sums,
        seconds=seconds,
    )
