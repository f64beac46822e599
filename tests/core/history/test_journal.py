"""The journal's lines, and what a run notes: every event survives, torn lines cost themselves alone, sizes are bounded."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.history.events import ENGINE_EVENTS, OWN_EVENTS, Event
from dusty_tasks.core.history.journal import LONGEST_LINE, events_in, line_of, worth_keeping
from dusty_tasks.core.history.notes import Done, notes_of
from dusty_tasks.core.plan.change import CREATE, NGINX, RECREATE, SYNC, Change

EVENTS = st.builds(
    Event,
    st.floats(0, 9e9).map(lambda at: round(at, 6)),
    st.sampled_from((*ENGINE_EVENTS, *OWN_EVENTS)),
    st.text(max_size=20),
    st.text("0123456789abcdef", max_size=12),
    st.none() | st.integers(-1, 255),
    st.integers(0, 64),
    st.text(max_size=600),
    st.text(max_size=40),
    st.text(max_size=20),
)


@given(st.lists(EVENTS, max_size=8))
def test_what_was_written_is_read_again(events):
    written = b"".join(map(line_of, events))
    read = events_in(written)
    assert len(read) == len(events)
    short = [event for event in events if len(line_of(event)) < LONGEST_LINE - 700]
    assert set(short) <= set(read)


@given(EVENTS, st.sampled_from((0, 500, 5000)))
def test_no_line_is_longer_than_one_write_takes(event, more):
    line = line_of(event._replace(text=event.text + "\U0001f642" * more, place="p" * more))
    assert len(line) <= LONGEST_LINE and line.startswith(b"\n") and line.endswith(b"\n") and line.count(b"\n") == 2
    assert events_in(line)[0][:2] == event[:2]


@given(st.lists(EVENTS, min_size=1, max_size=6), st.data())
def test_a_torn_line_costs_itself_alone(events, data):
    lines = [line_of(event) for event in events]
    torn = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[torn]) - 2))
    written = b"".join(line[:cut] if i == torn else line for i, line in enumerate(lines))
    others = [event for i, event in enumerate(events) if i != torn]
    assert {e.key for e in events_in(b"".join(line_of(e) for e in others))} <= {e.key for e in events_in(written)}
    assert len(events_in(written)) <= len(events)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_may_stand_in_the_file(data):
    line = line_of(Event(1.0, "die", "web", status=0))
    assert events_in(data + line)[-1:] or events_in(data + line) == []
    assert Event(1.0, "die", "web", status=0) in events_in(data + line)


def test_values_of_other_types_are_no_event():
    wrong = (
        {"at": "1", "what": "die"},
        {"at": True, "what": "die"},
        {"at": 1e30, "what": "die"},
        {"at": 1, "what": "exec_start"},
        {"at": 1, "what": "die", "status": "1"},
        {"at": 1, "what": "die", "text": 3},
        {"at": 1, "what": ["die"]},
        {"what": "die"},
        [],
        None,
    )
    assert events_in(b"\n".join(json.dumps(value).encode() for value in wrong)) == []
    later = {"at": 1, "what": "die", "name": "web", "of a later version": [1]}
    assert events_in(json.dumps(later).encode()) == [Event(1, "die", "web")]


@given(st.lists(EVENTS, max_size=8), st.lists(EVENTS, max_size=8))
def test_what_the_journal_holds_is_not_written_again(told, kept):
    news = worth_keeping(told, [*kept, *told[:2]])
    assert not {event.key for event in news} & {event.key for event in [*kept, *told[:2]]}
    assert {event.key for event in [*news, *kept, *told[:2]]} >= {event.key for event in told}


def test_a_run_notes_who_did_what_and_when():
    changes = [
        (Change(SYNC, "repo/web", "2 files changed"), 101.0),
        (Change(NGINX, "", "server web.test is new"), 102.0),
        (Change(RECREATE, "web", "image a -> b", "apps/web.yml:3:8"), 109.0),
        (Change(CREATE, "db", "it has no container yet"), 109.0),
    ]
    remembered = [
        Event(50.0, "start", "web"),
        Event(103.0, "start", "web"),
        Event(104.0, "stop", "web"),
        Event(105.0, "create", "web"),
        Event(106.0, "start", "web"),
        Event(108.0, "start", "web"),
    ]
    done = Done("up", "ann@laptop", 100.0, 110.0, changes, {"db": "is unhealthy"}, ["db is unhealthy\n    more"])
    assert [(round(e.at, 3), e.what, e.name, e.text, e.place, e.by) for e in notes_of(done, remembered)] == [
        (101.0, "sync", "repo/web", "synced: 2 files changed", "", "ann@laptop"),
        (106.0, "change", "web", "recreated: image a -> b", "apps/web.yml:3:8", "ann@laptop"),
        (109.0, "change", "db", "created: it has no container yet", "", "ann@laptop"),
        (110.0, "trouble", "db", "is unhealthy", "", "ann@laptop"),
        (110.0, "run", "", "up: 4 changes; db is unhealthy", "", "ann@laptop"),
    ]
