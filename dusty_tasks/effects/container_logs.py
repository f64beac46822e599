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


class Follower:
    """Lines of containers as they come; one that was lost may be attached again. Its streams end with the block."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.attached: set[str] = set()
        """The names whose stream has not ended yet."""
        self.failures: dict[str, ToolFailed] = {}
        """Why streams ended that did not end well: the engine went away, or the container was removed meanwhile."""
        self._waiting: queue.Queue[tuple[str, Line | None]] = queue.Queue(1000)
        self._streams: dict[str, tuple[ExitStack, Sequence[str], Piped]] = {}

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        for stack, _words, _stream in self._streams.values():
            stack.close()

    def attach(self, name: str, words: Sequence[str]) -> None:
        """Begin to follow `name`; `words` as in Words."""
        stack = ExitStack()
        stream = stack.enter_context(_opened(["-f", *words], self.env))
        self._streams[name] = stack, words, stream
        self.attached.add(name)
        self.failures.pop(name, None)
        threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def take(self) -> tuple[str, Line | None] | None:
        """The next line with its name, no line for a stream that has ended, and None after a pause."""
        try:
            name, line = self._waiting.get(timeout=PAUSE)
        except queue.Empty:
            return None
        if line is None:
            self.attached.discard(name)
            stack, words, stream = self._streams.pop(name)
            with stack:
                try:
                    _check(words, stream)
                except ToolFailed as failed:
                    self.failures[name] = failed
        return name, line

    def has_more(self) -> bool:
        """False while nothing waits to be taken: time to flush."""
        return not self._waiting.empty()

    def _read(self, name: str, stream: Piped) -> None:
        try:
            for line, _ in _lines(name, stream):
                self._waiting.put((name, line))
        except ValueError:
            pass  # closed by the end of the block
        finally:
            self._waiting.put((name, None))


def _opened(words: Sequence[str], env: Mapping[str, str]) -> AbstractContextManager[Piped]:
    return piped(["docker", "logs", "--timestamps", *words], env=env, join_errors=True)


def _lines(name: str, stream: Piped) -> Iterator[tuple[Line, str]]:
    return ((line_of(raw), name) for raw in stream.out)


def _check(words: Sequence[str], stream: Piped) -> None:
    finished = stream.end()
    if finished.code:
        raise ToolFailed(["docker", "logs", *words], finished.code, finished.err)
