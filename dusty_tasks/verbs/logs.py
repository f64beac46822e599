"""`dusty logs`: the output of containers; of several, merged by time, each line after its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import binary_stream, check_reader, has_colour, say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.running import containers, in_stack_order, pick

if TYPE_CHECKING:
    from dusty_tasks.core.of_verbs.log_lines import Line
    from dusty_tasks.core.plan.found import FoundContainer
    from dusty_tasks.effects.engine.http import Engine


def run(
    words: list[str],
    follow: bool = False,
    timestamps: bool = False,
    tail: str | None = None,
    since: str | None = None,
    grep: str | None = None,
    no_prefix: bool = False,
    timeline: bool = False,
    json: bool = False,
) -> int | None:
    """One container: the engine's own output and status. Several: merged; ended ones count. What is followed is followed over restarts."""
    if timeline:
        from dusty_tasks.verbs.timeline import run as show_timeline

        return show_timeline(words, follow=follow, since=since, tail=tail, json=json)
    flags = range_flags(tail, since)
    pattern = pattern_of(grep)
    found = containers()
    chosen = [pick(found, name) for name in dict.fromkeys(words)] if words else in_stack_order(found)
    if not chosen:
        if not json:
            say(f"there are no containers; {DUSTY} up starts what is active")
        return None
    env = session.docker_host().engine_environment()
    if len(chosen) == 1 and pattern is None and not json:
        return show_one(chosen[0], flags, follow=follow, timestamps=timestamps, env=env)
    names = [container.name for container in chosen]
    output: Output | JsonOutput
    if json:
        output = JsonOutput(pattern)
    else:
        output = Output(names, timestamps, pattern=pattern, has_prefix=len(chosen) > 1 and not no_prefix)
    write_merged(chosen, flags, output, follow=follow)
    return None


def pattern_of(text: str | None) -> re.Pattern[bytes] | None:
    """What `--grep` looks for: with a capital in it case counts. Raises Failure for what is no regular expression."""
    if text is None:
        return None
    try:
        return re.compile(text.encode(), 0 if text != text.lower() else re.IGNORECASE)
    except re.error as error:
        raise Failure(
            f"--grep: {error}", "put a backslash before . * + ? [ ( to search for the character itself"
        ) from None


def range_flags(tail: str | None, since: str | None) -> list[str]:
    """The engine's flags for which lines to show. Raises Failure if the texts are no number and no time."""
    from dusty_tasks.core.of_verbs.log_lines import checked_since, checked_tail

    try:
        return [
            *(["--tail", checked_tail(tail)] if tail is not None else []),
            *(["--since", checked_since(since)] if since is not None else []),
        ]
    except ValueError as error:
        raise Failure(str(error)) from None


def show_one(
    container: FoundContainer, flags: list[str], *, follow: bool, timestamps: bool, env: Mapping[str, str]
) -> int:
    """The engine's own output of one container, its streams apart; to follow, that of its next lives as well."""
    from dusty_tasks.effects.doors.process import run_attached

    always = ["--follow"] * follow + ["--timestamps"] * timestamps
    if not follow or container.exit_status is not None:
        return run_attached(["docker", "logs", *flags, *always, container.id], env=env)
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.operations.launch.comebacks import Comebacks

    comebacks = Comebacks(Engine(session.docker_host()))
    while True:
        comebacks.note(container)
        code = run_attached(["docker", "logs", *flags, *always, container.id], env=env)
        comeback = comebacks.wait({container.name}, say) if not code or comebacks.is_gone(container) else None
        if comeback is None:
            return code
        say(comeback.text)
        container, flags = comeback.container, comeback.flags


