"""The door to other programs. Nothing else in Dusty starts a process."""
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from dusty_tasks.effects.failures import ToolFailed


class Finished(NamedTuple):
    """How a program ended: its exit code (128 + n after signal n) and what it printed, decoded as UTF-8."""

    code: int
    out: str
    err: str


def run(argv: Sequence[str], *, input: str | bytes | None = None, cwd: str | None = None,
        env: Mapping[str, str] | None = None, timeout: float | None = None, check: bool = False,
        on_line: Callable[[str], None] | None = None, pass_fds: Sequence[int] = ()) -> Finished:
    """Run a program to its end and keep what it printed.

    `argv[0]` is found by PATH; `input` is its stdin (empty when None); `env` replaces the environment; `on_line` sees
    each line of both streams as it comes, then `out` and `err` are kept as well; `timeout` is in seconds, 124 is its code.
    Raises ToolFailed if the program is missing, or ends non-zero with `check`.
    """
    import sh

    program = _found(argv[0], env)
    out: list[str] = []
    err: list[str] = []

    def collect(lines: list[str]) -> Callable[[str], None]:
        def seen(line: str) -> None:
            lines.append(line)
            if on_line:
                on_line(line.rstrip("\n"))
        return seen

    options: dict[str, Any] = {"_in": b"" if input is None else input, "_tty_out": False, "_return_cmd": True,
                                  "_env": dict(os.environ if env is None else env), "_ok_code": range(-64, 256),
                                  "_new_session": False, "_out": collect(out), "_err": collect(err),
                                  "_decode_errors": "replace", "_encoding": "utf-8", "_pass_fds": set(pass_fds)}
    for descriptor in pass_fds:
        # sh only refrains from closing them; every other child has all but its own closed.
        os.set_inheritable(descriptor, True)
    if cwd is not None:
        options["_cwd"] = cwd
    if timeout is not None:
        options["_timeout"] = timeout
    try:
        code = sh.Command(program)(*argv[1:], **options).exit_code
    except sh.TimeoutException:
        code = 124
    finished = Finished(128 - code if code < 0 else code, "".join(out), "".join(err))
    if check and finished.code:
        raise ToolFailed(argv, finished.code, finished.err or finished.out)
    return finished


def run_attached(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None) -> int:
    """Run a program on the caller's own terminal, stdin and stdout; its exit code comes back. Raises ToolFailed if missing."""
    # Not `sh`: its _fg mode refuses every other option, the environment included.
    import subprocess

    code = subprocess.run([_found(argv[0], env), *argv[1:]], env=env, cwd=cwd, check=False).returncode
    return 128 - code if code < 0 else code


class Piped(NamedTuple):
    """A program that runs, with the ends of its pipes on our side; `end` waits for it and gives its code and stderr."""

    out: IO[bytes]
    input: IO[bytes]
    end: Callable[[], Finished]


@contextmanager
def piped(argv: Sequence[str], *, env: Mapping[str, str] | None = None, join_errors: bool = False) -> Iterator[Piped]:
    """Start a program and stream bytes to and from it: for what is too long to keep (archives, logs).

    Its stderr is kept for `end`, or comes with stdout when `join_errors`. A program that still runs at the end of the
    block is terminated. Raises ToolFailed if it is missing.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([_found(argv[0], env), *argv[1:]], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT if join_errors else errors)
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
            yield Piped(process.stdout, process.stdin, end)
        finally:
            if process.poll() is None:
                process.terminate()
            process.stdout.close()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
            process.wait()


def _found(program: str, env: Mapping[str, str] | None) -> str:
    path = shutil.which(program, path=None if env is None else env.get("PATH"))
    if path is None:
        raise ToolFailed([program], 127, f"{program} is not installed, or not on PATH")
    return path
