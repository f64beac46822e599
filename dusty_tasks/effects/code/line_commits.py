"""Which commit brought a line of a file: for a person who is asked to allow what the line says."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.effects.code.git import git

NOT_COMMITTED = "0" * 40


class LineCommit(NamedTuple):
    """The commit that a line came with."""

    id: str
    author: str
    summary: str

    def __str__(self) -> str:
        if self.id == NOT_COMMITTED:
            return "not committed yet"
        return f"commit {self.id[:10]}, {self.author}: {self.summary}"


def read_line_commit(folder: str, file: str, line: int) -> LineCommit | None:
    """The commit that the line (from 1) of `file`, relative to the git repo at `folder`, came with; None if git does not know."""
    finished = git(["blame", "--porcelain", "-L", f"{line},{line}", "--", file], cwd=folder)
    if finished.code:
        return None
    first, *rest = finished.out.splitlines() or [""]
    said = dict(entry.partition(" ")[::2] for entry in rest if not entry.startswith("\t"))
    return LineCommit(first.partition(" ")[0], said.get("author", ""), said.get("summary", ""))
