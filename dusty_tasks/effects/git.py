"""git on managed clones: the user's own git, agent and known_hosts; never a question (spec-language section 7)."""
from __future__ import annotations

import functools
import os
import shutil
import time
from collections.abc import Sequence
from typing import NamedTuple

from dusty_tasks.core.called import DUSTY
from dusty_tasks.core.clones import (
    FORWARD,
    LEAVE,
    NOTHING,
    RESET,
    SWITCH,
    CloneFacts,
    Decision,
    decision_of,
    remote_branches,
)
from dusty_tasks.core.sizes import counted
from dusty_tasks.effects import process
from dusty_tasks.effects.commits import read_branch, read_commit
from dusty_tasks.effects.failures import Failure, ToolFailed
from dusty_tasks.effects.files import read_bytes, write_atomically

OF_ANOTHER_REPO = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE",
                   "GIT_ALTERNATE_OBJECT_DIRECTORIES")
"""Set for us when Dusty is started from a git hook; they would point every command at that repo."""
IN_PROGRESS = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "rebase-merge": "rebase", "rebase-apply": "rebase"}
MOVING = "dusty-moving"
"""In .git while we move the working tree: the commit it moves to. Found at the start of an update, the last one was killed."""
FETCHED = "dusty-fetched"
"""In .git: its time is that of the last successful look at the remote."""
LOCK_FILES = ("index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock")


class Updated(NamedTuple):
    """What became of a clone."""

    action: str
    """`cloned`, `forward`, `switch`, `reset`, `leave`, `nothing`."""
    branch: str = ""
    before: str = ""
    after: str = ""
    note: str = ""
    """Why it was left or reset, where work was saved, what was set aside."""
    was_fetched: bool = False
    is_obstructed: bool = False
    """True if it was left because of untracked files, which no reset takes."""


def update_clone(path: str, url: str, branch: str, *, is_reset_wanted: bool = False, lock: int | None = None) -> Updated:
    """Clone `url` to `path`, or bring the clone there to the remote's `branch` ('' for the remote's default one).

    Work of the user's is never lost: a clone with edits or commits is left, or saved and reset if that is wanted; one that
    is broken is set aside. Raises ToolFailed (git's last lines), Failure if the remote has no such branch.
    """
    clone = Clone(path, lock)
    note = ""
    if os.path.lexists(path) and not clone.is_sound():
        note = f"the broken clone was set aside as {set_aside(path)}"
    if not os.path.lexists(path):
        return clone_afresh(path, url, branch, lock)._replace(note=note)
    note = clone.finish_interrupted_move()
    clone.follow(url)
    default, branches = clone.ask(url)
    wanted = branch or default
    if not branches:
        return Updated(NOTHING, wanted, note=note or "the remote is empty")
    if wanted not in branches:
        raise no_such_branch(url, wanted, branches)
    known = clone.commit(f"refs/remotes/origin/{wanted}")
    is_fetched = known != branches[wanted]
    if is_fetched:
        clone.run("fetch", "--quiet", "--prune", "--no-recurse-submodules", "origin", "+refs/heads/*:refs/remotes/origin/*")
    clone.mark_fetched()
    facts = clone.facts(wanted, known)
    decision = decision_of(facts, wanted, is_reset_wanted)
    done = carry_out(clone, decision, facts, wanted)
    return done._replace(note="; ".join(filter(None, (note, done.note))), was_fetched=is_fetched)


def carry_out(clone: Clone, decision: Decision, facts: CloneFacts, branch: str) -> Updated:
    """Do what was decided."""
    note, before, obstacle = decision.because, facts.commit, ""
    if decision.action == RESET:
        note += f"; saved under {clone.save()}"
        clone.move(facts.target, "checkout", "--quiet", "--force", "-B", branch, f"refs/remotes/origin/{branch}")
        clone.run("branch", "--quiet", f"--set-upstream-to=origin/{branch}")
    elif decision.action == FORWARD:
        obstacle = clone.try_move(facts.target, "merge", "--quiet", "--ff-only", f"refs/remotes/origin/{branch}")
    elif decision.action == SWITCH:
        # A local branch of that name has nothing of its own: conflict_of looked.
        obstacle = clone.try_move(facts.target, "checkout", "--quiet", "-B", branch, "--track", f"origin/{branch}")
    if obstacle:
        return Updated(LEAVE, branch, before, before, obstacle, is_obstructed=True)
    return Updated(decision.action, branch, before, clone.commit("HEAD"), note)


