"""doit's database: committed per task, healed when damaged (private doit names are used: this watches them)."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks.effects.home.doit_database import heal

PIPELINE = """
import os, signal, sys
from dusty_tasks.cli import doit_state as state
db = state.prepare({home!r})
def task_a():
    return {{"actions": [lambda: open({home!r} + "/a", "w").close()], "targets": [{home!r} + "/a"], "uptodate": [True]}}
def task_b():
    return {{"actions": [lambda: os.kill(os.getpid(), {number})], "task_dep": ["a"]}}
from doit.doit_cmd import DoitMain
from doit.cmd_base import ModuleTaskLoader
sys.exit(DoitMain(ModuleTaskLoader(dict(task_a=task_a, task_b=task_b,
    DOIT_CONFIG=dict(backend="sqlite3", dep_file=db))), config_filenames=()).run(["run"]))
"""


SWALLOWED = """
import os, time, weakref
from dusty_tasks.cli import doit_state as state
state.catch_signals()
class Thing: pass
thing = Thing()
noted = weakref.ref(thing, lambda _: (os.kill(os.getpid(), {number}), time.sleep(1)))
del thing
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"interrupted\n"), (signal.SIGTERM, 143, b"")],
    ids=["^C", "SIGTERM"],
)
def test_a_signal_within_a_callback_that_python_calls_for_itself_is_not_lost(
    number: signal.Signals, code: int, said: bytes
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SWALLOWED.format(number=int(number))],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)},
    )
    assert (ended.returncode, ended.stderr) == (code, said)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_finished_task_is_kept_whatever_ends_the_run(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "pipeline.py"
    script.write_text(PIPELINE.format(home=str(tmp_path), number=int(number)))
    ended = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)},
    )
    assert ended.returncode == (-9 if number == signal.SIGKILL else 128 + number), ended.stderr
    rows = sqlite3.connect(tmp_path / "state/doit.db").execute("select task_id from doit").fetchall()
    assert ("a",) in rows


def write_database(path: Path, task_id: str, data: str) -> None:
    """A database as doit makes it, with one row."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table doit (task_id text primary key, task_data blob)")
        connection.execute("insert into doit values (?, ?)", (task_id, data))


@pytest.mark.parametrize(
    "damage",
    [b"", b"garbage" * 1000, None, b"SQLite format 3\0" + b"x" * 4096],
    ids=["empty", "garbage", "row", "torn"],
)
def test_a_damaged_database_is_set_aside(damage: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "doit.db"
    if damage is None:
        write_database(path, "a", "{not json")
    else:
        path.write_bytes(damage)
    heal(str(path))
    assert not path.exists() and (tmp_path / "doit.db.broken").exists()


def test_what_stands_in_the_databases_place_is_set_aside_once_and_again(tmp_path: Path) -> None:
    path = tmp_path / "doit.db"
    for _ in range(2):
        path.mkdir()
        (path / "theirs").write_text("theirs")
        heal(str(path))
        assert not path.exists() and (tmp_path / "doit.db.broken/theirs").exists()
    path.write_bytes(b"garbage" * 1000)
    heal(str(path))
    assert (tmp_path / "doit.db.broken").is_file()


ON_A_FULL_DISK = """
import sqlite3, sys
from dusty_tasks.cli import doit_state as state
class Full(sqlite3.Connection):
    refused = {refused!r}
    def execute(self, statement, *words):
        if self.refused in statement and not self.memory:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *words)
    def commit(self):
        if self.refused == "commit" and not self.memory:
            raise sqlite3.OperationalError("database or disk is full")
        super().commit()
connect = sqlite3.connect
def connected(name, **named):
    connection = connect(name, factory=Full, **named)
    connection.memory = name == ":memory:"
    return connection
sqlite3.connect = connected
db = state.prepare({home!r})
def task_a():
    return {{"actions": [lambda: open({home!r} + "/a", "w").close()]}}
def task_b():
    return {{"actions": [lambda: open({home!r} + "/b", "w").close()], "task_dep": ["a"]}}
from doit.doit_cmd import DoitMain
from doit.cmd_base import ModuleTaskLoader
sys.exit(DoitMain(ModuleTaskLoader(dict(task_a=task_a, task_b=task_b, DOIT_CONFIG=dict(backend="sqlite3", dep_file=db))), config_filenames=()).run(["run"]))
"""


@pytest.mark.parametrize("refused", ["create table", "insert", "commit"])
def test_a_disk_without_room_for_the_database_costs_its_records_and_not_the_run(refused: str, tmp_path: Path) -> None:
    script = tmp_path / "pipeline.py"
    script.write_text(ON_A_FULL_DISK.format(home=str(tmp_path), refused=refused))
    ended = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)},
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "a").exists() and (tmp_path / "b").exists()
    assert (
        ended.stderr.startswith("state/doit.db cannot be written (database or disk is full)")
        and ended.stderr.count("cannot be written") == 1
    )


def test_a_database_whose_index_alone_is_damaged_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "doit.db"
    write_database(path, "compile", "{}")
    head, _, index = path.read_bytes().rpartition(b"compile")
    path.write_bytes(head + b"compilf" + index)
    heal(str(path))
    assert not path.exists() and (tmp_path / "doit.db.broken").exists()


def test_a_healthy_database_stays(tmp_path: Path) -> None:
    path = tmp_path / "doit.db"
    write_database(path, "a", "{}")
    heal(str(path))
    assert path.exists() and not (tmp_path / "doit.db.broken").exists()


def test_a_failing_task_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    """Forgetting its record opens a transaction, in which sqlite allows less."""
    script = tmp_path / "pipeline.py"
    script.write_text(f"""
import sys
from dusty_tasks.cli import doit_state as state
db = state.prepare({str(tmp_path)!r})
def task_a():
    return {{"actions": [lambda: len(sys.argv) == 1]}}
from doit.doit_cmd import DoitMain
from doit.cmd_base import ModuleTaskLoader
tasks = {{"DOIT_CONFIG": {{"backend": "sqlite3", "dep_file": db}}, "task_a": task_a}}
sys.exit(DoitMain(ModuleTaskLoader(tasks), config_filenames=()).run(["run"]))
""")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}
    good, bad = (
        subprocess.run(
            [sys.executable, str(script), *words], env=environment, capture_output=True, text=True, check=False
        )
        for words in ([], ["fail"])
    )
    assert good.returncode == 0, good.stderr
    assert (bad.returncode, "Python Task failed" in bad.stdout + bad.stderr) == (1, True), bad.stderr
