"""`dusty why`: what last happened to a container, what it was caused by, and why it ended or does not work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.plan.container_state import UNKNOWN, State
from dusty_tasks.core.plan.started import WHY_KEYS, StartedRecord
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.names import compiled_names, not_in_the_stack
from dusty_tasks.verbs.shared.running import spec_name
from dusty_tasks.verbs.shared.words import exactly, say_json

if TYPE_CHECKING:
    from dusty_tasks.core.history.cause import Cause
    from dusty_tasks.core.history.timeline import Item
    from dusty_tasks.operations.history.explain import History


def run(words: list[str], json: bool = False, last: int | None = None) -> int | None:
    """What was done last, what the container does now, and why; 2 if that cannot be told. Raises Failure for a name nobody knows."""
    (name,) = exactly("why", "", words, "the name of an app or service")
    engine = Engine(session.docker_host())
    started = read_started(engine.host)
    records = {spec_name(container_name): record for container_name, record in started.items()}
    name = name if name in records else spec_name(name)
    if name not in records and name not in compiled_names():
        raise not_in_the_stack(name, {*records, *compiled_names()})
    record = records.get(name)
    from dusty_tasks.operations.history.explain import read_history

    try:
        history = read_history(engine, [name], started)
    except EngineDown:
        state = State(UNKNOWN, "cannot be inspected: the Docker engine does not answer")
        if json:
            say_json(done_and_now(name, record, state))
        else:
            say(f"{sentence(name, record)}\n{name} {state.what}")
        return 2
    if last is not None and last < 1:
        raise Failure("-n must be at least 1")
    before = happened(name, history)[-last:] if last else []
    if json:
        events = [{"at": iso(history, item.at), "what": item.what, "text": item.text} for item in before]
        more = {"history": events} if last else {}
        say_json({**done_and_now(name, record, history.stack.cases[name].state), **explained(name, history), **more})
    elif last:
        say(
            "\n".join(f"{day_text(history, item.at)}  {item.text}" for item in before)
            or f"nothing is recorded for {name}"
        )
    else:
        say("\n".join([sentence(name, record), *told(name, history)]))
    return 0


def done_and_now(name: str, record: StartedRecord | None, state: State) -> dict[str, Any]:
    """What was done last, and what the container does now, for machines."""
    return {
        "name": name,
        "now": state.what,
        "condition": state.name,
        **({key: record.get(key, "") for key in WHY_KEYS} if record else {}),
    }


def sentence(name: str, record: StartedRecord | None) -> str:
    """`recreated web at …: image busybox:1 -> busybox:2, apps/web.yml:3:8`."""
    if not record or not record.get("what"):
        return f"nothing is recorded for {name}: no up has started it"
    place = f", {record['place']}" if record.get("place") else ""
    stopped = f"; stopped by `{DUSTY} stop` since" if record.get("stopped") else ""
    return f"{record['what']} {name} at {record.get('time', '?')}: {record.get('cause', '?')}{place}{stopped}"


def told(name: str, history: History) -> list[str]:
    """What it does now, and where that is not what it should do: why, since when, and what was printed."""
    from dusty_tasks.core.history.cause import CauseKind, ended
    from dusty_tasks.core.history.causes import cause_of, last_end

    case = history.stack.cases[name]
    cause, before = cause_of(name, history.stack), last_end(name, history.stack)
    lines = [f"{name} {case.state.what}"]
    if cause.kind != CauseKind.NONE:
        sure = {"likely": " (likely)", "unknown": " (not known for sure)"}.get(cause.confidence, "")
        text = cause.text if cause.kind != CauseKind.UNKNOWN else f"unknown: {cause.text}"
        lines.append(f"  why: {text}{sure if cause.kind != CauseKind.UNKNOWN else ''}")
        if cause.at:
            lines.append(f"  when: {clock_text(history, cause.at)}")
    if before and case.seen:
        again = f"the engine started it again ({case.seen.policy_text})"
        lines.append(f"  before: it {ended(before)}; {again}, at {clock_text(history, before.at)}")
    if cause.kind in (CauseKind.NONE, CauseKind.FINISHED):
        return lines
    return [*lines, *block("its health check printed", probe_output(case)), *block("its last lines", case.printed)]


def probe_output(case: Any) -> str:
    """What a failing health check printed."""
    probe = case.seen.probe if case.seen else None
    return probe.printed if probe and probe.status else ""


def block(title: str, printed: str) -> list[str]:
    """Lines that a program printed, below their title."""
    return [f"  {title}:", *(f"    {line}" for line in printed.splitlines())] if printed else []


def happened(name: str, history: History) -> list[Item]:
    """What is known to have happened to a container, oldest first."""
    from dusty_tasks.core.history.timeline import Teller
    from dusty_tasks.operations.history.timeline import known_of

    teller = Teller(known_of(history))
    told = (teller.tell(event) for event in sorted(history.events, key=lambda event: event.at))
    return [item for item in told if item and item.name == name]


def day_text(history: History, at: float) -> str:
    """A moment of the engine's clock, by that of this machine: `2026-11-21 10:02:03`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(history.clock.here(at)))


def clock_text(history: History, at: float) -> str:
    """A moment of the engine's clock, by that of this machine: `2026-11-21 10:02:03.4, 12 s ago`."""
    from dusty_tasks.core.history.cause import seconds_text

    here = history.clock.here(at)
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(here))
    return f"{day}.{int(here * 10) % 10}, {seconds_text(max(history.clock.now - at, 0))} ago"


def explained(name: str, history: History) -> dict[str, Any]:
    """The same for machines."""
    from dusty_tasks.core.history.blame import line_to_look_at
    from dusty_tasks.core.history.cause import to_json
    from dusty_tasks.core.history.causes import cause_of, last_end

    case = history.stack.cases[name]

    def in_json(cause: Cause) -> dict[str, Any]:
        found = to_json(cause)
        return {**found, "at": iso(history, cause.at)}

    cause, before = cause_of(name, history.stack), last_end(name, history.stack)
    return {
        "look_at": line_to_look_at(name, cause, history.stack),
        "died": in_json(cause),
        "before": in_json(before) if before else None,
        "restarts": case.seen.restarts if case.seen else 0,
        "probe": probe_output(case),
        "printed": case.printed.splitlines(),
    }


def iso(history: History, at: float) -> str:
    """`2026-11-21T10:02:03.456+01:00` by this machine's clock; '' for no moment."""
    if not at:
        return ""
    from datetime import datetime

    return datetime.fromtimestamp(history.clock.here(at)).astimezone().isoformat(timespec="milliseconds")
