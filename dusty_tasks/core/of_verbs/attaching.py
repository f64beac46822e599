"""Programs in containers on the caller's own streams: when they get a terminal, of what size, and how they are ended with their caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

DETACH_KEYS = "ctrl-@,ctrl-],ctrl-@"
"""Docker's own, ctrl-p ctrl-q, would take ctrl-p (the last command) away from every shell."""
CALL = "DUSTY_CALL"
"""The environment variable by which the programs of one call are found again in their container."""


class Size(NamedTuple):
    """Of a terminal, in characters."""

    rows: int
    columns: int


class Streams(NamedTuple):
    """What the caller's stdin, stdout and stderr are."""

    stdin_is_terminal: bool
    stdout_is_terminal: bool
    stderr_is_terminal: bool
    in_background: bool = False
    """Another program has the terminal now: whoever reads from it, or sets its modes, is stopped."""
    size: Size | None = None

    @property
    def terminal(self) -> Size | None:
        """The size of the terminal for a program, None for no terminal.

        A program has one only if all three streams are one: its terminal is a single stream, in which stdout and stderr are one
        and every newline becomes two bytes, so what is redirected would not be what the program wrote.
        """
        all_are = (
            self.stdin_is_terminal and self.stdout_is_terminal and self.stderr_is_terminal and not self.in_background
        )
        return (self.size or Size(24, 80)) if all_are else None

    @property
    def can_read(self) -> bool:
        return not (self.stdin_is_terminal and self.in_background)


def exec_words(container_id: str, command: Sequence[str], streams: Streams, token: str, has_shell: bool) -> list[str]:
    """The words of `docker exec` that run `command`; `has_shell`: there is a `sh` in the container."""
    terminal = streams.terminal
    words = ["docker", "exec", *(["--interactive"] if streams.can_read else [])]
    if terminal:
        words += ["--tty", "--detach-keys", DETACH_KEYS]
    words += ["--env", f"{CALL}={token}", container_id]
    return [*words, *(sized(command, terminal) if terminal and has_shell else command)]


SIZED = 'stty rows "$1" cols "$2" 2>/dev/null; shift 2; exec "$@"'


def sized(command: Sequence[str], terminal: Size) -> list[str]:
    """`command`, once its terminal has a size: engines before 23 set it some time after the start, and until then it is 0 by 0."""
    return ["sh", "-c", SIZED, "sh", str(terminal.rows), str(terminal.columns), *command]


END_CALL = r"""
for entry in /proc/[0-9]*; do
    tr '\0' '\n' <"$entry/environ" 2>/dev/null | grep -qx "$1" && set -- "$@" "${entry#/proc/}"
done
signal=$2
shift 2
[ $# = 0 ] || kill -s "$signal" "$@" 2>/dev/null
"""
"""Words: `DUSTY_CALL=<token>`, the name of a signal. Every program of that call gets it, as those at a terminal do at ^C."""

SIGNALS: Mapping[int, str] = {129: "HUP", 130: "INT", 141: "HUP", 143: "TERM"}
"""By the exit code of ours with which a call ends that its program did not end: what that program gets."""
