"""What `dusty status` shows of facts that are there already."""

from __future__ import annotations

from typing import Any

import pytest

from dusty_tasks.core.plan.change import Plan
from dusty_tasks.core.plan.found import Found, Sources
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import http, reads
from dusty_tasks.operations.look import View
from dusty_tasks.verbs import status

FACTS: dict[str, Any] = {
    "problems": "",
    "bundles": ["shop"],
    "docker_host": {"name": "this machine", "answers": False, "state": "off", "trouble": "it is off"},
    "stack": [],
    "repos": [],
}
WEB = {
    "name": "web",
    "type": "app",
    "state": "running (healthy)",
    "since": "Less than a second ago",
    "code": "92c058489c",
    "routes": ["http://web.example.test/", "web.example.test:1717"],
    "image": "busybox:1",
    "ports": ["172.17.0.1:65000:8000"],
    "last": "created: it has no container yet",
    "pending": "start: it was stopped by hand",
}
PROXY = {"name": "dustyInternalNginx", "type": "proxy", "state": "absent", "routes": [], "pending": ""}


def test_the_table_fits_80_columns() -> None:
    lines = status.stack_table([WEB, PROXY]).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2:-1] == [
        "    http://web.example.test/ web.example.test:1717",
        "    busybox:1, 172.17.0.1:65000:8000",
        "    last: created: it has no container yet",
        "    pending: start: it was stopped by hand",
    ]
    assert lines[-1].split() == ["dustyInternalNginx", "proxy", "absent"]


@pytest.mark.parametrize(("stack", "tells"), [([], False), ([PROXY], True)])
def test_an_earlier_compile_is_told_of_only_where_there_was_one(
    stack: list[dict[str, Any]], tells: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    status.show({**FACTS, "problems": "no specs repo is configured", "stack": stack})
    said = capsys.readouterr().err
    assert "no specs repo is configured" in said and ("this is what was compiled last" in said) == tells


def test_an_engine_that_did_not_answer_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "read_info", lambda _engine: pytest.fail("it may take its minute once more"))
    view = View(Wanted(containers=()), Sources(), Found(), Plan(), "it took too long to answer")
    assert status.host_facts(http.Engine(DockerHost(Settings(home="/h"))), view) == {
        "name": "this machine",
        "answers": False,
        "state": "unknown",
        "trouble": "it took too long to answer",
    }


def test_watching_goes_on_while_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = iter([FACTS, Failure("config.yml:1:1: broken"), FACTS, KeyboardInterrupt()])

    def read(_verbose: bool) -> dict[str, Any]:
        if isinstance(found := next(seen), BaseException):
            raise found
        return found

    monkeypatch.setattr(status, "read_facts", read)
    monkeypatch.setattr(status.time, "sleep", lambda _seconds: None)
    with pytest.raises(KeyboardInterrupt):
        status.run([], watch=True)
    captured = capsys.readouterr()
    assert captured.out.count("shop") == 2 and captured.err.count("config.yml:1:1: broken\n") == 1
    seen = iter([Failure("config.yml:1:1: broken")])
    with pytest.raises(Failure):
        status.run([], watch=True)
