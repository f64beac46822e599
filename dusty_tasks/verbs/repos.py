"""`dusty repos`: which code each repo is taken from; fetch it (docs/verbs.md, `repos`).

More than 300 lines: one verb with all its sub-verbs, which share how repos are named and told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.core.specs.repo_ids import Repo, repo_of, shown_names
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import Tone, painted
from dusty_tasks.effects.code.working_tree import read_branch
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.repo_words import found_repo, under_home
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path, misuse, say_json


def run(
    words: list[str], branch: str | None = None, all: bool = False, reset_repos: bool = False, json: bool = False
) -> int | None:
    """List, override, manage or update."""
    action, rest = action_of("repos", words, ("list", "override", "from", "manage", "update"))
    if branch is not None and action != "manage":
        raise misuse("repos", f"--branch belongs to manage, not to {action}")
    if all and action != "manage":
        raise misuse("repos", f"--all belongs to manage, not to {action}")
    if action == "list":
        exactly("repos", "list", rest)
        list_repos(json)
    elif action == "override":
        word, path = exactly("repos", "override", rest, "a repo", "a path")
        override(word, path)
    elif action == "from":
        (folder,) = exactly("repos", "from", rest, "a folder")
        override_from(folder)
    elif action == "manage" and all:
        manage_all(rest)
    elif action == "manage":
        (word,) = exactly("repos", "manage", rest, "a repo, or --all")
        manage(word, branch)
    else:
        exactly("repos", "update", rest)
        return update(reset_repos)
    return None


class Known(NamedTuple):
    """The repos that the verb can name."""

    repos: tuple[Repo, ...]
    trouble: Failure | None = None
    """Why the specs could not be read: then only some repos are known."""

    def shown(self, repo_id: str) -> str:
        """What people call it: the short name where only one of these repos has it."""
        return shown_names({*(repo.id for repo in self.repos), repo_id})[repo_id]

    def find(self, word: str) -> Repo:
        try:
            return found_repo(word, self.repos, lambda repo: repo.id)
        except Failure:
            if self.trouble:
                raise self.trouble from None
            raise


def known_repos() -> Known:
    """The specs repo and the repos of all specs, each id once, sorted. With broken specs: what the settings and the last compile name."""
    settings = session.settings()
    trouble: Failure | None = None
    found = [repo_of(settings.specs_repo)] if settings.specs_repo else []
    try:
        specs = session.specs()
        of_apps_and_libs = [*(app.repo for app in specs.apps.values()), *(lib.repo for lib in specs.libs.values())]
        found += [repo for repo in of_apps_and_libs if repo]
    except Failure as failure:
        trouble = failure
        from dusty_tasks.operations.code.sources import stack_repos

        found += [Repo(entry.written, entry.id, entry.url, entry.local_path) for entry in stack_repos()]
    by_id: dict[str, Repo] = {}
    for repo in found:
        by_id.setdefault(repo.id, repo)
    return Known(tuple(by_id[repo_id] for repo_id in sorted(by_id)), trouble)


def list_repos(as_json: bool) -> None:
    """Print a table, or JSON: id, short name, source, branch, state."""
    known = known_repos()
    if known.trouble:
        warn(str(known.trouble))
    from dusty_tasks.effects.doors.parallel import threads

    with threads(session.settings().repos_jobs) as pool:
        rows = list(pool.map(_row, known.repos))
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("no repos are known")
        return
    names = shown_names(row["id"] for row in rows)
    say(
        table_within(
            width(),
            ("repo", "branch", "state", "taken from"),
            [
                (
                    names[row["id"]],
                    row["branch"],
                    painted(row["state"], Tone.GOOD if row["state"] == "clean" else Tone.WARNING),
                    _taken_from(row),
                )
                for row in rows
            ],
        )
    )


def _taken_from(row: dict[str, Any]) -> str:
    """A folder of the user's, or where a managed clone comes from."""
    cloned_from = row["written"] if row["written"].startswith("/") else row["id"]
    return under_home(cloned_from) if row["kind"] == "managed" else f"{row['kind']} {under_home(row['path'])}"


def _row(repo: Repo) -> dict[str, Any]:
    from dusty_tasks.effects.code.clones import Clone

    settings = session.settings()
    path = settings.path_of(repo.id, repo.local_path)
    kind = "override" if settings.repo_overrides.get(repo.id) else "local" if repo.local_path else "managed"
    wanted = settings.repo_branches.get(repo.id, "") if kind == "managed" else ""
    return {
        "id": repo.id,
        "short_name": repo.short_name,
        "written": repo.written,
        "kind": kind,
        "path": path,
        "branch": read_branch(path) or wanted,
        "state": Clone(path).state(),
    }


def override(word: str, path_word: str) -> None:
    """Take a repo's code from a folder of this machine."""
    known = known_repos()
    repo = known.find(word)
    path = checked_folder(path_word)
    _save(f"repos override {repo.id} {path}", {repo.id: (repo.written, path)})
    say(f"{known.shown(repo.id)} is taken from {path}; the next up or sync copies it")