def clone_afresh(path: str, url: str, branch: str, lock: int | None = None) -> Updated:
    """Clone beside, then swap in: an interrupted clone never lies at `path`. Raises as update_clone does."""
    making = f"{path}.making"
    if os.path.lexists(making):
        shutil.rmtree(making)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    words = ["clone", "--quiet", "--origin", "origin", *(["--branch", branch] if branch else []), "--", url, making]
    finished = git(words, lock=lock)
    if finished.code:
        shutil.rmtree(making, ignore_errors=True)
        if branch and f"Remote branch {branch} not found" in finished.err:
            raise no_such_branch(url, branch, remote_branches(git(["ls-remote", "--symref", "--", url, "HEAD", "refs/heads/*"]).out)[1])
        raise git_failed(words, finished)
    os.rename(making, path)
    clone = Clone(path, lock)
    clone.mark_fetched()
    return Updated("cloned", read_branch(path), "", read_commit(path), was_fetched=True)


def set_aside(path: str) -> str:
    """Move what lies at `path` out of the way, keeping it; its new path."""
    kept = f"{path}.broken-{time.strftime('%Y%m%d-%H%M%S')}"
    os.rename(path, kept)
    return kept


def no_such_branch(url: str, branch: str, branches: dict[str, str]) -> Failure:
    """The failure for a branch that the remote lacks."""
    return Failure(f'{url} has no branch "{branch}"; it has {", ".join(sorted(branches)) or "none"}',
                   f"{DUSTY} repos manage <repo> --branch <one of them>, or --branch '' for the default one")


