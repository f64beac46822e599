"""Records of what containers were started with, as a damaged file may hold them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.code.reloading import Owed
from dusty_tasks.core.plan import started
from dusty_tasks.core.plan.started import StartedRecord, code_changed, owed_until, sound

PACKAGE = Path(started.__file__).resolve().parents[2]
GOOD = {"container_id": "1", "mapping": {"image": "i"}, "ready": False}


@pytest.mark.parametrize(
    "read",
    [
        None,
        [],
        "x",
        5,
        {"web": 5},
        {"web": None},
        {"web": {**GOOD, "mapping": []}},
        {"web": {**GOOD, "repos": "r"}},
        {"web": {**GOOD, "container_id": 1}},
        {"web": {**GOOD, "assets": None}},
    ],
)
def test_what_is_no_record_is_left_out(read: Any) -> None:
    assert sound(read) == {}
    assert sound({**read, "db": GOOD} if isinstance(read, dict) else read) == (
        {"db": GOOD} if isinstance(read, dict) else {}
    )


def test_every_key_of_a_record_is_checked_for_its_form() -> None:
    flags = {"ready", "stopped", "finished", "restart_owed"}
    assert {*started._MAPPINGS, *started._TEXTS} == started.StartedRecord.__annotations__.keys() - flags


OLD: StartedRecord = {
    "container_id": "1",
    "mapping": {"image": "i"},
    "time": "t1",
    "trouble": "does not answer",
    "later": "kept",
}  # type: ignore[typeddict-unknown-key]
"""Of another version: it lacks keys, and has one that nobody knows."""


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (started.seen_ready(OLD), {"trouble": None}),
        (started.seen_finished(OLD), {"trouble": None, "finished": True}),
        (started.started_anew(OLD), {"trouble": None, "ready": False, "good": "t1"}),
        (started.troubled(OLD, "ended"), {"ready": False, "trouble": "ended"}),
        (started.not_begun(OLD, "no such image"), {"trouble": "no such image"}),
        (started.stopped(OLD), {"stopped": True, "finished": False}),
        (started.owing_restart(OLD), {"restart_owed": True}),
        (started.loaded(OLD, "n2"), {"nginx": "n2"}),
        (started.reconnected(OLD, {"image": "j"}), {"mapping": {"image": "j"}}),
        (started.still_mounting(OLD, {"inodes": {"/a": 1}}), {"inodes": {"/a": 1}}),
        (started.still_mounting(OLD, {}), {}),
    ],
)
def test_a_transition_changes_what_it_names_and_keeps_the_rest(now: StartedRecord, changed: dict[str, Any]) -> None:
    assert now == {key: value for key, value in {**OLD, **changed}.items() if value is not None}
    assert OLD["trouble"] == "does not answer" and "ready" not in OLD


def test_code_that_calls_for_nothing_advances_the_record() -> None:
    record = code_changed({"repos": {"src/web": "one"}}, "src/web", "one", "two", Owed("none"))
    assert record["repos"] == {"src/web": "two"}
    assert owed_until(record, "src/web", "two").kind == "none"


def test_what_is_owed_adds_up_until_it_is_done() -> None:
    record = code_changed({"repos": {"src/web": "one"}}, "src/web", "one", "two", Owed("signal", ("HUP",)))
    assert record["repos"] == {"src/web": "one"}
    assert owed_until(record, "src/web", "two") == Owed("signal", ("HUP",))
    assert owed_until(record, "src/web", "other").kind == "restart"
    record = code_changed(record, "src/web", "two", "three", Owed("none"))
    assert owed_until(record, "src/web", "three") == Owed("signal", ("HUP",))
    record = code_changed(record, "src/web", "three", "four", Owed("restart"))
    assert owed_until(record, "src/web", "four").kind == "restart"
    assert (
        owed_until(code_changed(record, "src/web", "four", "five", Owed("none")), "src/web", "five").kind == "restart"
    )


def test_a_change_from_code_that_nobody_noted_is_a_restart() -> None:
    record = code_changed({"repos": {"src/web": "one"}}, "src/web", "unknown", "two", Owed("none"))
    assert owed_until(record, "src/web", "two").kind == "restart"


def test_nobody_reads_the_records_but_as_records() -> None:
    """The file's place is known to what judges it and to the two that fetch it along with more, and hand it over unread."""
    users = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if knows_the_place(path.read_text())}
    assert users == {
        "core/text/paths.py",
        "effects/docker_host/started_records.py",
        "effects/observe/docker_host.py",
        "effects/code/prepare.py",
    }


@pytest.mark.parametrize(
    "line",
    ["from x.paths import STARTED", 'host.path("persist/.dusty/started.json")', 'SCRIPT = "cat /x/started.json"'],
)
def test_a_further_reader_is_found(line: str) -> None:
    assert knows_the_place(f'"""Of started.json."""\n{line}\n') and not knows_the_place('"""Of started.json."""\n')


def knows_the_place(text: str) -> bool:
    if "started.json" not in text and "STARTED" not in text:
        return False
    tree = ast.parse(text)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return any(
        (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and "started.json" in node.value
            and id(node) not in docs
        )
        or (
            isinstance(node, ast.ImportFrom)
            and str(node.module).endswith("paths")
            and {"STARTED", "STARTED_SPARE"} & {name.name for name in node.names}
        )
        for node in ast.walk(tree)
    )
