"""What `up` brings to the Docker host before it touches a container: images, command files, assets, code. What fails here stops the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say, working
from dusty_tasks.core.code.bind_sources import mounts_part_of
from dusty_tasks.core.plan.change import ASSETS, CERTIFICATES, COMMAND_FILES, SPEC_FILES, SYNC
from dusty_tasks.core.text.paths import ASSETS_THERE, COPIES
from dusty_tasks.core.text.paths import SPEC_FILES as SPECS_THERE
from dusty_tasks.core.text.wording import counted
from dusty_tasks.operations.look import View, look
from dusty_tasks.operations.up.run import Run

if TYPE_CHECKING:
    from dusty_tasks.operations.code.sync_outcome import SyncOutcome


def get_images(run: Run) -> None:
    """Log in where that is needed, pull and build; then plan again, since a tag may mean another image now."""
    from dusty_tasks.operations.launch.images import get_images

    get_images(run.engine, run.view, run.options.planning, run.deeds, run.consent)
    run.view = look(run.engine, run.options.planning._replace(pull=False, build=False))


def push(run: Run) -> None:
    """Command files, files of the specs, and assets."""
    from dusty_tasks.operations.launch.pushes import push_assets, push_command_files, push_spec_files

    pushes = {COMMAND_FILES: push_command_files, SPEC_FILES: push_spec_files, ASSETS: push_assets}
    for change in run.view.plan.of(*pushes):
        run.deeds.begin(change)
        pushes[change.kind](run.engine.host, run.view)
        run.deeds.end(change)
    for change in run.view.plan.of(CERTIFICATES):
        from dusty_tasks.operations.launch.certificates import push_certificates

        run.deeds.begin(change)
        push_certificates(run.engine.host, run.view, run.consent)
        run.deeds.end(change)
    path, containers = run.engine.host.path, run.view.wanted.containers
    folders = [path(ASSETS_THERE, container.name) for container in containers if container.mounts_assets]
    folders = [
        *(folders if run.view.plan.of(ASSETS) else ()),
        *([path(SPECS_THERE)] if run.view.plan.of(SPEC_FILES) else ()),
    ]
    if mounts_part_of((container.mapping for container in containers), folders):
        _look_again_at_mounts(run)


def sync(run: Run) -> None:
    """The repos that changed; if one fails, no container is touched."""
    from dusty_tasks.operations.code.sync import How, Known, sync_repos
    from dusty_tasks.operations.code.sync_outcome import SYNCED, failure_of

    changes = {change.name: change for change in run.view.plan.of(SYNC)}
    for change in changes.values():
        run.deeds.begin(change)
    repos = run.view.wanted.repos

    def note(outcome: SyncOutcome) -> None:
        if outcome.status == SYNCED:
            run.deeds.end(changes[outcome.repo_id])
            if details := outcome.details():
                say("\n".join(details))

    with working(f"syncing {counted(len(changes), 'repo')}"):
        outcomes = sync_repos(
            [entry for entry in repos if entry.id in changes],
            run.engine.host,
            session.settings(),
            How(say, "up", is_locked=True, synced_one=note),
            repos,
            Known(run.view.found.receipts, run.view.looked),
        )
    run.receipts = {**run.receipts, **{outcome.repo_id: outcome.receipt for outcome in outcomes if outcome.receipt}}
    if failure := failure_of(outcomes):
        raise failure
    run.view = _after_syncs(run, outcomes)
    copies = [run.engine.host.path(COPIES, repo_id) for repo_id in changes]
    if mounts_part_of((container.mapping for container in run.view.wanted.containers), copies):
        _look_again_at_mounts(run)


def _look_again_at_mounts(run: Run) -> None:
    """rsync puts a new file in place of the former one."""
    from dusty_tasks.operations.look import with_fresh_inodes

    run.view = with_fresh_inodes(run.engine, run.view, run.options.planning._replace(pull=False, build=False))


def _after_syncs(run: Run, outcomes: Sequence[SyncOutcome]) -> View:
    """What was sent decides what becomes of the containers that have it, where their specs ask for something else than a restart."""
    from dusty_tasks.operations.code.owed import noted
    from dusty_tasks.operations.look import after_syncs

    started = noted(run.view.found.started, run.view.wanted.containers, outcomes)
    receipts = {outcome.repo_id: outcome.receipt for outcome in outcomes if outcome.receipt}
    return after_syncs(run.view, receipts, started, run.options.planning._replace(pull=False, build=False))