class Clone:
    """One managed clone; every command names its .git, so that a missing one never means the repo around it."""

    def __init__(self, path: str, lock: int | None = None) -> None:
        self.path, self.lock = path, lock
        self.git_folder = os.path.join(path, ".git")

    def try_run(self, *words: str, input: str | bytes | None = None, env: dict[str, str] | None = None) -> process.Finished:
        return git(["--git-dir", self.git_folder, "--work-tree", self.path, *words], cwd=self.path, lock=self.lock, input=input, env=env)

    def run(self, *words: str, input: str | bytes | None = None, env: dict[str, str] | None = None) -> str:
        """What git prints, stripped. Raises ToolFailed."""
        finished = self.try_run(*words, input=input, env=env)
        if finished.code:
            raise git_failed(words, finished)
        return finished.out.strip()

    def is_sound(self) -> bool:
        """True if git can work with it: a HEAD whose files are known, or a clone of a remote without commits."""
        if not os.path.isdir(self.git_folder):
            return False
        if self.try_run("rev-parse", "--quiet", "--verify", "HEAD^{tree}").code == 0:
            return self.try_run("status", "--porcelain", "--untracked-files=no").code == 0 or bool(self._left_locks())
        listed = self.try_run("for-each-ref", "--count=1")
        return listed.code == 0 and not listed.out.strip()

    def commit(self, ref: str) -> str:
        """The commit of a ref, '' if there is none."""
        return self.try_run("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}").out.strip()

    def follow(self, url: str) -> None:
        """Make `url` the remote, if it is not."""
        if self.try_run("config", "--get", "remote.origin.url").out.strip() == url:
            return
        if self.try_run("remote", "set-url", "origin", url).code:
            self.run("remote", "add", "origin", url)

    def ask(self, url: str) -> tuple[str, dict[str, str]]:
        """(default branch, branch -> commit) of the remote: one round trip. Raises ToolFailed."""
        return remote_branches(self.run("ls-remote", "--symref", "--", url, "HEAD", "refs/heads/*"))

    def facts(self, branch: str, known: str) -> CloneFacts:
        """How it stands to the remote's `branch`; `known` is where that pointed before the fetch."""
        remote = f"refs/remotes/origin/{branch}"
        current, commit, target = read_branch(self.path), self.commit("HEAD"), self.commit(remote)
        edits = self.run("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
        facts = CloneFacts(current, commit, len(edits.splitlines()), self._in_progress(), target)
        if commit == target:
            return facts._replace(is_behind=True) if current == branch else self._other_branch(facts, branch)
        facts = facts._replace(
            is_behind=self._is_ancestor(commit, target),
            local_commits=int(self.run("rev-list", "--count", "HEAD", "--not", "--remotes=origin")) if commit else 0,
            was_remote=bool(known and commit) and self._is_ancestor(commit, known))
        return self._other_branch(facts, branch) if current != branch else facts

    def _other_branch(self, facts: CloneFacts, branch: str) -> CloneFacts:
        local = f"refs/heads/{branch}"
        own = int(self.run("rev-list", "--count", local, "--not", "--remotes=origin")) if self.commit(local) else 0
        return facts._replace(other_tip_commits=own)

    def _is_ancestor(self, older: str, newer: str) -> bool:
        return bool(older and newer) and self.try_run("merge-base", "--is-ancestor", older, newer).code == 0

    def _in_progress(self) -> str:
        return next((word for name, word in IN_PROGRESS.items() if os.path.exists(os.path.join(self.git_folder, name))), "")

    def save(self) -> str:
        """Keep HEAD, index and working tree (untracked files too, but for ignored ones) as a commit under refs/dusty/saved; the ref."""
        index = os.path.join(self.git_folder, f"dusty-index-{os.getpid()}")
        env = {"GIT_INDEX_FILE": index}
        try:
            if self.commit("HEAD"):
                self.run("read-tree", "HEAD", env=env)
            self.run("add", "--all", "--", ".", env=env)
            if self.hidden_obstacles():
                self.run("add", "--force", "--", *self.hidden_obstacles(), env=env)
            tree = self.run("write-tree", env=env)
        finally:
            if os.path.exists(index):
                os.unlink(index)
        staged = self.try_run("write-tree").out.strip()
        parents = [self.commit("HEAD")]
        if staged and staged not in (tree, self.run("rev-parse", "HEAD^{tree}")):
            parents.append(self._commit_of(staged, parents[:1], "what was staged"))
        saved = self._commit_of(tree, parents, "what lay in the working tree before a reset")
        ref = self._free_ref()
        self.run("update-ref", ref, saved)
        return ref

    def hidden_obstacles(self) -> list[str]:
        """Ignored files that stand where the commit to move to has a file."""
        ignored = self.run("ls-files", "-z", "--others", "--ignored", "--exclude-standard").split("\0")
        if not any(ignored):
            return []
        coming = set()
        for ref in self.run("for-each-ref", "--format=%(refname)", "refs/remotes/origin").splitlines():
            coming |= set(self.try_run("ls-tree", "-r", "-z", "--name-only", ref).out.split("\0"))
        return sorted(set(ignored) & coming - {""})

    def _commit_of(self, tree: str, parents: Sequence[str], message: str) -> str:
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "Dusty"), ("EMAIL", "dusty@localhost"))}
        words = [word for parent in parents if parent for word in ("-p", parent)]
        return self.run("commit-tree", "--no-gpg-sign", tree, *words, "-m", message, env=who)

    def _free_ref(self) -> str:
        base = ref = f"refs/dusty/saved/{time.strftime('%Y%m%d-%H%M%S')}"
        number = 1
        while self.commit(ref):
            number += 1
            ref = f"{base}-{number}"
        return ref

    def move(self, target: str, *words: str) -> None:
        """Run a command that changes the working tree to `target`, so that a killed one is noticed. Raises ToolFailed."""
        marker = os.path.join(self.git_folder, MOVING)
        write_atomically(marker, target.encode())
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
            if words[0] == "checkout" and "--force" in words and os.path.exists(os.path.join(self.git_folder, name)):
                os.unlink(os.path.join(self.git_folder, name))
        if words[0] == "checkout" and "--force" in words and self._in_progress() == "rebase":
            self.try_run("rebase", "--quit")
        try:
            self.run(*words)
        finally:
            os.unlink(marker)

    def try_move(self, target: str, *words: str) -> str:
        """The same for a clone without edits; what stands in the way ('' if nothing): git touches nothing then."""
        try:
            self.move(target, *words)
        except ToolFailed as failure:
            if "would be overwritten" not in failure.printed:
                raise
            paths = [line.strip() for line in failure.printed.splitlines() if line.startswith("\t")]
            return f"untracked files are in the way: {', '.join(paths)}"
        return ""

    def finish_interrupted_move(self) -> str:
        """If an update was killed while it moved the working tree, end it; what was done, in words.

        We hold the repo's lock, and a git of ours would still hold it: so no git of ours is at work, and its lock files are leftovers.
        What is neither as before nor as after the move may be an edit: it is saved.
        """
        target = (read_bytes(os.path.join(self.git_folder, MOVING)) or b"").decode("ascii", "replace")
        if not target:
            return ""
        for name in self._left_locks():
            os.unlink(os.path.join(self.git_folder, name))
        note = "an interrupted update was ended"
        if self.commit(target):
            own = set(self._differing("HEAD")) & set(self._differing(target))
            if own:
                note += f"; what may be edits of {counted(len(own), 'file')} is saved under {self.save()}"
            branch = read_branch(self.path)
            if self._is_ancestor(self.commit("HEAD"), target) or not branch:
                self.run("reset", "--quiet", "--hard", target)
            else:
                self.run("reset", "--quiet", "--hard", "HEAD")
        os.unlink(os.path.join(self.git_folder, MOVING))
        return note

    def _differing(self, commit: str) -> list[str]:
        return [path for path in self.run("diff", "--name-only", "--no-renames", "-z", commit).split("\0") if path]

    def _left_locks(self) -> list[str]:
        if not os.path.exists(os.path.join(self.git_folder, MOVING)):
            return []
        branch = read_branch(self.path)
        return [name for name in (*LOCK_FILES, f"refs/heads/{branch}.lock") if os.path.exists(os.path.join(self.git_folder, name))]

    def mark_fetched(self) -> None:
        write_atomically(os.path.join(self.git_folder, FETCHED), b"")

    def state(self) -> str:
        """`clean`, `ahead`, `dirty`, `missing`, or `no git repo`, as `repos list` says."""
        if not os.path.isdir(self.path):
            return "missing"
        if not os.path.lexists(self.git_folder):
            return "no git repo"
        finished = git(["-C", self.path, "status", "--porcelain=v2", "--branch", "--untracked-files=normal"])
        if finished.code:
            return "broken"
        lines = finished.out.splitlines()
        if any(not line.startswith("#") for line in lines):
            return "dirty"
        ahead = next((line.split()[2] for line in lines if line.startswith("# branch.ab ")), "+0")
        return "clean" if ahead == "+0" else "ahead"


