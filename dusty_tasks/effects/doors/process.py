"""The door to other programs. Nothing else in Dusty starts a process.

More than 300 lines: there is one door, with each way in which a program may be run.
"""

from __future__ import annotations

import contextvars
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple, TypedDict, Unpack

from dusty_tasks.effects.doors.failures import Failure, ToolFailed

_running: dict[int, Any] = {}
"""By id of the object: what run() has started and not seen the end of, in all threads."""
_is_giving_up = False
TIMED_OUT = 124
"""The exit code of a program that took too long, as timeout(1) gives it."""
LAST_WORDS = 3.0
"""Seconds that a program has to end after SIGTERM."""


class Finished(NamedTuple):
    """How a program ended: its exit code (128 + n after signal n) and what it printed, decoded as UTF-8."""

    code: int
    out: str
    err: str


class Look(NamedTuple):
    """A look, in a thread of its own, at whether a program that takes its time can still come to an end."""

    after: float
    """Seconds after the program's start."""
    look: Callable[[], bool]


class RunOptions(TypedDict, total=False):
    """Those options of run() that mean the same wherever the program runs."""

    input: str | bytes | None
    """Its stdin: empty when None."""
    timeout: float | None
    """Seconds until it is killed; TIMED_OUT is its code then."""
    on_line: Callable[[str], None] | None
    """Sees each line of both streams as it comes; `out` and `err` are kept as well."""
    hold_input: bool
    """Leave its stdin open until it ends: for one that takes the end of a request for the asker's going away."""
    still_worth_it: Look | None
    """Look after it once, and end it as if its time were over where that gives False."""
    errors: str
    """What becomes of bytes that are no UTF-8, as in bytes.decode; "replace" if it is not given."""


def run(
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = False,
    pass_fds: Sequence[int] = (),
    **options: Unpack[RunOptions],
) -> Finished:
    """Run a program to its end and keep what it printed.

    `argv[0]` is found by PATH; `env` replaces the environment; `pass_fds` are descriptors that it inherits.
    Raises ToolFailed if the program is missing, or ends non-zero with `check`. An interruption (^C, SIGTERM) ends the
    program first.
    """
    import sh

    check_goes_on()
    program, on_line = _found(argv[0], env), options.get("on_line")
    out: list[str] = []
    err: list[str] = []

    def collect(lines: list[str]) -> Callable[[str], None]:
        # Called in a thread of sh's: what is said there is for whom this thread speaks to.
        context = contextvars.copy_context()

        def seen(line: str) -> None:
            lines.append(line)
            if on_line:
                context.run(on_line, line.rstrip("\n"))

        return seen

    of_sh: dict[str, Any] = {
        "_tty_out": False,
        "_return_cmd": True,
        "_env": dict(os.environ if env is None else env),
        "_ok_code": range(-64, 256),
        "_new_session": False,
        "_out": collect(out),
        "_err": collect(err),
        "_decode_errors": options.get("errors", "replace"),
        "_encoding": "utf-8",
        "_pass_fds": set(pass_fds),
    }
    for descriptor in pass_fds:
        # sh only refrains from closing them; every other child has all but its own closed.
        os.set_inheritable(descriptor, True)
    if cwd is not None:
        of_sh["_cwd"] = cwd
    with _stdin_of(options.get("input") or b"", is_held=options.get("hold_input", False)) as stdin:
        running = sh.Command(program)(*argv[1:], **of_sh, _in=stdin, _bg=True, _bg_exc=False)
        _running[id(running)] = running
        try:
            with _limited(running, options.get("timeout"), options.get("still_worth_it")) as is_over:
                code = running.wait().exit_code
            code = TIMED_OUT if is_over() else code
        except BaseException:
            end_children()
            raise
        finally:
            _running.pop(id(running), None)
    finished = Finished(128 - code if code < 0 else code, "".join(out), "".join(err))
    if check and finished.code:
        raise ToolFailed(argv, finished.code, finished.err or finished.out)
    return finished


