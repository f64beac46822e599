"""`dusty dev`: the stack up, and every edit in it as soon as it is saved."""

from __future__ import annotations

from dusty_tasks.operations.up.run import UpOptions


def run(words: list[str], no_pull: bool = False, yes: bool = False) -> int | None:
    """Until interrupted (KeyboardInterrupt: exit 130); the stack goes on."""
    from dusty_tasks.operations.live.loop import run_dev

    return run_dev(words, UpOptions(no_pull=no_pull, yes=yes))