def write_merged(
    chosen: Sequence[FoundContainer], flags: list[str], output: Output | JsonOutput, *, follow: bool
) -> None:
    """Print what was logged in the order of time, then, to follow, what comes as it comes."""
    from dusty_tasks.core.of_verbs.log_lines import after
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.effects.engine.logs import stored_lines

    engine = Engine(session.docker_host())
    last: dict[str, bytes] = {}
    for name, line in stored_lines({container.name: [*flags, container.id] for container in chosen}, engine):
        last[name] = line.time or last.get(name, b"")
        output.write(name, line)
    output.flush()
    if follow:
        follow_merged(
            chosen, {name: ["--since", after(time)] for name, time in last.items() if time}, flags, output, engine
        )


class Output:
    """Lines after the names of their containers, on the stream that each was printed to."""

    def __init__(
        self,
        names: Sequence[str],
        timestamps: bool = False,
        *,
        pattern: re.Pattern[bytes] | None = None,
        has_prefix: bool = True,
    ) -> None:
        """`pattern`: only lines that hold a match are shown."""
        from dusty_tasks.core.of_verbs.log_lines import prefixes

        self.timestamps, self._pattern = timestamps, pattern
        self._streams = [binary_stream(stream) for stream in (sys.stdout, sys.stderr)]
        self._prefixes = [
            prefixes(names, has_colour(stream)) if has_prefix else dict.fromkeys(names, b"")
            for stream in (sys.stdout, sys.stderr)
        ]
        self._was_error = False

    def write(self, name: str, line: Line) -> None:
        if self._pattern and line.time and not self._pattern.search(line.text):
            return  # a line without a time is our own: that the container came back
        if line.is_error != self._was_error:
            # Both may be one terminal, where the order counts.
            self.flush()
            self._was_error = line.is_error
        time = line.time + b" " if self.timestamps else b""
        self._streams[line.is_error].write(self._prefixes[line.is_error][name] + time + line.text + b"\n")

    def flush(self) -> None:
        self._streams[self._was_error].flush()


class JsonOutput:
    """Lines as JSON objects, one per line, all of them on stdout."""

    def __init__(self, pattern: re.Pattern[bytes] | None = None) -> None:
        self._pattern, self._stream = pattern, binary_stream(sys.stdout)

    def write(self, name: str, line: Line) -> None:
        if self._pattern and line.time and not self._pattern.search(line.text):
            return
        from dusty_tasks.verbs.shared.words import json_line

        stream = ("stderr" if line.is_error else "stdout") if line.time else "dusty"
        text = line.text.decode("utf-8", "replace")
        self._stream.write(json_line({"at": line.time.decode(), "name": name, "stream": stream, "text": text}))

    def flush(self) -> None:
        self._stream.flush()


def follow_merged(
    chosen: Sequence[FoundContainer],
    shown: Mapping[str, list[str]],
    flags: list[str],
    output: Output | JsonOutput,
    engine: Engine,
) -> None:
    """Print what comes as it comes, of the next lives of the containers as well; `shown`: how to go on after what was shown, by name.

    It ends when the last container has ended and none is about to come back. Those that had ended before are watched as long.
    """
    from dusty_tasks.core.of_verbs.log_lines import Line
    from dusty_tasks.effects.engine.logs import Follower
    from dusty_tasks.operations.launch.comebacks import Comeback, Comebacks

    comebacks = Comebacks(engine)
    lost: set[str] = set()

    def come_back(comeback: Comeback) -> None:
        name = comeback.container.name
        output.write(name, Line(b"", comeback.text.encode()))
        attach(comeback.container, comeback.flags)

    def attach(container: FoundContainer, words: list[str]) -> None:
        comebacks.note(container)
        follower.attach(container.name, [*words, container.id])
        lost.discard(container.name)

    with Follower(engine) as follower:
        for container in chosen:
            attach(container, shown.get(container.name, flags))
        while follower.attached:
            item = follower.take()
            if item and item[1]:
                output.write(item[0], item[1])
            elif item:
                lost.add(item[0])
            if follower.has_more():
                continue
            output.flush()
            check_reader()
            if lost and follower.attached:
                for comeback in comebacks.look_when_due(lost):
                    come_back(comeback)
            elif lost and (last := comebacks.wait(lost, say)):
                come_back(last)
        for failure in follower.failures.values():
            raise failure
