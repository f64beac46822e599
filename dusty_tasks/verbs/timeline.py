"""`dusty timeline`: what containers printed and what happened to them, in one order of time, by one clock."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import binary_stream, check_reader, has_colour, look_of, say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import painted
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.names import compiled_names, not_in_the_stack
from dusty_tasks.verbs.shared.running import containers, spec_name
from dusty_tasks.verbs.shared.words import json_line

if TYPE_CHECKING:
    from dusty_tasks.core.history.timeline import Item
    from dusty_tasks.effects.engine.happened import Clock

SPAN = "1h"
"""How far back it goes where nobody says."""


def run(
    words: list[str], follow: bool = False, since: str | None = None, tail: str | None = None, json: bool = False
) -> int | None:
    """Print what is stored, then, to follow, what comes, until interrupted. Raises Failure for a name or a time that is none."""
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.operations.history.timeline import Reader

    begin, lines = moment(since or SPAN), count(tail)
    names = chosen_names(words)
    # What the proxy prints of every request is worth a line only to those who ask for it.
    silent = () if words else (PROXY,)
    reader = Reader(Engine(session.docker_host()), names, begin, lines, silent)
    shown = Shown(names, reader.clock, in_json=json)
    for item in reader.stored():
        shown.write(item)
    shown.flush()
    if not follow and not shown.count and not json:
        say(f"nothing was printed and nothing happened since {since or SPAN}\n    hint: {DUSTY} timeline --since 1d")
    if not follow:
        return None
    for coming in reader.coming():
        if coming:
            shown.write(coming)
        else:
            shown.flush()
            check_reader()
    return None


def moment(since: str) -> float:
    """`10m`, `2026-01-31T12:00` as seconds since 1970 by the clock of this machine. Raises Failure."""
    from dusty_tasks.core.of_verbs.log_lines import checked_since
    from dusty_tasks.effects.engine.logs import moment_of

    try:
        return float(moment_of(checked_since(since), time.time_ns()))
    except ValueError as error:
        raise Failure(str(error)) from None


def count(tail: str | None) -> str:
    """How many lines of each container, as the engine takes it. Raises Failure."""
    from dusty_tasks.core.of_verbs.log_lines import checked_tail

    try:
        return checked_tail(tail) if tail is not None else "all"
    except ValueError as error:
        raise Failure(str(error)) from None


def chosen_names(words: list[str]) -> list[str]:
    """The containers that are meant, without a container of today among them: all of the stack without a name. Raises Failure."""
    found, compiled = containers(), compiled_names()
    names = [word if word in found or word in compiled else spec_name(word) for word in words]
    for name in names:
        if name not in found and name not in compiled:
            raise not_in_the_stack(name, {*found, *compiled})
    return list(dict.fromkeys(names)) or list(dict.fromkeys([*compiled, *sorted(found)]))


class Shown:
    """The timeline on stdout: a time, a name, and what a container printed (after `|`) or what happened to it (after `*`)."""

    def __init__(self, names: list[str], clock: Clock, *, in_json: bool) -> None:
        from dusty_tasks.core.of_verbs.log_lines import prefixes

        self._clock, self._in_json, self.count = clock, in_json, 0
        self._stream = binary_stream(sys.stdout)
        self._look = look_of(sys.stdout)
        self._prefixes = prefixes(["", *names], has_colour(sys.stdout), end="")
        self._day = time.strftime("%Y-%m-%d")
        self._second, self._second_text = -1, ""

    def write(self, item: Item) -> None:
        """Print one item."""
        self.count += 1
        if self._in_json:
            self._stream.write(json_line(self._as_json(item)))
            return
        stamp = self._stamp(self._clock.here(item.at))
        prefix = self._prefixes.get(item.name, item.name.encode())
        if item.what == "line":
            self._stream.write(b"%s %s | %s\n" % (stamp, prefix, item.line))
            return
        from dusty_tasks.core.text.looks import drawn

        text = drawn(painted(item.text, item.tone) if item.tone else item.text, self._look)
        self._stream.write(b"%s %s * %s\n" % (stamp, prefix, text.encode("utf-8", "replace")))

    def _stamp(self, here: float) -> bytes:
        """`10:02:03.456`, after a line with the day where that is another one than the line before had."""
        second = int(here)
        if second != self._second:
            moment = time.localtime(second)
            day = time.strftime("%Y-%m-%d", moment)
            if day != self._day:
                self._stream.write(f"{day}\n".encode())
                self._day = day
            self._second, self._second_text = second, time.strftime("%H:%M:%S", moment)
        return f"{self._second_text}.{int((here - second) * 1000):03d}".encode()

    def _as_json(self, item: Item) -> dict[str, Any]:
        from datetime import datetime

        from dusty_tasks.core.history.cause import to_json

        at = datetime.fromtimestamp(self._clock.here(item.at)).astimezone().isoformat(timespec="milliseconds")
        text = item.line.decode("utf-8", "replace") if item.what == "line" else item.text
        found: dict[str, Any] = {"at": at, "name": item.name, "what": item.what, "text": text}
        if item.what == "line":
            found["stream"] = "stderr" if item.is_error else "stdout"
        if item.cause:
            found["cause"] = to_json(item.cause)
        return found

    def flush(self) -> None:
        self._stream.flush()
