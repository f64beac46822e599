"""The door to container logs: streams of lines from `docker logs`, one process a container."""
from __future__ import annotations

import heapq
import os
import queue
import select
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from dusty_tasks.core.of_verbs.log_lines import Line, line_of
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.doors.process import Piped, piped

Words = Mapping[str, Sequence[str]]
"""By name: the words after `docker logs --timestamps`, the container last."""

CHUNK = 1 << 16
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
    return piped(["docker", "logs", "--timestamps", *words], env=env, pipe_errors=True)


def _lines(name: str, stream: Piped) -> Iterator[tuple[Line, str]]:
    assert stream.err
    return ((line, name) for line in as_written(stream.out.fileno(), stream.err.fileno()))


class _Pipe:
    """One of two pipes whose lines are read together; a descriptor of its own, so that nobody closes it meanwhile."""

    def __init__(self, descriptor: int, is_error: bool) -> None:
        self.descriptor, self.is_error, self.is_open, self._rest = os.dup(descriptor), is_error, True, b""

    def has_more(self) -> bool:
        return self.is_open and bool(_ready([self], 0))

    def read(self) -> list[Line]:
        """The lines that are there now; none where that would be to wait."""
        if not self.has_more():
            return []
        data = os.read(self.descriptor, CHUNK)
        self.is_open = bool(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            whole.append(self._rest)
        return [line_of(raw, self.is_error) for raw in whole]


def as_written(out: int, err: int) -> Iterator[Line]:
    """The lines of two pipes of one program in the order in which it wrote them, each with its time, as they come.

    What the program wrote to the one before a line of the other is there to be read once that line is. So stderr is read after
    stdout; and of its lines those wait that are younger than what stdout has told, as long as stdout has more to tell.
    """
    pipes = _Pipe(out, False), _Pipe(err, True)
    try:
        told, waiting = b"", list[Line]()
        while any(pipe.is_open for pipe in pipes):
            _ready(pipes, None)
            lines, errors = pipes[0].read(), [*waiting, *pipes[1].read()]
            told = lines[-1].time if lines else told
            may_wait = pipes[0].has_more()
            waiting = [line for line in errors if may_wait and line.time > told]
            yield from heapq.merge(lines, errors[:len(errors) - len(waiting)], key=lambda line: line.time)
    finally:
        for pipe in pipes:
            os.close(pipe.descriptor)


def _ready(pipes: Sequence[_Pipe], milliseconds: int | None) -> bool:
    poll = select.poll()
    for pipe in pipes:
        if pipe.is_open:
            poll.register(pipe.descriptor, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _check(words: Sequence[str], stream: Piped) -> None:
    finished = stream.end()
    if finished.code:
        raise ToolFailed(["docker", "logs", *words], finished.code, finished.err)
