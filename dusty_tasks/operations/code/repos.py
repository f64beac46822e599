"""Managed repos: cloned and brought up to date in parallel, the specs repo first (docs/specs.md, "Repos")."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.core.specs.repo_ids import Repo

Say = Callable[[str], None]
CLONED, UPDATED, SAME, LEFT, RESET, KEPT, FAILED, EMPTY = (
    "cloned",
    "updated",
    "up to date",
    "left",
    "reset",
    "kept",
    "failed",
    "empty",
)
CHANGING = (CLONED, UPDATED, RESET)
A_DAY = 24 * 3600
LONGEST_WAIT = 600.0


@dataclass(frozen=True, slots=True)
class RepoOutcome:
    """What became of one managed repo."""

    repo_id: str
    name: str
    """What people call the repo: the short name where only one has it, else the id."""
    status: str
    """`cloned`, `updated`, `up to date`, `left` (local work), `reset`, `kept` (not fetched, but a clone is there), `failed`, `empty` (no commits)."""
    what: str = ""
    """One sentence. For `left`, `kept`, `empty` and `failed` what follows the repo's name in it: several may share it."""
    was_fetched: bool = False
    failure: Failure | None = None
    own: tuple[str, ...] = ()
    """Words in `what` that are this repo's alone."""
    missing: tuple[str, ...] = ()
    """Submodules and LFS files that could not be had, each as it follows the repo's name."""

    @property
    def has_changed(self) -> bool:
        """True if the clone's files are other ones now."""
        return self.status in CHANGING


def is_managed(repo: Repo, settings: Settings) -> bool:
    """True if Dusty clones and fetches it; overridden and local-path repos are never touched."""
    return not repo.local_path and not settings.repo_overrides.get(repo.id)


class Pulling(NamedTuple):
    """How to pull, and for whom."""

    say: Say
    warn: Say
    """Hears of clones that were left as they are, and of fetches that failed although a clone is there."""
    verb: str = "repos"
    always: bool = False
    """Whatever `repos.pull` says."""
    is_reset_wanted: bool = False


def pull_all(how: Pulling) -> list[RepoOutcome]:
    """The specs repo first; then, with specs read anew, all repos of the stack.

    Failures are in the outcomes: `failure_of` makes one of them. Raises Failure for broken specs.
    """
    from dusty_tasks import session

    outcomes = pull_specs(session.settings(), how)
    if any(outcome.has_changed for outcome in outcomes):
        session.forget()
    if any(outcome.status == FAILED for outcome in outcomes):
        return outcomes
    repos = list(session.stack().repos.values())
    specs_ids = {outcome.repo_id for outcome in outcomes}
    others = [repo for repo in repos if repo.id not in specs_ids]
    return [*outcomes, *pull_repos(others, session.settings(), how)]


def pull_specs(settings: Settings, how: Pulling) -> list[RepoOutcome]:
    """Bring the specs repo up to date, if it is a managed one: no or one outcome."""
    from dusty_tasks import session
    from dusty_tasks.core.specs.repo_ids import repo_of

    if session.local_specs_root() or not settings.specs_repo:
        return []
    return pull_repos([repo_of(settings.specs_repo)], settings, how)


def pull_repos(repos: Iterable[Repo], settings: Settings, how: Pulling) -> list[RepoOutcome]:
    """Clone or update the managed ones of `repos`, all of them even after a failure."""
    managed = [repo for repo in repos if is_managed(repo, settings)]
    due = [repo for repo in managed if how.always or how.is_reset_wanted or _is_due(repo, settings)]
    if not due:
        return []
    from dusty_tasks.console import progress
    from dusty_tasks.core.specs.repo_ids import shown_names
    from dusty_tasks.effects.doors.parallel import each_in_parallel

    names = shown_names(repo.id for repo in managed)

    def pull(repo: Repo) -> RepoOutcome:
        return _pull(repo, names[repo.id], settings, how)

    with progress("repos", len(due)) as advance:
        outcomes = each_in_parallel(
            pull, due, settings.repos_jobs, lambda outcome: advance(outcome.what) if outcome.has_changed else None
        )
    missing = sentences(
        (Report(outcome.name, what, outcome.own) for outcome in outcomes for what in outcome.missing), ""
    )
    for sentence, _code in (*_said_once(outcomes, LEFT, KEPT, EMPTY), *missing):
        how.warn(sentence)
    return outcomes


def failure_of(outcomes: Sequence[RepoOutcome]) -> Failure | None:
    """All failures as one, or None: exit 1 if each is for the user to mend (a branch that is not there), else 2."""
    said = _said_once(outcomes, FAILED)
    return (
        Failure("\n".join(sentence for sentence, _code in said), code=max(code for _sentence, code in said))
        if said
        else None
    )


def _said_once(outcomes: Sequence[RepoOutcome], *statuses: str) -> list[tuple[str, int]]:
    """(sentence, exit code) about the repos of these outcomes; what several have alike is one sentence."""
    return sentences(
        (
            Report(outcome.name, outcome.what, outcome.own, outcome.failure.code if outcome.failure else 0)
            for outcome in outcomes
            if outcome.status in statuses
        ),
        "",
    )


