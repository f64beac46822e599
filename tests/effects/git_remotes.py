"""Real git remotes on this machine, for tests of managed clones."""

from __future__ import annotations

import subprocess
from pathlib import Path


def run(*argv: object, cwd: Path | None = None) -> str:
    return subprocess.run(
        [str(word) for word in argv], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout.strip()


def git(folder: Path, *words: object) -> str:
    return run("git", *words, cwd=folder)


class Remote:
    """A bare repo, and a working tree that pushes to it."""

    def __init__(self, folder: Path, branch: str = "trunk", name: str = "x") -> None:
        self.bare, self.work = folder / f"{name}.git", folder / ("work" if name == "x" else f"work-{name}")
        run("git", "init", "-q", "--bare", f"--initial-branch={branch}", self.bare)
        run("git", "clone", "-q", self.bare, self.work)
        run("git", "checkout", "-q", "-B", branch, cwd=self.work)
        self.url = f"file://{self.bare}"

    def git(self, *words: object) -> str:
        return run("git", "-c", "protocol.file.allow=always", *words, cwd=self.work)

    def commit(self, name: str = "a.txt", text: str = "one\n", branch: str = "", force: bool = False) -> str:
        if branch:
            self.git("checkout", "-q", "-B", branch)
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self.push(f"{name}: {text}", force=force)

    def push(self, message: str, force: bool = False) -> str:
        """Commit all that lies in the working tree, and push it."""
        self.git("add", "-f", ".")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", *(["--force"] if force else []), "origin", "HEAD")
        return self.git("rev-parse", "HEAD")
