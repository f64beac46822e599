"""The history of config.yml: a bare git repository of mode 0700 that holds nothing else. A commit says who, when and what."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import time
from pathlib import Path

from dusty_tasks.core.settings.history import NOTHING, Entry
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.files import read_bytes

RESTORES = "Restores"
"""The trailer of a commit that keeps Entry.restores."""
LOG_FORMAT = f"%H%x1f%aI%x1f%an <%ae>%x1f%s%x1f%(trailers:key={RESTORES},valueonly)%x1e"


class History:
    """The history below one DUSTY_HOME. Every method raises ToolFailed if git is missing or fails."""

    def __init__(self, home: str) -> None:
        self.path = Paths(home).config_history

    def entries(self) -> list[Entry]:
        """All changes, newest first."""
        printed = self._git("log", f"--format={LOG_FORMAT}", "main") if self.newest() else ""
        found = (line.strip("\n").split("\x1f") for line in printed.split("\x1e") if line.strip())
        return [
            Entry(full_id[:8], when, who, what, restores.strip(), full_id)
            for full_id, when, who, what, restores in found
        ]

    def newest(self) -> str:
        """The newest commit's id, or '' before the first one; as a rule no process is needed to tell."""
        loose = read_bytes(f"{self.path}/refs/heads/main")
        if loose or not os.path.exists(f"{self.path}/packed-refs"):
            return (loose or b"").decode("ascii", "replace").strip()
        return self._git("rev-parse", "--quiet", "--verify", "main", check=False).strip()

    def holds(self, data: bytes | None) -> bool:
        """True if the newest state is `data` (None: no file)."""
        recorded = (
            self._git("rev-parse", "--quiet", "--verify", "main:config.yml", check=False).strip()
            if self.newest()
            else ""
        )
        return recorded == (
            "" if data is None else hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        )

    def text_at(self, commit: str) -> str | None:
        """config.yml as it was at `commit`, None where there was none."""
        if commit == NOTHING or not self._git("ls-tree", "--name-only", commit, "config.yml").strip():
            return None
        return self._git("cat-file", "blob", f"{commit}:config.yml")

    def record(self, what: str, data: bytes | None, restores: str = "") -> None:
        """Commit `data` as config.yml (None: no file) under the line `what`."""
        if not os.path.exists(f"{self.path}/HEAD"):
            Path(self.path).mkdir(mode=0o700, exist_ok=True)
            self._git("init", "--quiet", "--bare", "--initial-branch=main", "--template=")
        line = " ".join("".join(character if character.isprintable() else " " for character in what).split())
        message = f"{line}\n\n{RESTORES}: {restores}\n" if restores else f"{line}\n"
        self._git("fast-import", "--quiet", stdin=commit_stream(message.encode(), data, has_parent=bool(self.newest())))

    def _git(self, *words: str, stdin: bytes | None = None, check: bool = True) -> str:
        """git on this repository alone: nothing of the user's configuration or surroundings has a say."""
        from dusty_tasks.effects.doors import process

        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        return process.run(["git", "--git-dir", self.path, *words], input=stdin, env=env, check=check).out


def commit_stream(message: bytes, data: bytes | None, *, has_parent: bool) -> bytes:
    """One commit in the form of git fast-import: a single process, whatever bytes are in it."""
    user = _plain(_user_name())
    who = f"{user} <{user}@{_plain(socket.gethostname())}> {int(time.time())} {time.strftime('%z')}".encode()
    lines = [b"commit refs/heads/main", b"author " + who, b"committer " + who, b"data %d" % len(message), message]
    lines += [b"from refs/heads/main^0"] if has_parent else []
    lines += [b"D config.yml"] if data is None else [b"M 100644 inline config.yml", b"data %d" % len(data), data]
    return b"\n".join(lines) + b"\ndone\n"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _plain(name: str) -> str:
    """A name without what ends it in a commit's header."""
    return "".join(character for character in name if character.isalnum() or character in "._-") or "unknown"
