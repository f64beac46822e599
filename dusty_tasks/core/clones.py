"""What to do with a managed clone, given how it stands to its remote (spec-language section 7, design.md section 9, 3). Pure."""
from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.sizes import counted

NOTHING, FORWARD, SWITCH, LEAVE, RESET = "nothing", "forward", "switch", "leave", "reset"


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
    local_commits: int = 0
    """Commits of HEAD that no branch of the remote holds."""
    was_remote: bool = False
    """Before the fetch, `commit` was what the remote's branch pointed to (or behind it)."""
    other_tip_commits: int = 0
    """Commits of the local branch to switch to that the remote's branch does not hold."""


class Decision(NamedTuple):
    action: str
    because: str = ""


def decision_of(facts: CloneFacts, branch: str, is_reset_wanted: bool) -> Decision:
    """What to do so that the clone follows `branch`, and why it is left or reset if it is."""
    if not facts.commit and not facts.in_progress:
        return Decision(SWITCH)
    conflict = conflict_of(facts, branch)
    if conflict:
        return Decision(RESET if is_reset_wanted else LEAVE, conflict)
    if facts.branch == branch:
        return Decision(NOTHING if facts.commit == facts.target else FORWARD)
    return Decision(SWITCH)


def conflict_of(facts: CloneFacts, branch: str) -> str:
    """What stands against following the remote, '' if nothing does."""
    if facts.in_progress:
        return f"a {facts.in_progress} is in progress"
    if facts.edits:
        return f"{counted(facts.edits, 'edited file')}"
    if facts.commit == facts.target and facts.branch == branch:
        return ""
    if facts.was_remote and facts.branch == branch and not facts.is_behind:
        return f"the remote's branch {branch} was rewritten"
    if facts.local_commits:
        return counted(facts.local_commits, "local commit")
    if facts.branch == branch:
        return "" if facts.is_behind else f"the remote's branch {branch} was rewritten"
    return f"{counted(facts.other_tip_commits, 'local commit')} on branch {branch}" if facts.other_tip_commits else ""


def remote_branches(listing: str) -> tuple[str, dict[str, str]]:
    """(default branch, branch -> commit) of what `git ls-remote --symref <url> HEAD refs/heads/*` prints."""
    default, branches = "", {}
    for line in listing.splitlines():
        what, _, name = line.partition("\t")
        if what.startswith("ref: refs/heads/") and name == "HEAD":
            default = what.removeprefix("ref: refs/heads/")
        elif name.startswith("refs/heads/"):
            branches[name.removeprefix("refs/heads/")] = what
    return default, branches
