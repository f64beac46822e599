"""Running a builder: its steps are said as they begin, all that it prints is kept, and a failed step is shown with its last lines."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence

from dusty_tasks.core.of_verbs.build_output import BuildOutput, failure_text
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

BUILD_LOG = "last-build.log"
"""In state/: all that the last builder printed."""


def run_build(
    argv: Sequence[str], env: Mapping[str, str], log_path: str, tell: Callable[[str], None]
) -> Failure | None:
    """Run `argv`, which builds; None, or why it failed. `tell` hears each step that begins; all output is in the file `log_path` then."""
    output, one_at_a_time = BuildOutput(), threading.Lock()
    os.makedirs(os.path.dirname(log_path), exist_ok=True)
    with open(
        os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", errors="replace"
    ) as log:

        def follow(line: str) -> None:
            # Both streams are read, each in a thread of its own.
            with one_at_a_time:
                log.write(f"{line}\n")
                step = output.read(line)
            if step:
                tell(str(step))

        finished = process.run(argv, env={**env, "BUILDKIT_PROGRESS": "plain"}, on_line=follow)
    if not finished.code:
        return None
    failed = output.failed()
    if failed:
        return Failure(f"building {failure_text(failed)}\n  all that the builder printed is in {log_path}", code=2)
    return ToolFailed(argv, finished.code, finished.err or finished.out)
