"""Cloning a managed repo, and bringing its clone up to date; the user's work in it is never lost (docs/specs.md, "Repos")."""

from __future__ import annotations

import functools
import os
import shutil
import time
from typing import NamedTuple

from dusty_tasks.core.code.clones import (
    FORWARD,
    LEAVE,
    NOTHING,
    RESET,
    CloneFacts,
    Decision,
    Remote,
    decision_of,
    remote_branches,
)
from dusty_tasks.core.code.git_config import PROTOCOLS, UPLOAD_PACK
from dusty_tasks.core.specs.repo_ids import Login, login_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code import submodules
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.code.git import git, git_failed, list_remote, login_config, login_environment, of_login
from dusty_tasks.effects.code.lfs import fetch_files
from dusty_tasks.effects.code.working_tree import read_branch, read_commit
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

CLONED, EMPTY, COMPLETED = "cloned", "empty", "completed"
"""Beside the actions of core/code/clones: made; the remote has no branch; only submodules or LFS files were fetched."""
WHOLE = "dusty-whole"
"""In .git: the commit whose submodules and LFS files are all there, and which of them were asked for."""


class Updated(NamedTuple):
    """What became of a clone."""

    action: str
    """`cloned`, `empty`, `completed`, `forward`, `switch`, `follow`, `reset`, `leave`, `nothing`."""
    branch: str = ""
    before: str = ""
    after: str = ""
    note: str = ""
    """Why it was left or reset, where work was saved, what was set aside."""
    was_fetched: bool = False
    way_out: str = ""
    """For `leave`: what the user can do."""
    missing: tuple[str, ...] = ()
    """Submodules and LFS files that could not be had, in words."""


class Extras(NamedTuple):
    """What is fetched beside a repo's own files (the settings `repos.submodules` and `repos.lfs`)."""

    submodules: bool = True
    lfs: bool = True


def update_clone(
    path: str,
    url: str,
    branch: str,
    *,
    is_reset_wanted: bool = False,
    lock: int | None = None,
    extras: Extras = Extras(),  # noqa: B008 - immutable
) -> Updated:
    """Clone `url` to `path`, or bring the clone there to the remote's `branch` ('' for the remote's default one).

    Work of the user's is never lost: a clone with edits or commits is left, or saved and reset if that is wanted; one that
    is broken is set aside. Raises ToolFailed (git's last lines), Failure if the remote has no such branch.
    """
    login = login_of(url)
    clone = _opened(path, login, lock)
    is_sound = os.path.lexists(path) and clone.is_sound()
    note = clone.finish_interrupted_move() if is_sound else ""
    if is_sound:
        clone.follow(login.url)
    remote = ask(login, clone if is_sound else None)
    wanted = branch or remote.default
    if remote.branches and wanted not in remote.branches:
        raise no_such_branch(login.url, wanted, remote)
    if not is_sound:
        done = clone_afresh(path, login, wanted, remote, lock)
        if not branch and remote.head not in remote.branches and remote.branches:
            note = f"HEAD of the remote names no branch that was pushed, so {wanted} is used"
        clone = _opened(path, login, lock)
    elif not remote.branches:
        done = Updated(EMPTY, wanted, clone.commit("HEAD"))
    else:
        done = bring_up_to_date(clone, login, wanted, remote, is_reset_wanted)
    done = done._replace(note="; ".join(filter(None, (note, done.note))))
    return done if done.action in (EMPTY, LEAVE) else complete(clone, done, extras)


def _opened(path: str, login: Login, lock: int | None) -> Clone:
    allowed = (
        {}
        if login.url.startswith("file:")
        else {"GIT_ALLOW_PROTOCOL": _without_files(os.environ.get("GIT_ALLOW_PROTOCOL"))}
    )
    return Clone(path, lock, login_config(login), {**login_environment(login), **allowed})


def _without_files(allowed: str | None) -> str:
    """What a clone of another machine's repo may name: its submodules must not bring folders of this machine into containers."""
    return ":".join(protocol for protocol in (allowed.split(":") if allowed else PROTOCOLS) if protocol != "file")


def ask(login: Login, clone: Clone | None = None) -> Remote:
    """The branches of a remote: one round trip. Raises ToolFailed."""
    # The clone's own surroundings, where there is one: the user's configuration may say more for its folder.
    run = clone.run if clone is not None else functools.partial(list_remote, login)
    return remote_branches(run("ls-remote", "--symref", UPLOAD_PACK, "--", login.url, "HEAD", "refs/heads/*"))


def bring_up_to_date(clone: Clone, login: Login, branch: str, remote: Remote, is_reset_wanted: bool) -> Updated:
    """Fetch if the branch moved, and follow it unless the user's work stands against that. Raises ToolFailed."""
    is_fetched = clone.commit(f"refs/remotes/origin/{branch}") != remote.branches[branch]
    if is_fetched:
        clone.fetch(login.url)
    clone.mark_fetched()
    facts = clone.facts(branch)
    if facts.commit and (facts.commit, facts.branch) != (facts.target, branch):
        facts = facts._replace(in_submodules=submodules.work_in(clone))
    decision = decision_of(facts, branch, is_reset_wanted, clone.path)
    return carry_out(clone, decision, facts, branch)._replace(was_fetched=is_fetched)


