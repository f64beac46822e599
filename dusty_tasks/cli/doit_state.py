"""doit's database as a cache that survives anything: commit per task, heal what is damaged, keep what a signal interrupts.

doit writes its database at the end of a run; kill -9 would lose every finished task. The methods
replaced here are private to doit 0.37, which requirements.txt pins and tests/cli/test_state.py watches.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from dusty_tasks.console import say_interrupted
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.files import make_home, narrow_umask
from dusty_tasks.effects.home.doit_database import heal


def database_path(home: str) -> str:
    """Where doit keeps its records, absolute, so that every entrance shares one state. Makes the folder if it can."""
    folder = Paths(home).state
    try:
        make_home(home)
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return ":memory:"
    return Paths(home).doit_database if os.access(folder, os.W_OK) else ":memory:"


def prepare(home: str) -> str:
    """Heal the database, commit per task, and turn signals into ends that keep what was finished; the database's path."""
    narrow_umask()
    path = database_path(home)
    heal(path)
    commit_each_task()
    catch_signals()
    return path


def commit_each_task() -> None:
    """Make doit's sqlite3 backend write each task's record as soon as the task ends; where it cannot, the run goes on without.

    Twice is as good as once.
    """
    from doit.dependency import Dependency, SqliteDB

    if getattr(Dependency, "commits_each_task", False):
        return
    SqliteDB._sqlite3 = _opening(SqliteDB._sqlite3)
    SqliteDB.dump = _closing(SqliteDB.dump)
    Dependency.save_success = _committing(Dependency.save_success)
    Dependency.remove_success = _committing(Dependency.remove_success)
    Dependency.commits_each_task = True


def _committing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **named: Any) -> None:
        database = self.backend
        if not hasattr(database, "_conn"):
            method(self, *args, **named)
            return
        import sqlite3

        try:
            # No fsync: a power cut may cost the database, which is then made anew; a killed process loses nothing.
            # Said before the method, which may open a transaction: within one, sqlite refuses it.
            database._conn.execute("pragma synchronous = off")
            method(self, *args, **named)
            for name in database._dirty:
                database._conn.execute(
                    "insert or replace into doit values (?, ?)", (name, database.codec.encode(database._cache[name]))
                )
            database._conn.commit()
        except sqlite3.Error as error:
            _say_unwritten(error)
            database._conn.close()
            database._conn = database._sqlite3(":memory:")
        database._dirty.clear()

    return wrapped


def _opening(method: Callable[..., Any]) -> Callable[..., Any]:
    """Open the database; where there is no room for one, one in memory."""

    @functools.wraps(method)
    def wrapped(self: Any, name: str) -> Any:
        from doit.dependency import DatabaseException

        try:
            return method(self, name)
        except DatabaseException as error:
            _say_unwritten(error.__context__ or error)
            return method(self, ":memory:")

    return wrapped


def _closing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapped(self: Any) -> None:
        import sqlite3

        try:
            method(self)
        except sqlite3.Error as error:
            _say_unwritten(error)
            self._conn.close()
            self._dirty = set()

    return wrapped


def _say_unwritten(error: BaseException) -> None:
    print(f"state/doit.db cannot be written ({error}): the next run checks everything again", file=sys.stderr)


def catch_signals() -> None:
    """SIGTERM and SIGHUP end the run as SystemExit(128 + number), so finished work is kept; ^C is one line, not a traceback."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_by_signal)
    signal.signal(signal.SIGALRM, _raise_again)
    sys.unraisablehook = _keep_for_later
    sys.excepthook = _one_line_for_interrupts


def _end_by_signal(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


_swallowed: list[BaseException] = []
A_MOMENT = 0.01


def _keep_for_later(lost: Any) -> None:
    """A signal that comes within a destructor or a weak reference's callback is swallowed by Python: it is raised again after that."""
    if isinstance(lost.exc_value, (KeyboardInterrupt, SystemExit)):
        _swallowed.append(lost.exc_value)
        signal.setitimer(signal.ITIMER_REAL, A_MOMENT)
    else:
        sys.__unraisablehook__(lost)


def _raise_again(_number: int, _frame: object) -> None:
    if _swallowed:
        raise _swallowed.pop()


def _one_line_for_interrupts(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        say_interrupted()
        raise SystemExit(130)
    sys.__excepthook__(kind, error, trace)