@contextmanager
def _limited(running: Any, seconds: float | None, still_worth_it: Look | None) -> Iterator[Callable[[], bool]]:
    """Kill the program if the block takes longer, or if a look says that waiting is in vain; whether that was done.

    Not sh's own `_timeout`: an interrupted run would sit that time out.
    """
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(ProcessLookupError):
            running.process.signal(signal.SIGKILL)

    def look() -> None:
        if still_worth_it and not still_worth_it.look() and running.process.is_alive()[0]:
            end()

    timers = [
        threading.Timer(after, act)
        for after, act in ((seconds, end), (still_worth_it and still_worth_it.after, look))
        if after is not None
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield over.is_set
    finally:
        for timer in timers:
            timer.cancel()


@contextmanager
def _stdin_of(data: str | bytes, *, is_held: bool) -> Iterator[str | bytes | IO[bytes]]:
    """What `sh` takes for stdin: the data itself, or the end of a pipe that carries it and stays open during the block."""
    if not is_held:
        yield data
        return
    ours, other = os.pipe()
    with open(other, "wb", buffering=0) as writer, open(ours, "rb", buffering=0) as reader:
        # A thread, because a pipe takes less than a long request before anybody reads; closing the reader ends it.
        writing = threading.Thread(
            target=_write_all, args=(writer, data.encode() if isinstance(data, str) else data), daemon=True
        )
        writing.start()
        try:
            yield reader
        finally:
            reader.close()
            writing.join()


def _write_all(writer: IO[bytes], data: bytes) -> None:
    try:
        while data:
            data = data[writer.write(data) :]
    except BrokenPipeError:
        pass  # The program ended before it read all of it.


def end_children() -> None:
    """End what run() has started in any thread: SIGTERM, then SIGKILL for what does not heed it."""
    for number, patience in ((signal.SIGTERM, LAST_WORDS), (signal.SIGKILL, LAST_WORDS)):
        children = [running for running in list(_running.values()) if running.process.is_alive()[0]]
        for running in children:
            try:
                running.process.signal(number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + patience
        while any(running.process.is_alive()[0] for running in children) and time.monotonic() < deadline:
            time.sleep(0.01)


@contextmanager
def giving_up() -> Iterator[None]:
    """While the block runs, other threads start no programs: run() raises Failure there. For the end of an interrupted run."""
    global _is_giving_up
    _is_giving_up = True
    try:
        yield
    finally:
        _is_giving_up = False


def check_goes_on() -> None:
    """Raise Failure in a thread whose run was interrupted: it must neither start a program nor wait for a lock."""
    if _is_giving_up and threading.current_thread() is not threading.main_thread():
        raise Failure("interrupted", code=130)


def run_attached(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None) -> int:
    """Run a program on the caller's own stdin, stdout and stderr; its exit code comes back. Raises ToolFailed if missing."""
    # Not `sh`: its _fg mode refuses every other option, the environment included.
    import subprocess

    with _terminal_kept():
        code = subprocess.run([_found(argv[0], env), *argv[1:]], env=env, cwd=cwd, check=False).returncode
    return 128 - code if code < 0 else code


def run_by_lines(
    argv: Sequence[str],
    out: Callable[[bytes], None],
    err: Callable[[bytes], None],
    *,
    env: Mapping[str, str] | None = None,
    has_our_input: bool = False,
) -> int:
    """Run a program, without input or with our own, and hand on each line of its stdout and stderr as it comes; its exit code. Raises ToolFailed if missing.

    `out` and `err` are called in two threads; a line ends in its newline, but for a last one without.
    """
    import subprocess

    process = subprocess.Popen(
        [_found(argv[0], env), *argv[1:]],
        env=env,
        stdin=None if has_our_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    failed: list[Exception] = []

    def read_errors(stream: IO[bytes]) -> None:
        try:
            for line in stream:
                err(line)
        except (
            Exception
        ) as error:  # it belongs to the caller; and a program whose stderr nobody reads would wait for ever
            failed.append(error)
            process.terminate()

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(read_errors, process.stderr), daemon=True)
    thread.start()
    try:
        for line in process.stdout:
            out(line)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        process.stdout.close()
        thread.join()
        process.stderr.close()
    if failed:
        raise failed[0]
    return 128 - code if code < 0 else code


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """The terminal has the modes after the block that it had before: a program that is killed leaves it without echo and ^C."""
    import termios

    try:
        modes = termios.tcgetattr(0)
    except (termios.error, OSError):
        yield
        return
    try:
        yield
    finally:
        # Whoever sets the modes from the background is stopped.
        with suppress(termios.error, OSError):
            if os.tcgetpgrp(0) == os.getpgrp() and termios.tcgetattr(0) != modes:
                termios.tcsetattr(0, termios.TCSADRAIN, modes)


class Piped(NamedTuple):
    """A program that runs, with the ends of its pipes on our side; `end` waits for it and gives its code and stderr."""

    out: IO[bytes]
    input: IO[bytes]
    end: Callable[[], Finished]
    err: IO[bytes] | None = None
    """Where the caller reads stderr himself."""
    stop: Callable[[], None] = lambda: None
    """Terminate it, from any thread; its stdout ends then."""


@contextmanager
def piped(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    join_errors: bool = False,
    pipe_errors: bool = False,
    own_session: bool = False,
) -> Iterator[Piped]:
    """Start a program and stream bytes to and from it: for what is too long to keep (archives, logs).

    Its stderr is kept for `end`, comes with stdout when `join_errors`, or as `err` when `pipe_errors`. In its `own_session`
    it outlives a kill of our process group. A program that still runs at the end of the block is terminated. Raises ToolFailed if it is missing.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [_found(argv[0], env), *argv[1:]],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if join_errors else subprocess.PIPE if pipe_errors else errors,
            start_new_session=own_session,
        )
        assert process.stdin and process.stdout

        def end() -> Finished:
            try:
                process.stdin.close()  # type: ignore[union-attr]
            except BrokenPipeError:
                pass
            code = process.wait()
            errors.seek(0)
            return Finished(128 - code if code < 0 else code, "", errors.read().decode(errors="replace"))

        try:
            yield Piped(process.stdout, process.stdin, end, process.stderr, process.terminate)
        finally:
            if process.poll() is None:
                process.terminate()
            process.stdout.close()
            if process.stderr:
                process.stderr.close()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
            process.wait()


def _found(program: str, env: Mapping[str, str] | None) -> str:
    from shutil import which

    path = which(program, path=None if env is None else env.get("PATH"))
    if path is None:
        raise ToolFailed([program], 127, f"{program} is not installed, or not on PATH")
    return path
