"""The door to container logs: streams of lines as the engine tells them, all in this process."""

from __future__ import annotations

import heapq
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from itertools import repeat
from urllib.parse import quote

from dusty_tasks.core.of_verbs.log_lines import Line, durations_of, lines_of
from dusty_tasks.effects.docker_host.engine_streams import Stream
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine

Words = Mapping[str, Sequence[str]]
"""By name: the words for `docker logs`: `--tail N`, `--since T`, the container last."""

PAUSE = 0.5
"""Seconds without a line after which the caller may look around."""


def stored_lines(words_by_name: Words, engine: Engine) -> Iterator[tuple[str, Line]]:
    """What was printed so far, of all containers in the order of time. Raises EngineRefused, EngineDown."""
    with engine.host.streams() as streams, ExitStack() as stack:
        sources = []
        for name, words in words_by_name.items():
            stream = streams.open(path_of(words))
            stack.callback(stream.close)
            sources.append(zip(lines_of(stream.chunks()), repeat(name)))
        for line, name in heapq.merge(*sources, key=lambda pair: pair[0].time):
            yield name, line


class Follower:
    """Lines of containers as they come; one that was lost may be attached again. Its streams end with the block."""

    def __init__(self, engine: Engine, pause: float = PAUSE) -> None:
        self.pause = pause
        self.attached: set[str] = set()
        """The names whose stream has not ended yet."""
        self.failures: dict[str, Failure] = {}
        """Why streams ended that did not end well: the engine went away, or the container was removed meanwhile."""
        self._waiting: queue.Queue[tuple[str, Line | Failure | None]] = queue.Queue(1000)
        self._streams = engine.host.streams()
        self._open: dict[str, Stream] = {}
        self._is_over = False

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for stream in self._open.values():
            stream.close()
        self._streams.close()

    def attach(self, name: str, words: Sequence[str]) -> None:
        """Begin to follow `name`; `words` as in Words. Raises EngineDown."""
        stream = self._streams.open(f"{path_of(words)}&follow=1")
        self._open[name] = stream
        self.attached.add(name)
        self.failures.pop(name, None)
        threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def take(self) -> tuple[str, Line | None] | None:
        """The next line with its name, no line for a stream that has ended, and None after a pause."""
        try:
            name, line = self._waiting.get(timeout=self.pause)
        except queue.Empty:
            return None
        if isinstance(line, Line):
            return name, line
        self.attached.discard(name)
        self._open.pop(name).close()
        if line is not None:
            self.failures[name] = line
        return name, None

    def has_more(self) -> bool:
        """False while nothing waits to be taken: time to flush."""
        return not self._waiting.empty()

    def _read(self, name: str, stream: Stream) -> None:
        end: Failure | None = None
        try:
            for line in lines_of(stream.chunks()):
                self._put(name, line)
        except Failure as failure:
            end = failure
        self._put(name, end)

    def _put(self, name: str, item: Line | Failure | None) -> None:
        while not self._is_over:
            try:
                self._waiting.put((name, item), timeout=PAUSE)
                return
            except queue.Full:
                pass


def path_of(words: Sequence[str]) -> str:
    """What the engine is asked for the log that these words mean."""
    values = dict(zip(words[:-1:2], words[1:-1:2], strict=True))
    since = f"&since={moment_of(values['--since'], time.time_ns())}" if "--since" in values else ""
    return (
        f"/containers/{quote(words[-1])}/logs?stdout=1&stderr=1&timestamps=1&tail={values.get('--tail', 'all')}{since}"
    )


def moment_of(since: str, now: int) -> str:
    """`--since` as the engine takes it, in seconds since 1970; `now` is in nanoseconds. A time without a zone is that of this machine.

    `since` is well formed (core/log_lines.checked_since). Raises Failure for a day that there is not.
    """
    if re.fullmatch(r"\d+(\.\d+)?", since):
        return since
    if (ago := durations_of(since)) is not None:
        return f"{(now - ago) // 10**9}.{(now - ago) % 10**9:09d}"
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?", since)
    assert match, since
    day, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(
            f"{day}T{minute or '00:00'}{second or ':00'}{'+00:00' if zone == 'Z' else zone or ''}"
        )
    except ValueError as error:
        raise Failure(f'--since: "{since}" is not a time:  {error}') from error
    if zone is None:
        moment = moment.replace(tzinfo=timezone(timedelta(seconds=time.localtime(now // 10**9).tm_gmtoff)))
    return f"{int(moment.timestamp())}.{(fraction or '0')[:9].ljust(9, '0')}"
