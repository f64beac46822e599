"""One clone: what it stands on, what in it is the user's, how it is moved and saved. Decides nothing (core/code/clones does).

More than 300 lines: one clone, with each thing that git can do to it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dusty_tasks.core.code.clones import CloneFacts, blocking_names
from dusty_tasks.core.code.git_config import UPLOAD_PACK, Pairs
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.git import Given, git, git_failed, outside_config, own_answers
from dusty_tasks.effects.code.working_tree import git_folder_of, read_branch
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.files import read_bounded, read_bytes, write_atomically

IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
    "BISECT_START": "bisect",
}
MOVING = "dusty-moving"
"""In .git while we move the working tree: the commit it moves to. Found at the start of an update, the last one was killed."""
FETCHED = "dusty-fetched"
"""In .git: its time is that of the last successful look at the remote."""
UPSTREAM = "dusty-upstream"
"""In .git: the commits that branches of the remote ever stood at, one a line. git forgets those of a branch that was deleted."""
MOST_TIPS = 100_000
LOCK_FILES = ("index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock")
REFSPEC = "+refs/heads/*:refs/remotes/origin/*"


class Clone:
    """One clone; every command names its .git, so that a missing one never means the repo around it."""

    def __init__(
        self, path: str, lock: int | None = None, config: Pairs = (), env: Mapping[str, str] | None = None
    ) -> None:
        self.path, self.lock, self.config, self.env = path, lock, config, dict(env or {})
        self.git_folder = git_folder_of(path)

    @functools.cached_property
    def _answers(self) -> list[tuple[str, str]]:
        return own_answers(self.git_folder)

    def try_run(
        self, *words: str, input: str | bytes | None = None, env: Mapping[str, str] | None = None, config: Pairs = ()
    ) -> process.Finished:
        return git(
            ["--git-dir", self.git_folder, "--work-tree", self.path, *words],
            cwd=self.path,
            lock=self.lock,
            input=input,
            given=Given({**self.env, **(env or {})}, (*self._answers, *self.config, *config)),
        )

    def run(
        self, *words: str, input: str | bytes | None = None, env: Mapping[str, str] | None = None, config: Pairs = ()
    ) -> str:
        """What git prints, stripped. Raises ToolFailed."""
        finished = self.try_run(*words, input=input, env=env, config=config)
        if finished.code:
            raise git_failed(words, finished)
        return finished.out.strip()

    def names(self, *words: str) -> list[str]:
        """The names that a command with -z prints. Raises ToolFailed."""
        return [name for name in self.run(*words).split("\0") if name]

    def is_sound(self) -> bool:
        """True if git can work with it: HEAD and all branches of the remote are known; a HEAD that has no commit yet is no damage."""
        try:
            if not os.path.isdir(self.git_folder) or self._answers is None:
                return False
        except OSError:
            return False
        if self.try_run("rev-parse", "--quiet", "--verify", "HEAD^{tree}").code == 0:
            return self.try_run(
                "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"
            ).code == 0 or bool(self._left_locks())
        if (
            self.try_run("symbolic-ref", "--quiet", "HEAD").code
            or self.try_run("rev-parse", "--quiet", "--verify", "HEAD").code == 0
        ):
            return False
        return self.try_run("for-each-ref", "--format=%(objecttype)").code == 0

    def commit(self, ref: str) -> str:
        """The commit of a ref, '' if there is none."""
        return self.try_run("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}").out.strip()

    def follow(self, url: str) -> None:
        """Make `url` the remote, if it is not."""
        if self.try_run("config", "--get-all", "remote.origin.url").out.strip() == url:
            return
        self.run("config", "--replace-all", "remote.origin.url", url)
        if not self.try_run("config", "--get-all", "remote.origin.fetch").out.strip():
            self.run("config", "remote.origin.fetch", REFSPEC)

    def fetch(self, url: str, *refspecs: str) -> None:
        """Fetch all branches of `url` (or `refspecs`), and forget those that it has no more. Raises ToolFailed."""
        words = [
            "fetch",
            "--quiet",
            UPLOAD_PACK,
            "--no-recurse-submodules",
            "--update-shallow",
            *([] if refspecs else ["--prune"]),
        ]
        wanted = ("--", url, *(refspecs or (REFSPEC,)))
        self.remember_upstream()
        finished = self.try_run(*words, *wanted)
        if finished.code and "refs/tags/" in finished.err:
            # A tag v1 where v1/x is now, or the other way round: no code hangs on it.
            finished = self.try_run(*words, "--no-tags", *wanted)
        if finished.code:
            raise git_failed((*words, *wanted), finished)
        self.remember_upstream()

    # What is the user's

    def facts(self, branch: str) -> CloneFacts:
        """How it stands to the remote's `branch`."""
        remote = f"refs/remotes/origin/{branch}"
        current, commit, target = read_branch(self.path), self.commit("HEAD"), self.commit(remote)
        facts = CloneFacts(current, commit, self.edits(), self.in_progress(), target)
        if commit == target and current == branch:
            return facts._replace(is_behind=True)
        own, dropped = self.own_commits("HEAD") if commit else ([], 0)
        facts = facts._replace(
            is_behind=self.is_ancestor(commit, target),
            is_ahead=self.is_ancestor(target, commit),
            local_commits=len(own),
            dropped_commits=dropped,
            own_base=self._base_of(own) if dropped else "",
        )
        if current == branch:
            return facts
        local = f"refs/heads/{branch}"
        blocking = blocking_names(
            branch, self.run("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
        )
        return facts._replace(
            other_tip_commits=len(self.own_commits(local)[0]) if self.commit(local) else 0,
            blocking={name: len(self.own_commits(f"refs/heads/{name}")[0]) for name in blocking},
        )

    def edits(self) -> int:
        """How many tracked files differ from HEAD; submodules are looked at by themselves."""
        return len(self.run("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all").splitlines())

    def own_commits(self, ref: str, known: Sequence[str] = ()) -> tuple[list[str], int]:
        """(commits of `ref` that the remote never had, newest first; how many it has that the remote had once and has no more).

        `known` are more commits that are not the user's.
        """
        words = ("rev-list", "--topo-order", ref, "--not", "--remotes=origin")
        away = self.run(*words).split()
        if not away:
            return [], 0
        tips = "".join(f"^{tip}\n" for tip in (*self._upstream_tips(), *known))
        own = self.run(
            "rev-list", "--topo-order", "--ignore-missing", "--stdin", ref, "--not", "--remotes=origin", input=tips
        ).split()
        return own, len(away) - len(own)

    def _base_of(self, own: Sequence[str]) -> str:
        """The commit before the oldest of HEAD's `own` ones, if they are one straight line that ends at HEAD; else ''."""
        base = self.commit(f"{own[-1]}^") if own else ""
        return base if base and self.run("rev-list", "--no-merges", f"{base}..HEAD").split() == list(own) else ""

    def _upstream_tips(self) -> list[str]:
        """The commits that branches of the remote stood at, as we and git remember them."""
        found = dict.fromkeys(
            (read_bytes(os.path.join(self.git_folder, UPSTREAM)) or b"").decode("ascii", "replace").split()
        )
        for folder, _folders, files in os.walk(os.path.join(self.git_folder, "logs/refs/remotes/origin")):
            for name in files:
                with contextlib.suppress(OSError):
                    lines = (read_bounded(os.path.join(folder, name), 64 << 20) or b"").splitlines()
                    found.update(
                        dict.fromkeys(
                            tip.decode("ascii", "replace") for line in lines for tip in line.split(b" ", 2)[:2]
                        )
                    )
        return [tip for tip in found if tip.isalnum() and tip.strip("0")]

    def remember_upstream(self, *more: str) -> None:
        """Note where the remote's branches stand, and the commits `more` that came from it."""
        path = os.path.join(self.git_folder, UPSTREAM)
        known = (read_bytes(path) or b"").decode("ascii", "replace").split()
        now = {*self.run("for-each-ref", "--format=%(objectname)", "refs/remotes/origin").split(), *more}
        if fresh := sorted(now - set(known)):
            write_atomically(path, "".join(f"{tip}\n" for tip in (known + fresh)[-MOST_TIPS:]).encode())

    def is_ancestor(self, older: str, newer: str) -> bool:
        return bool(older and newer) and self.try_run("merge-base", "--is-ancestor", older, newer).code == 0

    def in_progress(self) -> str:
        """`merge`, `rebase`, … if one was begun and not ended."""
        return next(
            (word for name, word in IN_PROGRESS.items() if os.path.exists(os.path.join(self.git_folder, name))), ""
        )

    # Saving

    def save(self, *others: str) -> str:
        """Keep HEAD, index and working tree (untracked files too, but for ignored ones) as a commit under refs/dusty/saved; the ref.

        `others` are refs whose commits are kept with it.
        """
        index = os.path.join(self.git_folder, f"dusty-index-{os.getpid()}")
        env = {"GIT_INDEX_FILE": index}
        try:
            if self.commit("HEAD"):
                self.run("read-tree", "HEAD", env=env)
            self.run("add", "--all", "--", ".", env=env)
            if hidden := self.hidden_obstacles():
                self.run(
                    "add",
                    "--force",
                    "--pathspec-from-file=-",
                    "--pathspec-file-nul",
                    env={**env, "GIT_LITERAL_PATHSPECS": "1"},
                    input=os.fsencode("\0".join(hidden)),
                )
            tree = self.run("write-tree", env=env)
        finally:
            if os.path.exists(index):
                os.unlink(index)
        staged = self.try_run("write-tree").out.strip()
        head = self.commit("HEAD")
        parents = [head, *map(self.commit, others)]
        if staged and staged not in (tree, self.run("rev-parse", "HEAD^{tree}") if head else ""):
            parents.append(self._commit_of(staged, parents[:1], "what was staged"))
        saved = self._commit_of(tree, parents, "what lay in the working tree before a reset")
        ref = self._free_ref()
        self.run("update-ref", ref, saved)
        return ref

    def hidden_obstacles(self) -> list[str]:
        """Ignored files that stand where the commit to move to has a file."""
        ignored = self.names("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
        if not ignored:
            return []
        coming: set[str] = set()
        for ref in self.run("for-each-ref", "--format=%(refname)", "refs/remotes/origin").splitlines():
            coming |= set(self.try_run("ls-tree", "-r", "-z", "--name-only", ref).out.split("\0"))
        return sorted(set(ignored) & coming)

    def _commit_of(self, tree: str, parents: Iterable[str], message: str) -> str:
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "Dusty"), ("EMAIL", "dusty@localhost"))
        }
        words = [word for parent in dict.fromkeys(parents) if parent for word in ("-p", parent)]
        return self.run("commit-tree", "--no-gpg-sign", tree, *words, "-m", message, env=who)

    def _free_ref(self) -> str:
        base = ref = f"refs/dusty/saved/{time.strftime('%Y%m%d-%H%M%S')}"
        number = 1
        while self.commit(ref):
            number += 1
            ref = f"{base}-{number}"
        return ref

    # Moving

    @contextlib.contextmanager
    def moving_to(self, target: str) -> Iterator[None]:
        """While the block changes the working tree to `target`, a mark tells whoever finds it that this was killed."""
        marker = os.path.join(self.git_folder, MOVING)
        write_atomically(marker, target.encode())
        try:
            yield
        finally:
            os.unlink(marker)

    def end_operation(self) -> None:
        """End a merge, rebase and the like; the working tree stays."""
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
            if os.path.exists(os.path.join(self.git_folder, name)):
                os.unlink(os.path.join(self.git_folder, name))
        for operation, words in (
            ("am", ("am", "--quit")),
            ("rebase", ("rebase", "--quit")),
            ("bisect", ("bisect", "reset", "HEAD")),
        ):
            if self.in_progress() == operation:
                self.try_run(*words)

    def try_move(self, *words: str) -> str:
        """Run a command that moves a working tree without edits; what stands in its way ('' if nothing): git touches nothing then.

        Raises ToolFailed for all else.
        """
        finished = self.try_run(*words)
        if not finished.code:
            return ""
        if "would be overwritten" not in finished.err and "would lose untracked files" not in finished.err:
            raise git_failed(words, finished)
        paths = [printable(line.strip()) for line in finished.err.splitlines() if line.startswith("\t")]
        return f"untracked files would be overwritten: {', '.join(paths[:5])}{f' and {len(paths) - 5} more' if len(paths) > 5 else ''}"

    def track(self, branch: str) -> None:
        """Let `git pull` and `git status` by hand compare `branch` with the remote's."""
        self.run("config", f"branch.{branch}.remote", "origin")
        self.run("config", f"branch.{branch}.merge", f"refs/heads/{branch}")

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
        note = "an interrupted update was aborted"
        if self.commit(target):
            own = set(self._differing("HEAD")) & set(self._differing(target))
            if own:
                note += f"; what may be edits of {counted(len(own), 'file')} is saved under {self.save()}"
            is_on_the_way = self.is_ancestor(self.commit("HEAD"), target) or not read_branch(self.path)
            self.run("reset", "--quiet", "--hard", target if is_on_the_way else "HEAD")
        os.unlink(os.path.join(self.git_folder, MOVING))
        return note

    def _differing(self, commit: str) -> list[str]:
        return self.names(
            "diff",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=all",
            "-z",
            commit,
        )

    def _left_locks(self) -> list[str]:
        if not os.path.exists(os.path.join(self.git_folder, MOVING)):
            return []
        branch = read_branch(self.path)
        return [
            name
            for name in (*LOCK_FILES, f"refs/heads/{branch}.lock")
            if os.path.exists(os.path.join(self.git_folder, name))
        ]

    def mark_fetched(self) -> None:
        write_atomically(os.path.join(self.git_folder, FETCHED), b"")

    def state(self) -> str:
        """`clean`, `ahead`, `dirty`, `missing`, `no git repo`, `of another user` or `broken`, as `repos list` says."""
        if not os.path.isdir(self.path):
            return "missing"
        if not os.path.lexists(os.path.join(self.path, ".git")):
            return "no git repo"
        if belongs_to_another(self.path):
            return "of another user"
        try:
            finished = self.try_run(
                "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--ignore-submodules=dirty"
            )
        except OSError:
            return "broken"
        if finished.code:
            return "broken"
        lines = finished.out.splitlines()
        if any(not line.startswith("#") for line in lines):
            return "dirty"
        ahead = next((line.split()[2] for line in lines if line.startswith("# branch.ab ")), "+0")
        return "clean" if ahead == "+0" else "ahead"


def belongs_to_another(folder: str) -> bool:
    """True for a repo of somebody else's that the user's `safe.directory` does not name: git by itself would refuse it, too."""
    users = {
        os.geteuid(),
        *([int(os.environ["SUDO_UID"])] if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal() else []),
    }
    try:
        owners = {os.lstat(path).st_uid for path in (folder, os.path.join(folder, ".git"), git_folder_of(folder))}
    except OSError:
        return False
    trusted = [value for key, value in outside_config() if key == "safe.directory"]
    return not owners <= users and "*" not in trusted and os.path.realpath(folder) not in map(os.path.realpath, trusted)


def fetched_at(path: str) -> float:
    """When the remote of the clone at `path` was last looked at (seconds since the epoch), 0 if never or there is no clone."""
    for name in (FETCHED, "FETCH_HEAD", "HEAD"):
        try:
            return os.stat(os.path.join(path, ".git", name)).st_mtime
        except OSError:
            continue
    return 0