def carry_out(clone: Clone, decision: Decision, facts: CloneFacts, branch: str) -> Updated:
    """Do what was decided."""
    note, before, obstacle = decision.because, facts.commit, ""
    if decision.action in (LEAVE, NOTHING):
        return Updated(decision.action, branch, before, before, note, way_out=decision.way_out)
    if decision.action == RESET:
        note += f"; saved under {', '.join((clone.save(*_own_branches(facts, branch)), *submodules.save_work(clone)))}"
    target = f"refs/remotes/origin/{branch}"
    with clone.moving_to(facts.target):
        submodules.remove_vanished(clone, facts.target)
        if decision.action == FORWARD:
            obstacle = clone.try_move("merge", "--quiet", "--ff-only", "--no-overwrite-ignore", target)
        else:
            cleared = _clear_name(clone, facts)
            if decision.action == RESET:
                clone.end_operation()
                clone.run("checkout", "--quiet", "--force", "--no-track", "-B", branch, target)
            else:
                # What a local branch of that name has is the remote's: conflict_of looked.
                obstacle = clone.try_move(
                    "checkout", "--quiet", "--no-overwrite-ignore", "--no-track", "-B", branch, target
                )
            if obstacle:
                _restore_names(clone, facts, cleared)
            else:
                clone.track(branch)
    if obstacle:
        submodules.update(clone)
        return Updated(LEAVE, branch, before, before, obstacle, way_out="move them elsewhere")
    return Updated(decision.action, branch, before, clone.commit("HEAD"), note)


def _own_branches(facts: CloneFacts, branch: str) -> list[str]:
    """The local branches beside HEAD whose commits a reset would lose."""
    names = [name for name, commits in facts.blocking.items() if commits]
    return [f"refs/heads/{name}" for name in ([branch] if facts.other_tip_commits else []) + names]


def _clear_name(clone: Clone, facts: CloneFacts) -> dict[str, str]:
    """Take away local branches beside which git can keep none of the wanted name, and say where they stood; their commits are the
    remote's, or saved."""
    commits = {name: clone.commit(f"refs/heads/{name}") for name in facts.blocking}
    if facts.branch in commits:
        clone.run("checkout", "--quiet", "--detach")
    for name in commits:
        clone.run("branch", "--quiet", "-D", name)
    return commits


def _restore_names(clone: Clone, facts: CloneFacts, commits: dict[str, str]) -> None:
    for name, commit in commits.items():
        clone.run("branch", "--quiet", "--no-track", name, commit)
    if facts.branch in commits:
        clone.run("symbolic-ref", "HEAD", f"refs/heads/{facts.branch}")


def clone_afresh(path: str, login: Login, branch: str, remote: Remote, lock: int | None = None) -> Updated:
    """Clone beside, then swap in: an interrupted clone never lies at `path`. What lies there is set aside. Raises as update_clone does."""
    making, note = f"{path}.making", ""
    if os.path.lexists(making):
        shutil.rmtree(making)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    words = [
        "clone",
        "--quiet",
        "--origin",
        "origin",
        "--no-recurse-submodules",
        *(["--branch", branch] if remote.branches else []),
        "--",
        login.url,
        making,
    ]
    finished = git(words, lock=lock, given=of_login(login))
    if finished.code:
        shutil.rmtree(making, ignore_errors=True)
        raise git_failed(words, finished)
    if os.path.lexists(path):
        note = f"the broken clone was set aside as {set_aside(path)}"
    os.rename(making, path)
    clone = Clone(path, lock)
    clone.remember_upstream()
    clone.mark_fetched()
    commit = read_commit(path)
    return Updated(CLONED if commit else EMPTY, read_branch(path) or branch, "", commit, note, was_fetched=True)


def set_aside(path: str) -> str:
    """Move what lies at `path` out of the way, keeping it; its new path."""
    base = kept = f"{path}.broken-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while os.path.lexists(kept):
        number += 1
        kept = f"{base}-{number}"
    os.rename(path, kept)
    return kept


def no_such_branch(shown_url: str, branch: str, remote: Remote) -> Failure:
    """The failure for a branch that the remote lacks."""
    names = ", ".join(sorted(remote.branches))
    if branch:
        return Failure(
            f'{shown_url} has no branch "{branch}"; it has {names}',
            f"{DUSTY} repos manage <repo> --branch <one of them>, or --branch '' for the default one",
        )
    return Failure(
        f"{shown_url}: no branch is chosen, and HEAD there names none that was pushed; it has {names}",
        f"{DUSTY} repos manage <repo> --branch <one of them>",
    )


def complete(clone: Clone, done: Updated, extras: Extras) -> Updated:
    """Fetch submodules and LFS files of what is checked out now; on a clone where all of them are there nothing is asked."""
    path = os.path.join(clone.git_folder, WHOLE)
    wanted = f"{done.after} {extras.submodules:d}{extras.lfs:d}".encode()
    if not done.after or read_bytes(path) == wanted:
        return done
    has_done, missing = (
        submodules.update(clone, is_forced=done.action == RESET, with_lfs=extras.lfs)
        if extras.submodules
        else (False, [])
    )
    if extras.lfs:
        filled = fetch_files(clone)
        has_done, missing = has_done or filled[0], [*filled[1], *missing]
    if not missing:
        write_atomically(path, wanted)
    if has_done and done.action == NOTHING:
        done = done._replace(action=COMPLETED)
    return done._replace(missing=tuple(missing))
