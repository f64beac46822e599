"""A repo at a commit: which one a word means, and its files laid out in a folder. The repo itself is only read."""

from __future__ import annotations

import os
import stat
import tempfile

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import shown
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.code.working_tree import has_git
from dusty_tasks.effects.doors.failures import Failure

USUAL_BASES = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")


class History:
    """The git repo that holds a folder."""

    def __init__(self, folder: str) -> None:
        """Raises Failure if no folder above holds a repo."""
        top = os.path.realpath(folder)
        while not has_git(top):
            if top == os.path.dirname(top):
                raise Failure(f"{folder} is not in a git repo", "changes of specs are read from their git history")
            top = os.path.dirname(top)
        self.clone, self.prefix = Clone(top), os.path.relpath(os.path.realpath(folder), top)

    def commit(self, word: str) -> str:
        """The id of the commit that `word` (a branch, tag or id) means. Raises Failure if there is none."""
        found = self.clone.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}")
        if found.code or not found.out.strip():
            raise Failure(
                f"there is no commit {shown(word)} here",
                "a shallow clone has only the newest: fetch more (fetch-depth: 0 in a workflow)",
            )
        return found.out.strip()

    def usual_base(self) -> str:
        """The commit of the remote's main branch. Raises Failure if it is not known."""
        for name in USUAL_BASES:
            found = self.clone.try_run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if not found.code:
                return found.out.strip()
        raise Failure("this repo has no remote main branch to compare with", f"{DUSTY} impact <commit>")

    def common_ancestor(self, one: str, other: str) -> str:
        """The newest commit that both come from; `one` where none is known, as in a shallow clone."""
        return self.clone.try_run("merge-base", one, other).out.strip() or one

    def lay_out(self, commit: str, folder: str) -> str:
        """Write the files of the commit into `folder`, without touching index or working tree; where in it our folder lies. Raises ToolFailed.

        git knows of permissions only whether a file can be run. The others, which count for what an image is built from, are as in the working tree.
        """
        with tempfile.TemporaryDirectory(prefix="dusty-index-") as at:
            env = {"GIT_INDEX_FILE": f"{at}/index"}
            self.clone.run("read-tree", commit, env=env)
            paths = [] if self.prefix == "." else [f"{self.prefix}/"]
            names = self.clone.try_run("ls-files", "-z", "--", *paths, env=env).out
            self.clone.run("checkout-index", "-q", "-z", "--stdin", f"--prefix={folder}/", input=names, env=env)
        laid = os.path.normpath(os.path.join(folder, self.prefix))
        os.makedirs(laid, exist_ok=True)
        _take_permissions(folder, self.clone.path)
        return laid


def _take_permissions(folder: str, like: str) -> None:
    """Give files and folders below `folder` the permissions of those of the same path below `like`; who may run a file stays."""
    for at, _, files in os.walk(folder):
        model = os.path.join(like, os.path.relpath(at, folder))
        for path, other in ((at, model), *((os.path.join(at, name), os.path.join(model, name)) for name in files)):
            try:
                now, wanted = os.lstat(path).st_mode, os.lstat(other).st_mode
            except OSError:
                continue
            if stat.S_IFMT(now) == stat.S_IFMT(wanted) != stat.S_IFLNK and now & 0o100 == wanted & 0o100:
                os.chmod(path, stat.S_IMODE(wanted))


def lead_to(link: str, folder: str) -> None:
    """Make `link`, or turn it, so that it leads to `folder`."""
    os.makedirs(os.path.dirname(link), exist_ok=True)
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(folder, link)
