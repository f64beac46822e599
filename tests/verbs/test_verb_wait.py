"""`dusty wait`: who is waited for, what ends it, and how it says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chosen import Chosen
from engines import Engine, container, engine

from dusty_tasks.operations import waiting

__all__ = ["engine"]


@pytest.fixture(autouse=True)
def silent(engine: Engine) -> None:
    """No container printed anything."""
    engine.answers.update({f"/containers/id-{name}/logs": b"" for name in ("web", "db")})


def stack(home: Path, *, jobs: tuple[str, ...] = (), checked: tuple[str, ...] = ()) -> None:
    names = ("web", "db", *jobs)
    (home / "state").mkdir(parents=True, exist_ok=True)
    containers: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": "app",
            "container_name": f"dusty_{name}_1",
            "mapping": {"healthcheck": {"test": ["CMD", "true"]}} if name in checked else {},
            "is_job": name in jobs,
        }
        for name in names
    ]
    (home / "state/wanted.json").write_text(json.dumps({"containers": containers}))


def test_what_runs_is_ready_and_what_failed_ends_the_wait_with_its_reason(dusty: Chosen, engine: Engine) -> None:
    stack(dusty.home)
    engine.containers = [container("web", since="5 minutes"), container("db", since="5 minutes")]
    assert (dusty("wait").code, dusty("wait").out) == (0, "ready: db, web\n")
    engine.containers[1] = container("db", "exited", exit_status=3)
    ended = dusty("wait", "--timeout", "500")
    assert ended.code == 1 and ended.out == "ready: web\n"
    assert "db exited with status 3" in ended.err and "dusty logs db shows why" in ended.err
    told = json.loads(dusty("wait", "--json", "db").out)
    assert told["ready"] == [] and told["late"][0]["name"] == "db"


def test_what_is_not_there_yet_is_waited_for(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stack(dusty.home)
    engine.containers = [container("web", since="5 minutes")]
    ended = dusty("wait", "--timeout", "1")
    assert ended.code == 1 and "db has no container" in ended.err and "dusty up creates it" in ended.err
    monkeypatch.setattr(
        waiting.time, "sleep", lambda _seconds: engine.containers.append(container("db", since="1 hour"))
    )
    assert dusty("wait", "--timeout", "20").code == 0


def test_what_failed_is_waited_for_while_another_run_is_at_work(
    dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack(dusty.home)
    engine.containers = [container("web", "exited", exit_status=1), container("db", since="1 hour")]
    monkeypatch.setattr(waiting, "is_at_work", lambda _name, _home: True)

    def mend(_seconds: float) -> None:
        engine.containers[0] = container("web", since="1 hour")

    monkeypatch.setattr(waiting.time, "sleep", mend)
    assert dusty("wait", "--timeout", "20").code == 0


def test_done_means_ended_with_0_and_without_names_all_jobs(
    dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack(dusty.home, jobs=("seed",))
    engine.containers = [container("web"), container("seed")]
    ended = dusty("wait", "--for", "done", "--timeout", "1")
    assert ended.code == 1 and ended.err == "seed has not finished yet\n"

    def end(_seconds: float) -> None:
        engine.containers[1] = container("seed", "exited", exit_status=0)

    monkeypatch.setattr(waiting.time, "sleep", end)
    assert (dusty("wait", "--for", "done").out) == "done: seed\n"
    engine.containers[1] = container("seed", "exited", exit_status=4)
    ended = dusty("wait", "--for", "done", "--timeout", "500")
    assert ended.code == 1 and "seed exited with status 4" in ended.err


def test_words_that_make_no_sense_are_refused_at_once(dusty: Chosen, engine: Engine) -> None:
    stack(dusty.home, checked=("db",))
    for words, said in (
        (["--for", "lunch"], "--for takes ready or done"),
        (["--timeout", "0"], "must be at least 1"),
        (["--for", "done", "db"], "db will never be done: it has a health check"),
        (["nosuch"], 'no app or service named "nosuch"'),
    ):
        ended = dusty("wait", *words)
        assert ended.code == 1 and said in ended.err, words
