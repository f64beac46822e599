"""`dusty sync`: copy code to the Docker host, once or at every change; say what would differ, and why a path is left out."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.repos import shown_names
from dusty_tasks.core.sizes import counted
from dusty_tasks.effects.failures import Failure
from dusty_tasks.effects.fingerprint import read_rules
from dusty_tasks.steps.preconditions import check_data_is_ours
from dusty_tasks.steps.sync import RepoEntry, SyncOutcome, failure_of, source_of, sync_repos
from dusty_tasks.verbs.repo_words import found_entries
from dusty_tasks.verbs.words import local_path


def run(words: list[str], watch: bool = False, checksum: bool = False, allow_empty: bool = False, progress: bool = False,
        verify: bool = False, why: str | None = None) -> int | None:
    """Sync the named repos, or all of the stack."""
    entries = repos_of_stack()
    chosen = found_entries(words, entries) if words else entries
    if why is not None:
        return explain(why, chosen, is_named=bool(words))
    if verify:
        return compare(chosen, shown_names(entry["id"] for entry in entries))
    check_data_is_ours(session.docker_host())
    if watch:
        keep_syncing(chosen, entries, allow_empty)
        return 0
    outcomes = sync_repos(chosen, host=session.docker_host(), settings=session.settings(), say=say, allow_empty=allow_empty,
                          checksum=checksum, progress=progress, stack_repos=entries)
    return tell(outcomes)


def repos_of_stack() -> list[RepoEntry]:
    """The repos of what is active now; with specs that cannot be used, of what was compiled last. Raises Failure if nothing ever was."""
    from dusty_tasks.core.compile import NOTHING_ACTIVE
    from dusty_tasks.core.wanted_stack import repo_entries

    try:
        stack = session.stack()
    except Failure as failure:
        try:
            return list(session.wanted().repos)
        except Failure:
            raise failure from None
    if not stack.bundles:
        raise Failure(*NOTHING_ACTIVE)
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
    """Compare each source with its copy by content; 1 if any differs. `names`: what people call each repo."""
    from dusty_tasks.effects import rsync
    from dusty_tasks.steps.sync import check_source

    settings, host, code = session.settings(), session.docker_host(), 0
    for entry in entries:
        name, (path, _kind) = names[entry["id"]], source_of(entry, settings)
        check_source(path, settings.home)
        found = rsync.differences(host, path, host.path("persist/repos", entry["id"]), read_rules(path, settings.sync_exclude))
        if not found.changed and not found.deleted:
            say(f"{name}: source and copy are equal")
            continue
        code = 1
        say(f"{name}: {len(found.changed)} differ, {len(found.deleted)} are only in the copy")
        for file in found.changed:
            say(f"    differs: {file}")
        for file in found.deleted:
            say(f"    only in the copy: {file}")
    return code


def explain(word: str, entries: Sequence[RepoEntry], is_named: bool) -> int:
    """Name the rule that includes or excludes a path of a repo: a path of the caller, or one below the one named repo."""
    from dusty_tasks.core.excludes import Matcher

    settings = session.settings()
    source, below = _located(word, [source_of(entry, settings)[0] for entry in entries], is_named)
    matcher = Matcher(read_rules(source, settings.sync_exclude))
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
    say(f"{below}: synced{f': rule {rule}' if rule else ', no rule is about it'}")
    return 0


def _located(word: str, sources: Sequence[str], is_named: bool) -> tuple[str, str]:
    """(source folder, path below it) of a path that the caller typed. Raises Failure if it is in no source."""
    path = local_path(word)
    for spelled in (path, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))):
        for source in sorted(sources, key=len, reverse=True):
            for root in (source, os.path.realpath(source)):
                if spelled.startswith(f"{root}/"):
                    return source, os.path.relpath(spelled, root)
    if is_named and len(sources) == 1 and not os.path.isabs(word):
        return sources[0], os.path.normpath(word)
    raise Failure(f"{path} is in none of the repos of the stack", "dusty sync <repo> --why <path in the repo>")


def keep_syncing(chosen: Sequence[RepoEntry], stack: Sequence[RepoEntry], allow_empty: bool) -> None:
    """Sync at once, then once per burst of changes, until interrupted (KeyboardInterrupt: exit 130).

    A failed sync is said, and tried again at the next change.
    """
    from watchfiles import watch

    from dusty_tasks.core.excludes import Matcher

    settings, host = session.settings(), session.docker_host()
    entry_by_source = {os.path.realpath(source_of(entry, settings)[0]): entry for entry in chosen}

    def sync(entries: Sequence[RepoEntry]) -> None:
        try:
            failure = failure_of(sync_repos(entries, host=host, settings=settings, say=say, allow_empty=allow_empty, stack_repos=stack))
        except Failure as raised:
            failure = raised
        if failure:
            warn(str(failure))

    sync(chosen)
    if settings.sync_mode == "bind":
        return
    entry_by_source = {source: entry for source, entry in entry_by_source.items() if os.path.isdir(source)}
    if not entry_by_source:
        raise Failure("there is no source to watch")
    matchers = {source: Matcher(read_rules(source, settings.sync_exclude)) for source in entry_by_source}

    def is_synced(_change: object, path: str) -> bool:
        source = next((source for source in entry_by_source if path.startswith(f"{source}/")), "")
        return bool(source) and not matchers[source].leaves_out(os.fsencode(path[len(source):]))

    say(f"watching {counted(len(entry_by_source), 'repo')}; ^C ends it")
    is_first_look = True
    for changes in watch(*entry_by_source, watch_filter=is_synced, debounce=400, step=50, rust_timeout=2000, yield_on_timeout=True):
        if not changes:
            if is_first_look:
                # What changed between the first sync and the start of the watching, nobody reported.
                sync(chosen)
            is_first_look = False
            continue
        changed = {source for source in entry_by_source for _change, path in changes if path.startswith(f"{source}/")}
        for source in changed:
            matchers[source] = Matcher(read_rules(source, settings.sync_exclude))
        sync([entry_by_source[source] for source in sorted(changed)])
