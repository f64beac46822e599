"""`docker exec` on the caller's own streams; a program that outlives its caller is ended.

The engine has no way to signal what `docker exec` started: without a terminal ^C ends the client alone, and the program goes on
unseen. So each call marks its programs by an environment variable, and sends them the signal that its own end stands for.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence

from dusty_tasks.core.of_verbs.attaching import CALL, END_CALL, SIGNALS, Size, Streams, exec_words
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure

ENDING_TIME = 5.0


def own_streams() -> Streams:
    """What stdin, stdout and stderr of this process are."""
    reads, writes, warns = (_is_terminal(number) for number in range(3))
    try:
        in_background = reads and os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        in_background = False  # a terminal, but not that of our session: nobody is stopped there
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        columns, rows = 0, 0
    return Streams(reads, writes, warns, in_background, Size(rows, columns) if rows and columns else None)


def _is_terminal(number: int) -> bool:
    # Not os.isatty alone: a stream that is not that of the process (a test's, doit's) is no terminal of ours.
    stream = (sys.stdin, sys.stdout, sys.stderr)[number]
    try:
        return os.isatty(number) and stream is not None and stream.fileno() == number
    except (OSError, ValueError, AttributeError):
        return False


def run_in_container(
    container_id: str,
    command: Sequence[str],
    streams: Streams,
    *,
    env: Mapping[str, str],
    has_shell: bool,
    hear: Callable[[bytes], None] | None = None,
) -> int:
    """Run `command` in a running container on our own `streams`; its exit code. `has_shell`: there is a `sh` in the container.

    `hear` gets each line of both its outputs, in place of stdout and stderr; it is called in two threads.
    """
    token = secrets.token_hex(8)
    argv = exec_words(container_id, command, streams, token, has_shell)
    try:
        if hear:
            code = process.run_by_lines(argv, hear, hear, env=env, has_our_input=True)
        else:
            code = process.run_attached(argv, env=env)
    except (KeyboardInterrupt, SystemExit) as end:
        code = end.code if isinstance(end, SystemExit) and isinstance(end.code, int) else 130
        _end_call(container_id, token, code, env)
        raise
    if code == 141:
        _end_call(container_id, token, code, env)
    return code


def _end_call(container_id: str, token: str, code: int, env: Mapping[str, str]) -> None:
    """Send what the call started, and what still runs, the signal that goes with `code`."""
    argv = [
        "docker",
        "exec",
        "--user",
        "0",
        container_id,
        "sh",
        "-c",
        END_CALL,
        "sh",
        f"{CALL}={token}",
        SIGNALS.get(code, "TERM"),
    ]
    try:
        process.run(argv, env=env, timeout=ENDING_TIME)
    except (Failure, KeyboardInterrupt):
        pass  # An engine that is gone, or somebody in a hurry: this run ends all the same.
