"""`dusty enable`: see verbs/disable."""

from __future__ import annotations

from dusty_tasks.verbs.disable import enable


def run(words: list[str], **_options: object) -> int | None:
    """Take apps and services into the stack again."""
    return enable(words)
