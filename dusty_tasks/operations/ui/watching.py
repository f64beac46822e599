"""The threads behind `dusty ui`: they read states, follow the timeline and run what buttons stand for, and tell the feed.

What is followed and run are Dusty's own commands, in processes of their own: each reads everything anew, takes the same locks
as when it is typed, and a button does nothing that its command would not do.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dusty_tasks import session
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.worlds.meaning import VARIABLE
from dusty_tasks.core.worlds.model import BASE
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.worlds import home_of, names_of_worlds
from dusty_tasks.operations.redacting import redactor
from dusty_tasks.operations.status_facts import read_facts
from dusty_tasks.operations.ui.feed import Feed, masked

REFRESH, SOONEST, RETRY = 5.0, 1.0, 3.0
"""Seconds between two looks while a page is open; at least between two because something happened; before what ended is followed again."""
PATIENCE = 10.0
"""Seconds that commands have to end when the server does: they end what they started themselves."""


class Busy(Exception):
    """A command runs already; its text names it."""


class Watching:
    """Feeds pages until it is closed: with the base or a world, one at a time."""

    def __init__(self, home: str, feed: Feed) -> None:
        self.home, self.feed = home, feed
        self.base = session.Session(home).base or home
        self._switching = threading.RLock()
        self._due = threading.Event()
        self._is_over = threading.Event()
        self._knows_secrets = threading.Event()
        self._children: set[Callable[[], None]] = set()
        self._ended = threading.Condition()
        self._numbers = itertools.count(1)
        self._running = threading.Lock()
        self._now = ""
        self._names: list[str] = []
        self._stop_following: Callable[[], None] = lambda: None
        self._cancel: Callable[[], None] = lambda: None

    def start(self) -> None:
        for work in (self._look_again_and_again, self._follow):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """End what runs, and wait for it as long as that is worth it: nothing that the page began outlives its server."""
        self._is_over.set()
        self._due.set()
        self._knows_secrets.set()
        with self._ended:
            for stop in self._children:
                stop()
            self._ended.wait_for(lambda: not self._children, PATIENCE)

    def cancel(self) -> None:
        """End the command that a button began, as ^C would."""
        self._cancel()

    @contextmanager
    def _child(self, words: Sequence[str], *, join_errors: bool = False) -> Iterator[process.Piped]:
        """A command of ours without input, that ends at the latest with the server. Raises Failure or OSError if it cannot be started."""
        stop: Callable[[], None] | None = None
        try:
            with process.piped([*dusty(), *words], env=self._env(), join_errors=join_errors) as child:
                child.input.close()
                stop = child.stop
                with self._ended:
                    self._children.add(stop)
                    if self._is_over.is_set():
                        stop()
                yield child
        finally:
            with self._ended:
                self._children -= {stop}
                self._ended.notify_all()

    @property
    def world(self) -> str:
        """What the pages show."""
        return BASE if self.home == self.base else os.path.basename(self.home)

    def switch(self, name: str) -> None:
        """Show that world, or the base, from now on. Raises ValueError for a name that none has, and Busy."""
        if name != BASE and name not in names_of_worlds(self.base):
            raise ValueError(f'there is no world named "{name}"')
        if not self._running.acquire(blocking=False):
            raise Busy(f"{self._now} is still running")
        try:
            with self._switching:
                self.home = self.base if name == BASE else home_of(self.base, name)
                self._knows_secrets.clear()  # Those of another world are others.
                self.feed.clear()
            self._stop_following()
        finally:
            self._running.release()
        self.look_soon()

    def look_soon(self) -> None:
        self._due.set()

    def _look_again_and_again(self) -> None:
        while not self._is_over.is_set():
            began = time.monotonic()
            self._due.clear()
            home = self.home
            found = self._state(home)
            with self._switching:
                if home == self.home:
                    self.feed.tell("state", found)
            self._is_over.wait(max(0.0, SOONEST - (time.monotonic() - began)))
            while not self._due.wait(REFRESH) and not self.feed.is_watched:
                pass

    def _state(self, home: str) -> dict[str, Any]:
        with session.begun(session.Session(home)):
            try:
                mask = redactor().text
                with self._switching:
                    if home == self.home:
                        self.feed.mask = mask
                        self._knows_secrets.set()
                facts = read_facts(with_stats=self.feed.is_watched)
                found = {**facts, "trouble": "", **_of_stack()}
            except (Failure, OSError) as failure:
                found = {"trouble": str(failure), "stack": [], "needs": {}}
        names = [row["name"] for row in found["stack"]]
        if names != self._names:
            self._names = names
            self._stop_following()  # It is followed again, with these names.
        shown = BASE if home == self.base else os.path.basename(home)
        worlds = {"shown": shown, "worlds": names_of_worlds(self.base)}
        return {**found, **worlds, "at": time.time(), "called": DUSTY.name, "running": self._now}

    def _follow(self) -> None:
        """The timeline, lines among it: stored ones first, then what comes; again whenever it ends."""
        since, home = "15m", ""
        while not self._is_over.is_set():
            self._knows_secrets.wait()  # Nothing is told unmasked.
            if self._is_over.is_set():
                return
            if home != self.home:
                since, home = "15m", self.home
            words = ["timeline", "-f", "--json", "--since", since, "--tail", "200"]
            try:
                with self._child(words) as timeline:
                    self._stop_following = timeline.stop
                    for line in timeline.out:
                        with self._switching:
                            if home != self.home:
                                break
                            since = self._heard(line) or since
            except (Failure, OSError, ValueError):
                pass  # Why it cannot be followed is in the state.
            self._is_over.wait(RETRY if home == self.home else 0)

    def _heard(self, line: bytes) -> str:
        """Tell of one item; its time."""
        try:
            item = json.loads(line)
        except ValueError:
            return ""
        self.feed.tell_item(item)
        if item.get("what") != "line":
            self.look_soon()
        return str(item.get("at", ""))

    def _env(self) -> dict[str, str]:
        return {**os.environ, "DUSTY_HOME": self.base, VARIABLE: self.world, "NO_COLOR": "1"}

    def run(self, words: Sequence[str], world: str) -> dict[str, Any]:
        """Begin a command; the feed hears what it prints and how it ends. Raises Busy, also where the page shows what is not shown any more."""
        if not self._running.acquire(blocking=False):
            raise Busy(f"{self._now} is still running")
        if world != self.world:
            self._running.release()
            raise Busy(f"the page shows {world}, and the server {self.world} by now: load it again")
        if world != BASE:
            words = [words[0], "--world", world, *words[1:]]
        self._cancel = lambda: None
        number = next(self._numbers)
        self._now = f"{DUSTY.name} {' '.join(words)}"
        about = {"id": number, "command": self._now}
        threading.Thread(target=self._run, args=(about, [*words]), daemon=True).start()
        self.look_soon()
        return about

    def _run(self, about: dict[str, Any], words: Sequence[str]) -> None:
        def tell(text: str) -> None:
            self.feed.tell("run", {**about, "text": text})

        try:
            self._check_secrets()
            tell("")
            with self._child(words, join_errors=True) as child:
                self._cancel = child.stop
                for line in child.out:
                    tell(line.decode("utf-8", "replace").rstrip("\n"))
                code = child.end().code
        except (Failure, OSError) as error:
            tell(str(error))
            code = error.code if isinstance(error, Failure) else 2
        finally:
            self._cancel = lambda: None
            self._now = ""
            self._running.release()
        self.feed.tell("run", {**about, "code": code})
        self.look_soon()

    def _check_secrets(self) -> None:
        """Wait until it is known what to mask; Failure if it cannot be known."""
        if not self._knows_secrets.wait(PATIENCE):
            raise Failure(
                "nothing is run before it is known which values to mask", "the trouble above says why it is not"
            )

    def ask(self, words: Sequence[str]) -> Any:
        """What a command says in JSON, masked; {"trouble": …} where it fails."""
        try:
            self._check_secrets()
            with self._child(words) as child:
                told, done = child.out.read(), child.end()
        except (Failure, OSError) as error:
            return {"trouble": self.feed.mask(str(error))}
        try:
            return masked(json.loads(told), self.feed.mask)
        except ValueError:
            return {"trouble": self.feed.mask(done.err.strip() or f"it exited with status {done.code}")}


def dusty() -> list[str]:
    """This program, for a process of its own."""
    return [sys.executable, "-m", "dusty_tasks"]


def _of_stack() -> dict[str, Any]:
    """Who needs whom, what each bundle names, and what can be run; nothing before the first compile."""
    try:
        wanted, stack = session.wanted(), session.compiled_stack()
        bundles = {name: session.specs().bundles[name] for name in session.active_bundles()}
    except (Failure, KeyError):
        return {"needs": {}, "scripts": {}, "suites": {}, "named": {}}
    needs = {container.name: [*container.after] for container in wanted.containers}
    for name in {*stack.apps, *stack.libs}:
        needs[name] = [*needs.get(name, ()), *stack.lib_order.get(name, ())]
    tests = {
        **{name: lib.tests for name, lib in stack.libs.items()},
        **{name: app.tests for name, app in stack.apps.items()},
    }
    return {
        "needs": needs,
        "named": {name: [*bundle.apps, *bundle.services] for name, bundle in bundles.items()},
        "scripts": {name: [script.name for script in app.scripts] for name, app in stack.apps.items() if app.scripts},
        "suites": {name: [suite.name for suite in each.suites] for name, each in tests.items() if each},
    }