def override_from(folder_word: str) -> None:
    """Override every known repo whose short name is a folder in the given one."""
    from dusty_tasks.effects.code.git import remote_urls

    folder, known = checked_folder(folder_word), known_repos()
    if known.trouble:
        raise known.trouble
    chosen: dict[str, tuple[str, str]] = {}
    missing = []
    for short_name in sorted({repo.short_name for repo in known.repos}):
        sharing = [repo for repo in known.repos if repo.short_name == short_name]
        path = os.path.join(folder, short_name)
        if not os.path.isdir(path):
            missing += sharing
            continue
        meant = sharing
        if len(sharing) > 1:
            remotes = {_id_of(url) for url in remote_urls(path)}
            meant = [repo for repo in sharing if repo.id in remotes] or sharing
            if len(meant) > 1:
                warn(f"{path} is taken for {len(meant)} repos of this name: {', '.join(repo.id for repo in meant)}")
            missing += [repo for repo in sharing if repo not in meant]
        chosen |= {repo.id: (repo.written, checked_folder(path)) for repo in meant}
    if chosen:
        _save(f"repos from {folder}", chosen)
    for repo_id, (_written, path) in sorted(chosen.items()):
        say(f"found: {known.shown(repo_id)} is taken from {path}")
    for repo in sorted(missing):
        say(f"not found: {known.shown(repo.id)}")
    if not chosen:
        raise Failure(f"no known repo has a folder of its name in {folder}")


def _id_of(url: str) -> str:
    try:
        return repo_of(url).id
    except ValueError:
        return ""


def manage(word: str, branch: str | None) -> None:
    """Drop an override, or choose the branch to follow."""
    known, settings = known_repos(), session.settings()
    repo = known.find(word)
    name = known.shown(repo.id)
    is_overridden = repo.id in settings.repo_overrides
    if not is_overridden and branch is None:
        raise Failure(f"{name} is not overridden", "--branch B chooses the branch that its clone follows")
    if branch is not None and not is_overridden and repo.local_path:
        raise Failure(f"{name} is a folder of this machine, which Dusty never changes: no branch can be chosen for it")

    def change(config: dict[str, Any]) -> None:
        _drop(config, "repo_overrides", repo.id)
        if branch is not None:
            _drop(config, "repo_branches", repo.id)
            if branch:
                config.setdefault("repo_branches", {})[repo.written] = branch

    _change(f"repos manage {repo.id}" + ("" if branch is None else f" --branch '{branch}'"), change)
    if is_overridden:
        say(
            f"{name} is no longer overridden: {'it is used where it is' if repo.local_path else 'its managed clone is used'}"
        )
    if branch is not None:
        say(
            f"{name} follows {f'branch {branch}' if branch else 'the default branch of its remote'}; {DUSTY} repos update fetches it"
        )


def manage_all(words: Sequence[str]) -> None:
    """Drop all overrides."""
    if words:
        raise misuse("repos", f'repos manage --all takes no repo, but got "{words[0]}"')
    overridden = sorted(session.settings().repo_overrides)
    if not overridden:
        raise Failure("no repo is overridden")
    _change("repos manage --all", lambda config: config.pop("repo_overrides", None))
    known = known_repos()
    for repo_id in overridden:
        say(f"{known.shown(repo_id)} is no longer overridden")


def update(is_reset_wanted: bool) -> int:
    """Fetch the specs repo, then the stack's repos; local work is left, or saved and reset."""
    from dusty_tasks.operations.code.repos import KEPT, SAME, Pulling, failure_of, pull_all

    outcomes = pull_all(Pulling(say, warn, always=True, is_reset_wanted=is_reset_wanted))
    same = sum(outcome.status == SAME for outcome in outcomes)
    if same or not outcomes:
        say(
            f"{same} {'repo is' if same == 1 else 'repos are'} up to date"
            if outcomes
            else f"no managed repos: {why_none_is_managed()}"
        )
    failure = failure_of(outcomes)
    if failure:
        warn(str(failure))
        return failure.code
    return 2 if any(outcome.status == KEPT or outcome.missing for outcome in outcomes) else 0


def why_none_is_managed() -> str:
    """Why there is nothing to fetch."""
    stack = session.stack()
    if not stack.bundles:
        return "no bundles are activated"
    return "all are overridden or local" if stack.repos else "the stack has no repos"


def checked_folder(word: str) -> str:
    """An existing folder, absolute, spelled as on disk. Raises Failure."""
    path = local_path(word)
    if not os.path.isdir(path):
        raise Failure(f"{path} {'is not a folder' if os.path.exists(path) else 'does not exist'}")
    if ":" in path:
        raise Failure(
            f'{path} contains ":", which cannot be mounted', "rename the folder, or override with a link to it"
        )
    return spelled_as_on_disk(path)


def spelled_as_on_disk(path: str) -> str:
    """Where the file system takes `Web` for `web`, the name it really has: containers' file systems do not."""
    parts = path.strip("/").split("/")
    spelled = "/"
    for part in parts:
        try:
            names = os.listdir(spelled)
        except OSError:
            names = [part]
        if part and part not in names:
            part = next(
                (name for name in names if _is_same(os.path.join(spelled, name), os.path.join(spelled, part))), part
            )
        spelled = os.path.join(spelled, part)
    return spelled


def _is_same(left: str, right: str) -> bool:
    try:
        return not os.path.islink(left) and os.path.samefile(left, right)
    except OSError:
        return False


def _save(what: str, path_by_id: dict[str, tuple[str, str]]) -> None:
    """Store overrides: repo id -> (the repo as the specs write it, absolute path)."""

    def change(config: dict[str, Any]) -> None:
        for repo_id, (written, path) in path_by_id.items():
            _drop(config, "repo_overrides", repo_id)
            config.setdefault("repo_overrides", {})[written] = path

    _change(what, change)


def _drop(config: dict[str, Any], key: str, repo_id: str) -> None:
    """Remove every spelling of a repo from `repo_overrides` or `repo_branches`."""
    for written in list(config.get(key) or {}):
        if _id_of(written) == repo_id or written == repo_id:
            del config[key][written]


def _change(what: str, change: Callable[[dict[str, Any]], Any]) -> None:
    from dusty_tasks.effects.home.config import change_config

    change_config(session.home(), what, change, warn)
    session.forget()
