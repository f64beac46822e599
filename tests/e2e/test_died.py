"""Twelve kinds of fault in real containers: `why` tells the right cause, and when it happened within a second; the timeline tells the same."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from faults import FAULTS, LAST, FaultyStack, wait_until

ROUNDS = int(os.environ.get("DUSTY_FAULT_ROUNDS", "20"))


@pytest.fixture
def stack(rig, tmp_path: Path) -> FaultyStack:
    stack = FaultyStack(tmp_path, rig)
    stack.up()
    return stack


def round_of_faults(stack: FaultyStack) -> dict[str, str]:
    """Bring about each fault once; what is wrong with the cause that is told, by the name of the fault."""
    wrong: dict[str, str] = {}
    spans = {}
    for name in FAULTS:
        if name != LAST:
            spans[name] = stack.bring_about(name)
    for name in spans:
        wait_until(lambda name=name: stack.has_happened(name))
    for name, span in spans.items():
        check(stack, name, span, wrong)
    check(stack, LAST, stack.bring_about(LAST), wrong)
    return wrong


def check(stack: FaultyStack, name: str, span: tuple[float, float], wrong: dict[str, str]) -> None:
    fault = FAULTS[name]
    told = stack.why(fault.container)
    died = told["died"]
    root = died
    while root["before"]:
        root = root["before"][0]
    problems = [
        died["kind"] != fault.kind and f"kind {died['kind']}",
        fault.root and root["kind"] != fault.root and f"root {root['kind']}",
        fault.says not in died["what"] and "words",
        fault.place and died["place"] != fault.place and f"place {died['place']}",
        not is_in_time(name, died["at"], span) and f"time {died['at']} of {span}",
    ]
    if any(problems):
        wrong[name] = f"{[problem for problem in problems if problem]} {json.dumps(told)}"


def is_in_time(name: str, at: str, span: tuple[float, float]) -> bool:
    """Within a second of the fault; of a loop the last end is told, and of an app on a wrong port nobody knows since when."""
    from datetime import datetime

    if name == "wrong port":
        return at == ""
    if not at:
        return False
    moment = datetime.fromisoformat(at).timestamp()
    last = time.time() if name == "restart loop" else span[1]
    return span[0] - 0.1 <= moment <= last + 1


def test_each_kind_of_fault_has_its_cause_and_the_timeline_tells_of_it(stack):
    rig = stack.rig
    journal = rig.home / "host/persist/.dusty/journal.jsonl"
    noted = journal.read_bytes()
    assert b'"what":"run","text":"up: ' in noted and b'"what":"change","name":"web"' in noted
    rig.dusty("up")
    assert journal.read_bytes() == noted, "a run without changes notes nothing"
    with stack.watched() as heard:
        assert round_of_faults(stack) == {}
        wait_until(lambda: "full exited with status 1: a disk is full in it" in heard.read_text())
    deaths = heard.read_text()
    assert "late exited with status 5: it failed on its own" in deaths and "\n    giving up\n" in deaths
    assert "hand exited with status 137: killed by `docker kill`" in deaths and "plain exited" not in deaths
    assert b'"what":"health_status","name":"probe"' in journal.read_bytes()
    shown = rig.dusty("timeline", "--tail", "5").stdout
    for said in (
        "memory             * exited with status 137: out of memory, limit 64 MiB, services/memory.yml:4:12",
        "late               | giving up",
        "hand               * exited with status 137: killed by `docker kill` (SIGKILL)",
        "probe              * is unhealthy",
        "* the Docker engine was started",
        "up by root@",
    ):
        assert said in shown, (said, shown)
    rows = [json.loads(line) for line in rig.dusty("timeline", "--json").stdout.splitlines()]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    holder = "docker run -d --name holder -p 127.0.0.1:8099:80 busybox:1 sleep 1000"
    stack.shell(f"docker stop -t 1 dusty_hand_1; {holder}; docker start dusty_hand_1 || true")
    taken = stack.why("hand")["died"]
    assert (taken["kind"], "port 8099 at 127.0.0.1 is already in use" in taken["what"]) == ("port-taken", True)
    human = rig.dusty("why", "late").stdout
    assert "\n  why: " in human and "\n  its last lines:\n    giving up\n" in human


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_fault_twenty_times(stack):
    wrong = []
    with stack.watched():
        for number in range(ROUNDS):
            wrong += [f"{number}: {name}: {what}" for name, what in round_of_faults(stack).items()]
            stack.take_back()
    print(f"{ROUNDS * len(FAULTS) - len(wrong)} of {ROUNDS * len(FAULTS)} causes were right")
    assert not wrong, "\n".join(wrong)
