"""The state of a container: a table of what was found, and the word and sentence for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.plan import container_state
from dusty_tasks.core.plan.container_state import (
    ABSENT,
    CREATED,
    EXITED,
    FAILED,
    FINISHED,
    LOOPS,
    NOT_ANSWERING,
    OFF,
    PAUSED,
    RUNNING,
    STARTING,
    STOPPED,
    UNHEALTHY,
    UNKNOWN,
    State,
    advice,
    has_healthcheck,
    may_loop,
    seconds_up,
    state_of,
    states,
    unseen_states,
)
from dusty_tasks.core.plan.found import Found, FoundContainer
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text import namespace

JOB = WantedContainer("web", "app", "dusty_web_1", {})
ROUTED = JOB._replace(http_urls=("http://web.test/",), route_ports=(80,))
CHECKED = JOB._replace(kind="service", mapping={"healthcheck": {"test": ["CMD", "true"]}})
PROXY = JOB._replace(kind="proxy")
NEW = {"ready": False}


def found(state: str = "running", **fields: Any) -> FoundContainer:
    return FoundContainer(**{"name": "web", "container_name": "dusty_web_1", "id": "1", "state": state, **fields})


def ended(status: int | None, state: str = "exited") -> FoundContainer:
    return found(state, exit_status=status)


@pytest.mark.parametrize(
    ("wanted", "container", "record", "known", "name", "text", "what"),
    [
        (JOB, None, {}, {}, ABSENT, "absent", "has no container"),
        (JOB, None, {"trouble": "could not be started: x"}, {}, FAILED, "failed (absent)", "could not be started: x"),
        (
            JOB,
            found("created"),
            {"trouble": "could not be started: x"},
            {},
            FAILED,
            "failed (created)",
            "could not be started: x",
        ),
        (JOB, found("created"), {}, {}, CREATED, "created", "was created and never started"),
        (JOB, found("paused"), {}, {}, PAUSED, "paused", "is paused"),
        (JOB, ended(0), {}, {"is_finished": True}, FINISHED, "finished (exited 0)", "has finished"),
        (JOB, ended(0), {}, {}, FAILED, "failed (exited 0)", "exited with status 0"),
        (JOB, ended(0), {"stopped": True}, {}, STOPPED, "stopped", "was stopped by hand"),
        (JOB, ended(137), {"stopped": True}, {}, STOPPED, "stopped", "was stopped by hand"),
        (
            ROUTED,
            ended(0),
            {},
            {"is_finished": True},
            FAILED,
            "failed (exited 0)",
            "exited with status 0, and a route points to it",
        ),
        (
            CHECKED,
            ended(0),
            {},
            {"is_finished": True},
            FAILED,
            "failed (exited 0)",
            "exited with status 0, and it has a health check",
        ),
        (PROXY, ended(0), {}, {"is_finished": True}, FAILED, "failed (exited 0)", "exited with status 0"),
        (ROUTED, ended(5), {}, {}, FAILED, "failed (exited 5)", "exited with status 5"),
        (ROUTED, ended(137), {}, {}, FAILED, "exited 137", "exited with status 137"),
        (JOB, ended(None, "dead"), {}, {}, FAILED, "failed (dead)", "is dead"),
        (JOB, found("restarting"), {}, {}, FAILED, "failed (restarting)", LOOPS),
        (JOB, found(since="1 second"), {}, {"is_looping": True}, FAILED, "failed (restarting)", LOOPS),
        (JOB, found(), {}, {}, RUNNING, "running", "is running"),
        (JOB, found(health="healthy"), {}, {}, RUNNING, "running (healthy)", "is running"),
        (
            JOB,
            found(health="starting"),
            {},
            {},
            STARTING,
            "starting",
            "is starting: its health check has not passed yet",
        ),
        (JOB, found(health="unhealthy"), {}, {}, UNHEALTHY, "unhealthy", "is unhealthy"),
        (JOB, found(health="unhealthy"), {"trouble": "is unhealthy: x"}, {}, UNHEALTHY, "unhealthy", "is unhealthy: x"),
        (JOB, found(since="1 second"), NEW, {}, STARTING, "starting", "was started just now"),
        (JOB, found(since="2 seconds"), NEW, {}, RUNNING, "running", "is running"),
        (ROUTED, found(), NEW, {"answers": True}, RUNNING, "running", "is running"),
        (ROUTED, found(since="2 hours"), NEW, {"answers": False}, NOT_ANSWERING, "not answering", "does not answer"),
        (
            ROUTED,
            found(),
            {**NEW, "trouble": "does not answer: x"},
            {"answers": False},
            NOT_ANSWERING,
            "not answering",
            "does not answer: x",
        ),
        (ROUTED, found(), {}, {"answers": False}, RUNNING, "running", "is running"),
        (JOB, found(since="9 seconds"), {**NEW, "trouble": LOOPS}, {}, FAILED, "failed (restarting)", LOOPS),
        (JOB, found(since="10 seconds"), {**NEW, "trouble": LOOPS}, {}, RUNNING, "running", "is running"),
        (None, ended(3), {}, {}, EXITED, "exited 3", "exited with status 3"),
        (None, found(), NEW, {}, RUNNING, "running", "is running"),
    ],
)
def test_the_state_of_a_container(
    wanted: WantedContainer | None,
    container: FoundContainer | None,
    record: dict[str, Any],
    known: dict[str, Any],
    name: str,
    text: str,
    what: str,
) -> None:
    state = state_of(wanted, container, record, **known)
    assert (state.name, state.text, state.what) == (name, text, what)
    assert state.is_trouble == (name in (FAILED, UNHEALTHY, NOT_ANSWERING))


@pytest.mark.parametrize(
    ("restart", "container", "expected"),
    [
        ("always", found(since="3 seconds"), True),
        ("on-failure:3", found(since="9 seconds"), True),
        ("always", found(since="10 seconds"), False),
        ("no", found(since="3 seconds"), False),
        (None, found(since="3 seconds"), False),
        ("always", found("restarting"), False),
    ],
)
def test_the_count_of_restarts_is_asked_only_of_those_that_may_loop(
    restart: str | None, container: FoundContainer, expected: bool
) -> None:
    assert may_loop(JOB._replace(mapping={"restart": restart}), container) is expected


@pytest.mark.parametrize(("is_off", "name"), [(True, OFF), (False, UNKNOWN)])
def test_where_nobody_could_look_no_container_is_called_absent(is_off: bool, name: str) -> None:
    assert {state.name for state in unseen_states(Wanted(containers=(JOB, PROXY)), is_off=is_off).values()} == {name}


NAMES = [
    value
    for key, value in vars(container_state).items()
    if key.isupper() and key[0] != "_" and isinstance(value, str) and key not in ("LOOPS", "PROXY")
]


@given(
    st.sampled_from(
        ["running", "exited", "created", "restarting", "paused", "dead", "removing", "whatever comes next"]
    ),
    st.none() | st.integers(-1, 255),
    st.sampled_from(["", "healthy", "unhealthy", "starting"]),
    st.sampled_from(["", "3 seconds", "About an hour", "x"]),
    st.sampled_from([None, JOB, ROUTED, CHECKED, PROXY]),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.dictionaries(st.sampled_from(["ready", "trouble", "stopped", "finished"]), st.booleans() | st.none()),
)
def test_whatever_was_found_has_one_of_the_names_and_a_sentence(
    state: str,
    status: int | None,
    health: str,
    since: str,
    wanted: WantedContainer | None,
    is_finished: bool,
    answers: bool | None,
    record: dict[str, Any],
) -> None:
    told = state_of(
        wanted,
        found(state, exit_status=status, health=health, since=since),
        record,
        is_finished=is_finished,
        answers=answers,
    )
    assert told.name in NAMES and told.what and told.text
    assert told.name != FINISHED or (
        status == 0 and not (wanted and (wanted.route_ports or wanted in (CHECKED, PROXY)))
    )


@pytest.mark.parametrize(
    ("since", "seconds"),
    [("", 0), ("Less than a second", 0), ("1 second", 1), ("59 seconds", 59), ("About a minute", 60), ("3 days", 60)],
)
def test_how_long_it_has_run_at_least(since: str, seconds: int) -> None:
    assert seconds_up(found(since=since)) == seconds


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (None, False),
        ({}, False),
        ({"test": "x"}, True),
        ({"test": ["NONE"]}, False),
        ({"test": "NONE"}, False),
        ({"test": "x", "disable": True}, False),
    ],
)
def test_what_counts_as_a_health_check(check: Any, expected: bool) -> None:
    assert has_healthcheck({"healthcheck": check}) is expected


def test_the_advice_agrees_with_what_up_does() -> None:
    assert "dusty up leaves it alone; dusty restart web runs it again" in advice(State(FINISHED), "web")
    assert advice(State(STOPPED), "web") == "dusty up starts it"
    assert "dusty up starts it again" in advice(State(FAILED), "web")
    assert [advice(State(name), "web") for name in NAMES if name not in (RUNNING, STARTING)].count("") == 0


@pytest.mark.parametrize(
    ("proxy", "trouble", "what"),
    [
        (found(), "", "does not answer"),
        (ended(0), "", "does not answer: the proxy does not run"),
        (None, "", "does not answer: the proxy does not run"),
        (None, "does not answer: nothing listens on 80", "does not answer: nothing listens on 80"),
    ],
)
def test_an_app_that_nobody_can_reach_says_that_the_proxy_does_not_run(
    proxy: FoundContainer | None, trouble: str, what: str
) -> None:
    containers = {"web": found(since="2 hours"), **({namespace.PROXY: proxy} if proxy else {})}
    seen = states(
        Wanted(containers=(ROUTED, PROXY._replace(name=namespace.PROXY))),
        Found(containers=containers, started={"dusty_web_1": {**NEW, "trouble": trouble}}, answers={"web": False}),
    )
    assert seen["web"] == State(NOT_ANSWERING, what)
