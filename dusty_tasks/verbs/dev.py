"""`dusty dev`: the stack up, and every edit in it as soon as it is saved."""

from __future__ import annotations

import threading

from dusty_tasks.operations.up.run import UpOptions


def run(words: list[str], no_pull: bool = False, yes: bool = False, ui: bool = False) -> int | None:
    """Until interrupted (KeyboardInterrupt: exit 130); the stack goes on. With `ui` the page of `dusty ui` is served beside it."""
    from dusty_tasks.operations.live.loop import run_dev

    options = UpOptions(no_pull=no_pull, yes=yes)
    if not ui:
        return run_dev(words, options)
    from dusty_tasks.verbs.ui import page

    with page(yes=yes) as serve:
        threading.Thread(target=serve, daemon=True).start()
        return run_dev(words, options)
