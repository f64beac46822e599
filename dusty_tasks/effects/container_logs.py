"""The door to container logs: streams of lines from `docker logs`, one process a container."""
from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from dusty_tasks.core.log_lines import Line, line_of
from dusty_tasks.effects.failures import ToolFailed
from dusty_tasks.effects.process import Piped, piped

Words = Mapping[str, Sequence[str]]
"""By name: the words after `docker logs --timestamps`, the container last."""

PAUSE = 0.5
"""Seconds without a line after which the caller may look around."""


def stored_lines(words_by_name: Words, env: Mapping[str, str]) -> Iterator[tuple[str, Line]]:
    """What was printed so far, of all containers in the order of time. Raises ToolFailed."""
    with ExitStack() as stack:
        streams = {name: stack.enter_context(_opened(words, env)) for name, words in words_by_name.items()}
        for line, name in heapq.merge(*(_lines(name, stream) for name, stream in streams.items()), key=lambda pair: pair[0].time):
            yield name, line
        for name, stream in streams.items():
            _check(words_by_name[name], stream)


def followed_lines(words_by_name: Words, env: Mapping[str, str]) -> Iterator[tuple[str, Line] | None]:
    """Lines of all containers as they come, until the last one ends; None whenever there is a pause (time to flush)."""
    waiting: queue.Queue[tuple[str, Line] | None] = queue.Queue(1000)

    def read(name: str, stream: Piped) -> None:
        try:
            for line, _ in _lines(name, stream):
                waiting.put((name, line))
        except ValueError:
            pass  # closed by the end of the block
        finally:
            waiting.put(None)

    with ExitStack() as stack:
        streams = {name: stack.enter_context(_opened(["-f", *words], env)) for name, words in words_by_name.items()}
        for name, stream in streams.items():
            threading.Thread(target=read, args=(name, stream), daemon=True).start()
        ended = 0
        while ended < len(words_by_name):
            if waiting.empty():
                yield None
            try:
                item = waiting.get(timeout=PAUSE)
            except queue.Empty:
                continue
            if item is None:
                ended += 1
            else:
                yield item
        for name, stream in streams.items():
            _check(words_by_name[name], stream)


def _opened(words: Sequence[str], env: Mapping[str, str]) -> AbstractContextManager[Piped]:
    return piped(["docker", "logs", "--timestamps", *words], env=env, join_errors=True)


def _lines(name: str, stream: Piped) -> Iterator[tuple[Line, str]]:
    return ((line_of(raw), name) for raw in stream.out)


def _check(words: Sequence[str], stream: Piped) -> None:
    finished = stream.end()
    if finished.code:
        raise ToolFailed(["docker", "logs", *words], finished.code, finished.err)
