"""How a run ends: its exit code, and what is said of an error, a bug, or a reader who has gone."""

from __future__ import annotations

import errno
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from dusty_tasks.console import say_interrupted, warn

LONGEST_BUG = 500
"""Characters of a bug's own words on the terminal: some exceptions hold the whole text that they are about."""
RESERVE = 1024 * 1024
"""Bytes kept until a run ends badly: to say that memory ran out takes some."""


def ending(run: Callable[[], Any], *, in_json: bool = False) -> int:
    """Run a verb or step to its exit code: Failure is one line on stderr and its code, ^C 130, anything else our bug, 3.

    `in_json`: a program reads stdout, and is told of a Failure there as well.
    """
    from dusty_tasks.effects.doors.failures import Failure

    reserve = bytearray(RESERVE)
    try:
        return int(run() or 0)
    except Failure as raised:
        failure = raised
        if raised.is_absence:
            from dusty_tasks.operations.machine.docker_host import named_off

            failure = named_off(raised)
        warn(str(failure))
        if in_json:
            from dusty_tasks.verbs.shared.words import say_json

            say_json(failure.to_json())
        return failure.code
    except KeyboardInterrupt:
        say_interrupted()
        return 130
    except Exception as error:  # the last one who sees it: what nobody foresaw is a bug with a log, not a traceback
        del reserve
        return trouble_of_the_machine(error) or report_bug()


def trouble_of_the_machine(error: Exception) -> int:
    """The exit code of what is no bug, met outside the doors; 0 for all else.

    A reader that has gone ends a run in silence, 141. A full or read-only disk, a file where a folder should be, and a limit on memory,
    files or processes that is reached, are said in one line, 2.
    """
    if isinstance(error, BrokenPipeError):
        _print_to_nobody()
        return 141
    if limit := _limit_reached(error):
        warn(
            f"{limit}\n    hint: ulimit -a shows the limits of this shell; the next run continues where this one stopped"
        )
        return 2
    if not isinstance(error, OSError) or error.errno not in (
        errno.ENOSPC,
        errno.EROFS,
        errno.EDQUOT,
        errno.EACCES,
        errno.ENOTDIR,
    ):
        return 0
    warn(f"{error.filename or 'the output'}: {error.strerror}")
    try:
        sys.stdout.flush()
    except OSError:
        _print_to_nobody()
    return 2


def _limit_reached(error: Exception) -> str:
    """What this process was refused, as a sentence; '' where it was nothing of the kind."""
    number = error.errno if isinstance(error, OSError) else 0
    said = str(error)
    # A library that cannot be loaded for want of memory, and a fork that fails, have no error of their own.
    if (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or (isinstance(error, ImportError) and "failed to map" in said)
        or (isinstance(error, SystemError | SyntaxError) and _has_memory_limit())
    ):
        return "there is not enough memory for this run, or its limit is reached"
    if number in (errno.EMFILE, errno.ENFILE) or "Too many open files" in said:
        return "this run may not open more files"
    if number == errno.EAGAIN or "can't start new thread" in said or type(error).__name__ == "ForkException":
        return "this run may not start more threads or processes, or there is not enough memory for them"
    if number == errno.EFBIG:
        return f"{getattr(error, 'filename', None) or 'a file'}: this run may not write files of that size"
    return ""


def _has_memory_limit() -> bool:
    """True if this process may not take as much memory as it likes: where that ends while Python loads a module, it may say nothing better."""
    return any(
        resource.getrlimit(kind)[0] != resource.RLIM_INFINITY for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    )


def _print_to_nobody() -> None:
    """What stdout still holds cannot be written: the interpreter's own last flush is not to fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def report_bug() -> int:
    """Write the current exception's traceback to a log file and name it; exit code 3."""
    import tempfile
    import traceback

    text = f"dusty {' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}"
    try:
        from dusty_tasks.session import paths

        folder = paths().state
        os.makedirs(folder, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix="bug-", suffix=".log", dir=folder)
    except OSError:
        handle, path = tempfile.mkstemp(prefix="dusty-bug-", suffix=".log")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    warn(f"This is a bug in Dusty: {repr(sys.exc_info()[1])[:LONGEST_BUG]}\n    the details are in {path}")
    return 3
