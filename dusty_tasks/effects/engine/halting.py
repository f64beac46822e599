"""Containers that do nothing while what they write to is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import Finished, Piped, piped, run

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

HERE, HALTED = b"here\n", b"halted\n"
NOT_HALTED, AFTER_FAILED = 3, 4
"""How HALT ends."""


class Lines(NamedTuple):
    """What a container is to run before it is halted and after it goes on, as scripts; '' for nothing."""

    name: str
    """The part whose container it is."""
    before: str = ""
    after: str = ""


@contextmanager
def held_still(
    host: DockerHost,
    container_ids: Sequence[str],
    *,
    by: str,
    lines: Mapping[str, Lines] | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> Iterator[None]:
    """Containers do nothing during the block: `by` is "pause" or "stop". They go on after it, also if this process is killed in it.

    `lines` are what some of them (by id) run before and after it; what goes wrong after it is told to `warn`.
    Raises Failure if they cannot be brought to a halt, or do not go on, or if what one runs before it fails.
    """
    if not container_ids:
        yield
        return
    lines = lines or {}
    again = "unpause" if by == "pause" else "start"
    afters = [word for id, each in lines.items() if each.after for word in (id, each.after)]
    words = [by, again, str(len(container_ids)), *container_ids, *afters]
    # It runs where the containers are: they go on there even if the line to this machine is cut.
    argv = host.command(["sh", "-c", HALT, "dusty", *words])
    ended = Finished(0, "", "")
    with piped(argv, env=host.engine_environment(), own_session=True) as guard:
        try:
            if guard.out.readline() == HERE:
                for id, each in lines.items():
                    _run_before(host, id, each)
                if _halt(guard):
                    yield
        finally:
            ended = guard.end()
    if ended.code == AFTER_FAILED:
        warn(f"what data.after says failed: {ended.err.strip()}")
    elif ended.code:
        raise Failure(ended.err.strip() or f"docker {by}: status {ended.code}", code=2)


def _run_before(host: DockerHost, container_id: str, lines: Lines) -> None:
    """Raises Failure with all that it printed."""
    if not lines.before:
        return
    argv = ["docker", "exec", container_id, "sh", "-c", lines.before]
    ended = run(argv, env=host.engine_environment())
    if ended.code:
        printed = f"{ended.out}{ended.err}".strip()
        raise Failure(
            f"data.before of {lines.name} exited with status {ended.code}, so nothing was copied{f':{_indented(printed)}' if printed else ''}",
            code=2,
        )


def _indented(printed: str) -> str:
    return "".join(f"\n    {line}" for line in printed.splitlines())


def _halt(guard: Piped) -> bool:
    with suppress(BrokenPipeError):
        guard.input.write(b"halt\n")
        guard.input.flush()
    return guard.out.readline() == HALTED


HALT = f"""
trap "" INT TERM HUP PIPE
by=$1 again=$2 count=$3 code=0 ids=
shift 3
while [ "$count" -gt 0 ]; do ids="$ids $1" count=$((count - 1)); shift; done
echo here
if read -r word; then
    if docker "$by" $ids > /dev/null; then
        echo halted
        cat > /dev/null
        docker "$again" $ids > /dev/null || code={NOT_HALTED}
    else
        docker "$again" $ids > /dev/null 2>&1
        code={NOT_HALTED}
    fi
fi
while [ $# -gt 0 ]; do
    docker exec "$1" sh -c "$2" < /dev/null 1>&2 || [ $code != 0 ] || code={AFTER_FAILED}
    shift 2
done
exit $code
"""
"""Words: what halts containers, what undoes that, how many they are, their ids; then pairs of an id and what it runs afterwards.

It halts them at a line of its input, prints one once they are halted, and undoes it at the end of its input. One program does all that, so
that whoever is killed meanwhile leaves no halt behind that is still to come. With nobody left to read that line, it goes on.
"""
