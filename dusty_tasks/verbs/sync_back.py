"""`dusty sync --restore` and `dusty sync --pull`: what was created on the Docker host comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.code.replaced import kept_lines, shown_path
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.kept import TIME, kept_path
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.operations.code.bring_back import pull, restore
from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo
from dusty_tasks.operations.code.sources import check_source, source_of
from dusty_tasks.operations.code.sync import LONGEST_WAIT
from dusty_tasks.verbs.shared.copies import copy_at, located
from dusty_tasks.verbs.shared.repo_words import found_entries, found_repo


def run_restore(words: Sequence[str], entries: Sequence[RepoEntry]) -> int:
    """The newest kept set of each of the named repos (all of the stack), or the one of a time, back into its copy. Raises Failure if there is none."""
    if session.settings().sync_mode == "bind":
        raise Failure("sync.mode is bind: there are no copies")
    times = [word for word in words if TIME.fullmatch(word)]
    named = [word for word in words if word not in times]
    chosen = found_entries(named, entries) if named else entries
    names, host = shown_names(entry.id for entry in entries), session.docker_host()
    found = 0
    for entry in chosen:
        with _copy_of(entry) as copy:
            restored = restore(copy, times[-1] if times else "")
        if not restored:
            continue
        found += 1
        name = names[entry.id]
        say(f"restored {name}: {counted(len(restored.paths), 'file')} of {restored.time}, into its copy on {host.name}")
        for path in restored.paths:
            say(f"    {shown_path(path)}")
        for line in kept_lines(restored.replaced, host.path(kept_path(entry.id)), name):
            say(line)
        if restored.others:
            say(f"    others are kept, of {', '.join(restored.others)}: {DUSTY} sync {name} --restore TIME")
        say(
            f"    hint: the next sync with changes takes them out again; {DUSTY} sync {name} --pull PATH fetches one into the source"
        )
    if not found:
        raise Failure(
            f"nothing is kept of {', '.join(names[entry.id] for entry in chosen)}{f' at {times[-1]}' if times else ''}",
            f"{DUSTY} disk shows what is kept",
        )
    return 0


def run_pull(words: Sequence[str], entries: Sequence[RepoEntry]) -> int:
    """Every word is a path in a repo, but for those that name a repo themselves."""
    if session.settings().sync_mode == "bind":
        raise Failure("sync.mode is bind: containers write into the source itself")
    chosen, paths = _told_apart(words, entries)
    if not paths:
        raise Failure("--pull needs a path in a repo", f"{DUSTY} sync <repo> --pull <path in the repo>")
    by_source = {source_of(entry, session.settings())[0]: entry for entry in chosen}
    wanted: dict[str, list[str]] = {}
    for path in paths:
        source, below = located(
            path, list(by_source), len(by_source) == 1, f"{DUSTY} sync <repo> --pull <path in the repo>"
        )
        if below.split("/")[0] in ("..", "."):
            raise Failure(f"{path} points outside {source}")
        wanted.setdefault(source, []).append(below)
    names = shown_names(entry.id for entry in entries)
    for source, paths_below in wanted.items():
        with _copy_of(by_source[source]) as copy:
            changed = pull(copy, paths_below)
        say(f"fetched {counted(len(changed), 'file')} of {names[by_source[source].id]} into {source}")
        for name in changed:
            say(f"    {shown_path(name)}")
    return 0


def _told_apart(words: Sequence[str], entries: Sequence[RepoEntry]) -> tuple[Sequence[RepoEntry], list[str]]:
    """(repos, paths): a word that names a repo, and nothing inside of one from where it was typed, is a repo."""
    sources = [source_of(entry, session.settings())[0] for entry in entries]
    chosen, paths = [], []
    for word in words:
        try:
            located(word, sources, False)
            paths.append(word)
            continue
        except Failure:
            pass
        try:
            entry = found_repo(word, entries, lambda entry: entry.id)
        except Failure:
            paths.append(word)
            continue
        if entry not in chosen:
            chosen.append(entry)
    return chosen or entries, paths


@contextmanager
def _copy_of(entry: RepoEntry) -> Iterator[CopyOfRepo]:
    """The copy of a repo, under its lock."""
    settings = session.settings()
    path, _kind = source_of(entry, settings)
    check_source(path, settings.paths.base)
    with held(f"repo:{entry.id}", verb="sync", home=settings.home, wait=LONGEST_WAIT):
        yield copy_at(entry, path)
