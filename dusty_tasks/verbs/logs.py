"""`dusty logs`: the output of containers; of several, merged by time, each line after its name."""
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from dusty_tasks import session
from dusty_tasks.console import has_colour, say
from dusty_tasks.core.called import DUSTY
from dusty_tasks.effects.failures import Failure
from dusty_tasks.verbs.running import containers, in_stack_order, pick

if TYPE_CHECKING:
    from dusty_tasks.core.found import FoundContainer


def run(words: list[str], follow: bool = False, timestamps: bool = False, tail: str | None = None,
        since: str | None = None) -> int | None:
    """One container: the engine's own output and status. Several: merged; ended ones count."""
    flags = range_flags(tail, since)
    found = containers()
    chosen = [pick(found, name) for name in dict.fromkeys(words)] if words else in_stack_order(found)
    if not chosen:
        say(f"there are no containers; {DUSTY} up starts what is active")
        return None
    env = session.docker_host().engine_environment()
    if len(chosen) == 1:
        from dusty_tasks.effects.process import run_attached

        flags += ["--follow"] * follow + ["--timestamps"] * timestamps
        return run_attached(["docker", "logs", *flags, chosen[0].id], env=env)
    write_merged(chosen, flags, follow=follow, timestamps=timestamps, env=env)
    return None


def range_flags(tail: str | None, since: str | None) -> list[str]:
    """The engine's flags for which lines to show. Raises Failure if the texts are no number and no time."""
    from dusty_tasks.core.log_lines import checked_since, checked_tail

    try:
        return [*(["--tail", checked_tail(tail)] if tail is not None else []),
                *(["--since", checked_since(since)] if since is not None else [])]
    except ValueError as error:
        raise Failure(str(error)) from None


def write_merged(chosen: Sequence[FoundContainer], flags: list[str], *, follow: bool, timestamps: bool,
                 env: Mapping[str, str]) -> None:
    """Print what was logged in the order of time, then, to follow, what comes as it comes."""
    from dusty_tasks.core.log_lines import Line, after, prefixes
    from dusty_tasks.effects.container_logs import followed_lines, stored_lines

    shown = prefixes([container.name for container in chosen], has_colour())
    out = binary_stdout()
    last: dict[str, bytes] = {}

    def write(name: str, line: Line) -> None:
        out.write(shown[name] + (line.time + b" " if timestamps else b"") + line.text + b"\n")

    for name, line in stored_lines({container.name: [*flags, container.id] for container in chosen}, env):
        last[name] = line.time or last.get(name, b"")
        write(name, line)
    out.flush()
    if not follow:
        return
    rest = {container.name: [*(["--since", after(last[container.name])] if last.get(container.name) else flags), container.id]
            for container in chosen}
    for item in followed_lines(rest, env):
        if item:
            write(*item)
            continue
        out.flush()
        if reader_is_gone(out):
            raise BrokenPipeError


def reader_is_gone(out: BinaryIO) -> bool:
    """True if `out` is a pipe that nobody reads any more: silent containers would keep us waiting to find out by a write."""
    import select

    try:
        number = out.fileno()
    except OSError:
        return False  # a stream of this process itself
    poll = select.poll()
    poll.register(number, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def binary_stdout() -> BinaryIO:
    """stdout as bytes: what containers print need not be UTF-8."""
    sys.stdout.flush()
    return getattr(sys.stdout, "buffer", None) or sys.__stdout__.buffer  # type: ignore[union-attr]