def _is_due(repo: Repo, settings: Settings) -> bool:
    """What `repos.pull` says; a clone that is missing is always made."""
    from dusty_tasks.effects.code.clones import fetched_at

    fetched = fetched_at(settings.path_of(repo.id))
    if not fetched or settings.repos_pull == "always":
        return True
    return settings.repos_pull == "daily" and time.time() - fetched > A_DAY


def _pull(repo: Repo, name: str, settings: Settings, how: Pulling) -> RepoOutcome:
    """Clone or update one repo under its lock; a failure is a value."""
    from dusty_tasks.core.specs.repo_ids import login_of
    from dusty_tasks.effects.code.clone_updates import Extras, update_clone
    from dusty_tasks.effects.code.clones import fetched_at
    from dusty_tasks.effects.doors.lock import held

    path = settings.path_of(repo.id)
    before, own = fetched_at(path), (path, repo.url, login_of(repo.url).url, repo.written)
    try:
        with held(f"repo:{repo.id}", verb=how.verb, home=settings.paths.base, wait=LONGEST_WAIT) as lock:
            done = update_clone(
                path,
                repo.url,
                settings.repo_branches.get(repo.id, ""),
                is_reset_wanted=how.is_reset_wanted,
                lock=lock.fileno(),
                extras=Extras(settings.repos_submodules, settings.repos_lfs),
            )
    except Failure as failure:
        if before and failure.code == 2:
            date = time.strftime("%Y-%m-%d %H:%M", time.localtime(before))
            return RepoOutcome(
                repo.id,
                name,
                KEPT,
                f" could not be fetched; the clone of {date} is used: {failure}",
                failure=failure,
                own=(date, *own),
            )
        return RepoOutcome(repo.id, name, FAILED, f": {failure}", failure=failure, own=own)
    note = f" ({done.note})" if done.note else ""
    span = f"{done.before[:8]} to {done.after[:8]}"
    status, what = {
        "cloned": (CLONED, f"cloned {name}, branch {done.branch}{note}"),
        "empty": (
            EMPTY,
            f" has no commits: nothing was pushed to it yet{note}"
            if not done.before
            else f" has no branches any more; its clone is left as it is{note}",
        ),
        "completed": (UPDATED, f"completed {name}: submodules and LFS files{note}"),
        "forward": (UPDATED, f"updated {name}: {span}{note}"),
        "follow": (UPDATED, f"updated {name}: {span}{note}"),
        "switch": (UPDATED, f"switched {name} to branch {done.branch}: {span}{note}"),
        "reset": (RESET, f"reset {name} to branch {done.branch}: {span}{note}"),
        "leave": (LEFT, f" is left as it is: {done.note}\n    hint: {path}; {done.way_out}"),
        "nothing": (UPDATED if "interrupted" in done.note else SAME, f"{name} is up to date{note}"),
    }[done.action]
    return RepoOutcome(
        repo.id, name, status, what, done.was_fetched, own=own, missing=tuple(f": {thing}" for thing in done.missing)
    )


def is_any_due() -> bool:
    """True if there is a managed repo to clone or fetch, by what was compiled last; reads no specs. Raises Failure."""
    from dusty_tasks import session
    from dusty_tasks.core.specs.repo_ids import repo_of

    settings = session.settings()
    paths = [settings.path_of(entry.id) for entry in session.wanted().repos if _is_cloned(entry, settings)]
    if settings.specs_repo and session.local_specs_root() is None:
        specs = repo_of(settings.specs_repo)
        paths += (
            [settings.path_of(specs.id)] if not specs.local_path and not settings.repo_overrides.get(specs.id) else []
        )
    return bool(paths) and (settings.repos_pull != "never" or not all(map(os.path.isdir, paths)))


def _is_cloned(entry: RepoEntry, settings: Settings) -> bool:
    """True for a repo of the stack that Dusty clones itself."""
    return bool(entry.url) and not entry.local_path and not settings.repo_overrides.get(entry.id)


def fetch_all(*, is_reset_wanted: bool) -> int:
    """The specs repo first, then the repos of the stack; how many were fetched. Raises Failure for those that could not be had."""
    from dusty_tasks.console import say, warn

    return _count(pull_all(Pulling(say, warn, "up", is_reset_wanted=is_reset_wanted)))


def fetch_specs(*, is_reset_wanted: bool) -> int:
    """The specs repo alone; how many were fetched. Raises Failure if it could not be had."""
    from dusty_tasks import session
    from dusty_tasks.console import say, warn

    outcomes = pull_specs(session.settings(), Pulling(say, warn, "up", is_reset_wanted=is_reset_wanted))
    if any(outcome.has_changed for outcome in outcomes):
        session.forget()
    return _count(outcomes)


def fetch_missing() -> int:
    """Clones that the compiled stack needs and that are not there, for example of an app that was written just now."""
    from dusty_tasks import session
    from dusty_tasks.console import say, warn
    from dusty_tasks.core.specs.repo_ids import Repo

    settings = session.settings()
    missing = [
        entry
        for entry in session.wanted().repos
        if _is_cloned(entry, settings) and not os.path.isdir(settings.path_of(entry.id))
    ]
    if not missing:
        return 0
    repos = [Repo(entry.written, entry.id, entry.url) for entry in missing]
    return _count(pull_repos(repos, settings, Pulling(say, warn, "up", always=True)))


def _count(outcomes: Sequence[RepoOutcome]) -> int:
    if failure := failure_of(outcomes):
        raise failure
    return sum(outcome.was_fetched for outcome in outcomes)
