"""What a run that read some specs leaves in a DUSTY_HOME."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dusty_tasks.core.specs.documents import Content, Document
from dusty_tasks.core.text.memo import Memo
from dusty_tasks.effects.doors.memos import write_memo


def keep_texts(home: Path, texts: Iterable[str]) -> None:
    """The cache with these documents in it."""
    memo = Memo()
    memo.used = {f"file {number}": text for number, text in enumerate(texts)}
    write_memo(home / "state/documents", "a version", memo)


def keep_documents(home: Path, documents: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """The cache with documents of this kind, name and value."""
    keep_texts(
        home,
        [Document(kind, name, f"{kind}s/{name}.yml", Content(value, [], [])).text for kind, name, value in documents],
    )
