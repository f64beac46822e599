"""`dusty sync`: copy code to the Docker host, once or at every change; say what would differ, and why a path is left out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.sources import rules_at, source_of
from dusty_tasks.operations.code.sync import How, sync_repos
from dusty_tasks.operations.code.sync_outcome import SyncOutcome, failure_of
from dusty_tasks.operations.launch.preconditions import check_data_is_ours
from dusty_tasks.verbs.shared.copies import copy_at, located
from dusty_tasks.verbs.shared.repo_words import found_entries
from dusty_tasks.verbs.shared.words import misuse


def run(
    words: list[str],
    watch: bool = False,
    checksum: bool = False,
    allow_empty: bool = False,
    progress: bool = False,
    verify: bool = False,
    why: str | None = None,
    restore: bool = False,
    pull: list[str] | None = None,
    json: bool = False,
) -> int | None:
    """Sync the named repos, or all of the stack."""
    if json and (watch or verify or restore or pull or why is not None):
        raise misuse("sync", "--json goes with a plain sync")
    entries = repos_of_stack()
    if restore or pull:
        from dusty_tasks.verbs.sync_back import run_pull, run_restore

        check_data_is_ours(session.docker_host())
        return run_pull([*words, *(pull or ())], entries) if pull else run_restore(words, entries)
    chosen = found_entries(words, entries) if words else entries
    if why is not None:
        return explain(why, chosen, is_named=bool(words))
    if verify:
        return compare(chosen, shown_names(entry.id for entry in entries))
    if watch:
        return keep_syncing(words, allow_empty)
    check_data_is_ours(session.docker_host())
    how = How(say, allow_empty=allow_empty, checksum=checksum, shows_progress=progress and not json)
    if json:
        return sync_for_a_program(chosen, how, entries)
    outcomes = sync_repos(chosen, session.docker_host(), session.settings(), how, entries)
    note_outcomes("sync", outcomes, session.docker_host())
    return tell(outcomes)


def sync_for_a_program(chosen: Sequence[RepoEntry], how: How, entries: Sequence[RepoEntry]) -> int:
    """Sync, and print what became of each repo as JSON; the exit code."""
    from dusty_tasks.verbs.shared.aside import aside
    from dusty_tasks.verbs.shared.words import say_json

    with aside() as heard:
        outcomes = sync_repos(chosen, session.docker_host(), session.settings(), how, entries)
        note_outcomes("sync", outcomes, session.docker_host())
        code = tell(outcomes)
    say_json(
        {
            "ok": code == 0,
            "exit_code": code,
            "repos": [facts_of(outcome) for outcome in outcomes],
            "warnings": heard.warnings,
        }
    )
    return code


def facts_of(outcome: SyncOutcome) -> dict[str, object]:
    """What became of one repo, as in schemas/output/sync.json."""
    from dusty_tasks.core.code.replaced import shown_path
    from dusty_tasks.effects.code.rsync import path_of

    return {
        "name": outcome.name,
        "repo": outcome.repo_id,
        "status": outcome.status,
        "source": outcome.source,
        "kind": outcome.kind,
        "changed": [shown_path(path_of(name)) for name in outcome.changed],
        "deleted": [shown_path(path_of(name)) for name in outcome.deleted],
        "kept": [shown_path(file.path) for kept in outcome.kept for file in kept.files],
        "kept_in": outcome.kept_in,
        "problem": str(outcome.failure or ""),
    }


def note_outcomes(verb: str, outcomes: Sequence[SyncOutcome], host: DockerHost) -> None:
    """Put what was sent into the journal; a sync that found nothing to send is none."""
    sent = {
        outcome.repo_id: f"{len(outcome.changed)} changed, {len(outcome.deleted)} deleted"
        for outcome in outcomes
        if outcome.changed or outcome.deleted
    }
    if sent:
        from dusty_tasks.effects.engine.http import Engine
        from dusty_tasks.operations.history.noting import note_syncs

        note_syncs(Engine(host), verb, sent)


def keep_syncing(words: Sequence[str], allow_empty: bool) -> int:
    """Sync at every change until interrupted (KeyboardInterrupt: exit 130)."""
    from dusty_tasks.operations.code.watching import synced_changes

    def choose() -> tuple[Sequence[RepoEntry], Sequence[RepoEntry]]:
        entries = repos_of_stack()
        return (found_entries(words, entries) if words else entries), entries

    for host, outcomes in synced_changes(choose, allow_empty=allow_empty):
        note_outcomes("sync --watch", outcomes, host)
    return 0


def repos_of_stack() -> list[RepoEntry]:
    """The repos of what is active now; with specs that cannot be used, of what was compiled last. Raises Failure if nothing ever was."""
    from dusty_tasks.core.artifacts.wanted import repo_entries
    from dusty_tasks.core.check.assembled import nothing_active

    try:
        stack = session.stack()
    except Failure as failure:
        try:
            return list(session.wanted().repos)
        except Failure:
            raise failure from None
    if not stack.bundles:
        raise Failure(*nothing_active())
    return list(repo_entries(stack))


def tell(outcomes: Sequence[SyncOutcome]) -> int:
    """Say how many were up to date, and every failure; the exit code."""
    same = [outcome for outcome in outcomes if outcome.status == "up to date"]
    if same:
        say(f"{len(same)} {'repo is' if len(same) == 1 else 'repos are'} up to date")
    failure = failure_of(outcomes)
    if failure:
        warn(str(failure))
        return failure.code
    return 0


def compare(entries: Sequence[RepoEntry], names: Mapping[str, str]) -> int:
    """Compare each source with its copy by content, but for what a sync leaves alone; 1 if any differs. `names`: what people call each repo."""
    from dusty_tasks.core.code.replaced import shown_path
    from dusty_tasks.effects.code import rsync
    from dusty_tasks.operations.code.sources import check_source

    settings, host, code = session.settings(), session.docker_host(), 0
    for entry in entries:
        name, (path, _kind) = names[entry.id], source_of(entry, settings)
        check_source(path, settings.paths.base)
        copy = copy_at(entry, path)
        guard = copy.guard(copy.records())
        found = rsync.differences(host, path, host.path(copy.below), copy.rules)
        changed = [file for file in map(rsync.path_of, found.changed) if not guard.bars(b"/" + file)]
        deleted = [file for file in map(rsync.path_of, found.deleted) if not guard.stays(b"/" + file)]
        if not changed and not deleted:
            say(f"{name}: source and copy are equal")
            continue
        code = 1
        say(f"{name}: {len(changed)} differ, {len(deleted)} are only in the copy")
        for file in changed:
            say(f"    differs: {shown_path(file)}")
        for file in deleted:
            say(f"    only in the copy: {shown_path(file)}")
    return code


def explain(word: str, entries: Sequence[RepoEntry], is_named: bool) -> int:
    """Name the rule that includes or excludes a path of a repo, and of one that the source does not have why a copy keeps it or not.

    It is a path of the caller, or one below the one named repo.
    """
    from dusty_tasks.core.code.excludes import Matcher

    settings = session.settings()
    by_source = {source_of(entry, settings)[0]: entry for entry in entries}
    source, below = located(word, list(by_source), is_named)
    matcher = Matcher(rules_at(source, settings))
    parts = below.split("/")
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        full = os.path.join(source, part)
        is_folder = depth < len(parts) or word.endswith("/") or (os.path.isdir(full) and not os.path.islink(full))
        rule = matcher.deciding_rule(os.fsencode(f"/{part}"), is_folder)
        if rule and rule.is_exclude:
            because = "" if depth == len(parts) else f", because {part}/ is, and excluded folders are not entered"
            say(f"{below}: excluded{because}: rule {rule}")
            return 0
    if not os.path.lexists(os.path.join(source, below)) and os.path.isdir(source):
        copy = copy_at(by_source[source], source)
        why = copy.guard(copy.records()).stays(os.fsencode(f"/{below}"))
        say(f"{below}: not in {source}; in the copy it {f'stays: {why}' if why else 'is deleted by a sync'}")
        return 0
    say(f"{below}: synced{f': rule {rule}' if rule else ' (no rule excludes it)'}")
    return 0