def fetched_at(path: str) -> float:
    """When the remote of the clone at `path` was last looked at (seconds since the epoch), 0 if never or there is no clone."""
    for name in (FETCHED, "FETCH_HEAD", "HEAD"):
        try:
            return os.stat(os.path.join(path, ".git", name)).st_mtime
        except OSError:
            continue
    return 0


def remote_urls(folder: str) -> list[str]:
    """The URLs of all remotes of the git repo at `folder`, [] if it is none."""
    if not os.path.lexists(os.path.join(folder, ".git")):
        return []
    listed = git(["-C", folder, "config", "--get-regexp", r"^remote\..*\.url$"]).out
    return [line.partition(" ")[2] for line in listed.splitlines()]


def git(words: Sequence[str], *, cwd: str | None = None, lock: int | None = None, input: str | bytes | None = None,
        env: dict[str, str] | None = None) -> process.Finished:
    """Run git without any question; `lock` is a descriptor that it inherits."""
    return process.run(["git", *words], cwd=cwd, input=input, env={**_environment(), **(env or {})}, pass_fds=() if lock is None else (lock,))


@functools.cache
def _environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_REPO}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "LC_ALL": "C.UTF-8", "LANGUAGE": ""}
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & env.keys() and not process.run(["git", "config", "--get", "core.sshCommand"], env=env).out:
        env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return env


NO_SUCH_NAME = ("Could not resolve host", "Name or service not known", "nodename nor servname", "Temporary failure in name resolution")
NO_ANSWER = ("Connection refused", "Connection timed out", "Operation timed out", "Network is unreachable", "No route to host", "Failed to connect to")


def unreachable(printed: str) -> str:
    """The hint where ssh or curl did not come as far as the other machine; '' for any other failure."""
    if any(words in printed for words in NO_SUCH_NAME):
        return "its machine's name leads nowhere: look at the network, a VPN, or the URL"
    return "its machine does not answer: look at the network, a VPN or a proxy, or the URL" if any(words in printed for words in NO_ANSWER) else ""


def git_failed(words: Sequence[str], finished: process.Finished) -> ToolFailed:
    """git's last lines, with the hint that fits."""
    printed = finished.err or finished.out
    hint = ""
    if "Permission denied (publickey" in printed or "Could not read from remote repository" in printed:
        hint = "ssh-add <your key> gives it to the agent; Dusty asks no questions while it fetches"
    if trouble := unreachable(printed):
        hint = trouble
    if "Host key verification failed" in printed:
        hint = "ssh to that machine once by hand, and compare its host key"
    if "terminal prompts disabled" in printed or "could not read Username" in printed:
        hint = "use an ssh URL with ssh-add, or let git's credential helper know the password"
    shown = [word for word in words if word not in ("--quiet",)]
    return ToolFailed(["git", *shown], finished.code, printed, hint)
