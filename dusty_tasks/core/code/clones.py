"""What to do with a managed clone, given how it stands to its remote (docs/specs.md, "Repos"). Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted

NOTHING, FORWARD, SWITCH, FOLLOW, LEAVE, RESET = "nothing", "forward", "switch", "follow", "leave", "reset"
RESETS = "--reset-repos saves it and resets the clone"


class CloneFacts(NamedTuple):
    """A clone after a fetch."""

    branch: str
    """The branch it is on, '' for a detached HEAD."""
    commit: str
    """'' in the clone of a remote that was empty then."""
    edits: int = 0
    """Tracked files that differ from HEAD."""
    in_progress: str = ""
    """`merge`, `rebase`, … when one was begun and not ended."""
    target: str = ""
    """The remote's commit of the branch to follow."""
    is_behind: bool = False
    """`commit` is an ancestor of `target`."""
    is_ahead: bool = False
    """`target` is an ancestor of `commit`."""
    local_commits: int = 0
    """Commits of HEAD that the remote never had: the user's own."""
    dropped_commits: int = 0
    """Commits of HEAD that the remote had once and has no more."""
    own_base: str = ""
    """The commit that the user's own ones stand on, where they are one straight line at the end."""
    other_tip_commits: int = 0
    """Commits of the local branch to switch to that the remote never had."""
    blocking: Mapping[str, int] = {}
    """Local branches whose names stand in the way of that of the branch (`feature/x` for `feature`) -> commits that the remote never had."""
    in_submodules: str = ""
    """The user's work in a submodule, in words."""


class Decision(NamedTuple):
    action: str
    because: str = ""
    way_out: str = ""
    """For LEAVE: what the user can do."""


def decision_of(facts: CloneFacts, branch: str, is_reset_wanted: bool, path: str = "") -> Decision:
    """What to do so that the clone at `path` follows `branch`, and why it is left or reset if it is."""
    conflict, way_out = conflict_of(facts, branch, path)
    if conflict:
        return Decision(RESET, conflict) if is_reset_wanted else Decision(LEAVE, conflict, way_out)
    if not facts.commit or facts.branch != branch:
        return Decision(SWITCH)
    if facts.commit == facts.target:
        return Decision(NOTHING)
    return Decision(FORWARD) if facts.is_behind else Decision(FOLLOW, f"the remote's branch {branch} was rewritten")


def conflict_of(facts: CloneFacts, branch: str, path: str = "") -> tuple[str, str]:
    """(the user's work that stands against following the remote, the way out of it), ('', '') if there is none."""
    git = f"git -C {shlex.quote(path)}"
    if facts.in_progress:
        operation = "git am" if facts.in_progress == "am" else f"a {facts.in_progress}"
        giving_up = "bisect reset" if facts.in_progress == "bisect" else f"{facts.in_progress} --abort"
        return f"{operation} is in progress", f"end it there (git {giving_up} gives it up), or {RESETS}"
    if facts.edits or facts.in_submodules:
        what = ", ".join(
            filter(None, (counted(facts.edits, "edited file") if facts.edits else "", facts.in_submodules))
        )
        if facts.dropped_commits:
            # What is committed and pushed from here would take the dropped commits along.
            return (
                f"{what}, on commits that the remote dropped",
                f"{git} stash, {DUSTY} repos update, {git} stash pop; or {RESETS}",
            )
        return what, f"commit and push the work, or {RESETS}"
    if facts.commit == facts.target and facts.branch == branch:
        return "", ""
    if facts.local_commits:
        return counted(facts.local_commits, "local commit") + _dropped_text(facts), _way_of_commits(facts, branch, git)
    if facts.other_tip_commits and facts.branch != branch:
        return (
            f"{counted(facts.other_tip_commits, 'local commit')} on branch {branch}",
            f"{git} branch -m {branch} <another name>, or {RESETS}",
        )
    for name, commits in facts.blocking.items():
        if commits:
            return (
                f"{counted(commits, 'local commit')} on branch {name}, whose name conflicts with {branch}",
                f"{git} branch -m {name} <another name>, or {RESETS}",
            )
    return "", ""


def _dropped_text(facts: CloneFacts) -> str:
    return f", on {counted(facts.dropped_commits, 'commit')} that the remote dropped" if facts.dropped_commits else ""


def _way_of_commits(facts: CloneFacts, branch: str, git: str) -> str:
    if facts.dropped_commits:
        onto = (
            f"{git} rebase --onto origin/{branch} {facts.own_base[:12]} leaves the dropped ones behind; or "
            if facts.own_base
            else ""
        )
        return f"do not push it as it is: that would bring them back: {onto}{RESETS}"
    if facts.is_ahead:
        return f"push the work, or {RESETS}"
    return f"{git} rebase origin/{branch} and push the work, or {RESETS}"


class Remote(NamedTuple):
    """What `git ls-remote --symref <url> HEAD refs/heads/*` tells."""

    default: str
    """The branch to take where none is chosen, '' if that is not to be told."""
    branches: dict[str, str]
    """Branch -> commit."""
    head: str = ""
    """The branch that HEAD names, whether it exists or not; '' for a detached HEAD, or where git does not tell."""


def remote_branches(listing: str) -> Remote:
    """The branches of a remote. HEAD may name one that was never pushed, or none: then the only branch is taken, or the one at HEAD's commit."""
    head, commit, branches = "", "", {}
    for line in listing.splitlines():
        what, _, name = line.partition("\t")
        if name == "HEAD":
            head, commit = (
                (what.removeprefix("ref: refs/heads/"), commit) if what.startswith("ref: refs/heads/") else (head, what)
            )
        elif name.startswith("refs/heads/"):
            branches[name.removeprefix("refs/heads/")] = what
    return Remote(_default(head, commit, branches), branches, head)


def _default(head: str, commit: str, branches: Mapping[str, str]) -> str:
    if head in branches or not branches:
        return head
    at_head = [name for name, other in branches.items() if other == commit]
    for names in (at_head, list(branches)):
        if len(names) == 1:
            return names[0]
    return next((name for name in ("main", "master") if name in at_head), "")


def blocking_names(branch: str, names: Iterable[str]) -> list[str]:
    """Those of `names` beside which git can keep no branch called `branch`: one would be a folder of the other."""
    return sorted(name for name in names if name.startswith(f"{branch}/") or branch.startswith(f"{name}/"))
