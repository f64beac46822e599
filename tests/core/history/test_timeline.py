"""Events as lines of a timeline, in one order of time with what containers printed."""

import random

from history_cases import IDS, T, happened
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.history.cause import Cause, CauseKind
from dusty_tasks.core.history.events import (
    CHANGE,
    DESTROY,
    DIE,
    HEALTH,
    KILL,
    NOTE,
    OOM,
    RUN,
    START,
    STOP,
    SYNC,
    TROUBLE,
    Event,
)
from dusty_tasks.core.history.timeline import Item, Known, Reordered, is_of, merged, told

KNOWN = Known(
    needs={"web": ("redis",)},
    serves={"web": "a route points to it"},
    memory={"redis": (64 << 20, "services/redis.yml:3:12")},
    repos={"github.com/team/web": "web"},
)


def lines(*events, known=KNOWN):
    return [f"{item.at - T:.1f} {item.name or '-'} {item.text}" for item in told(events, known)]


def test_a_day_of_a_stack():
    assert lines(
        Event(T + 1, SYNC, "github.com/team/web", text="synced: 3 files changed", by="ann@laptop"),
        happened(START, 2),
        happened(CHANGE, 2.00001, text="recreated: image a -> b", place="apps/web.yml:3:8", by="ann@laptop"),
        happened(START, 2.1, "redis"),
        happened(HEALTH, 3, text="healthy"),
        Event(T + 4, RUN, text="up: 2 changes", by="ann@laptop"),
        happened(OOM, 59.5, "redis"),
        happened(DIE, 59.6, "redis", status=137),
        happened(DIE, 60, status=1),
        happened(START, 61, "redis"),
        happened(TROUBLE, 62, text="does not answer"),
        happened(DESTROY, 63),
        Event(T + 64, NOTE, text="watching 3 repos", by="ann@laptop"),
    ) == [
        "1.0 - synced web: 3 files changed, by ann@laptop",
        "2.0 web recreated: image a -> b, apps/web.yml:3:8, by ann@laptop",
        "2.1 redis started",
        "3.0 web is healthy",
        "4.0 - up by ann@laptop: 2 changes",
        "59.5 redis ran out of memory: a process was killed",
        "59.6 redis exited with status 137: out of memory, limit 64 MiB, services/redis.yml:3:12",
        "60.0 web exited with status 1: redis exited 0.4 s before, with status 137: out of memory, limit 64 MiB, services/redis.yml:3:12 (likely)",
        "61.0 redis started",
        "62.0 web does not answer",
        "63.0 web removed",
        "64.0 - watching 3 repos",
    ]


def test_kills_and_stops_are_told_by_the_end_that_follows():
    assert lines(
        happened(START, 0),
        happened(KILL, 9, signal=1),
        happened(KILL, 10, signal=15),
        happened(DIE, 11, status=143),
        happened(STOP, 11.1),
        happened(START, 12),
        happened(KILL, 20, signal=15),
        happened(KILL, 30, signal=9),
        happened(DIE, 30.1, status=137),
        happened(STOP, 30.2),
        happened(START, 31),
        happened(KILL, 40, signal=9),
        happened(DIE, 40, status=137),
    ) == [
        "0.0 web started",
        "9.0 web got SIGHUP",
        "11.0 web exited with status 143: stopped by `docker stop`, or another program through the engine",
        "12.0 web started",
        "30.1 web exited with status 137: stopped by `docker stop`, or another program through the engine; it did not exit within 10 s of SIGTERM, so it was killed",
        "31.0 web started",
        "40.0 web exited with status 137: killed by `docker kill` (SIGKILL), or by another program through the engine",
    ]


def test_what_inspection_told_of_the_last_end_is_believed():
    cause = Cause(CauseKind.DISK_FULL, "a disk is full in it: ENOSPC", at=T + 60, status=1)
    known = KNOWN._replace(ends={IDS["web"][:12]: (T + 60, cause)})
    assert lines(happened(DIE, 60.2, status=1), known=known) == [
        "60.2 web exited with status 1: a disk is full in it: ENOSPC"
    ]
    assert "failed" in lines(happened(DIE, 30, status=1), known=known)[0]


def test_names_choose_theirs_and_what_concerns_all():
    items = [Item(1, "web", DIE), Item(2, "db", DIE), Item(3, "", RUN)]
    assert [item.name for item in items if is_of(item, ["web"])] == ["web", ""]


WHATS = (START, DIE, KILL, STOP, OOM, HEALTH, DESTROY, CHANGE, TROUBLE)
EVENTS = st.lists(
    st.builds(
        happened,
        st.sampled_from(WHATS),
        st.integers(0, 100),
        st.sampled_from(("web", "redis")),
        status=st.none() | st.integers(0, 255),
        signal=st.integers(0, 31),
        text=st.sampled_from(("", "x", "healthy")),
    ),
    max_size=30,
).map(lambda events: sorted(events, key=lambda event: event.at))


@given(EVENTS, st.lists(st.integers(0, 100)).map(sorted))
def test_all_is_in_the_order_of_time_and_no_end_is_lost(events, times):
    items = list(told(events, KNOWN))
    shown = list(merged((Item(T + at, "web", "line") for at in times), items))
    assert [item.at for item in shown] == sorted(item.at for item in shown)
    assert len(shown) == len(items) + len(times)
    assert [e.at for e in events if e.what == DIE] == [item.at for item in items if item.what == DIE]
    assert all(item.text for item in items)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=60))
def test_what_comes_late_within_the_patience_is_still_in_order(happenings):
    """Each happens at a time and comes up to 3 later, which is the patience."""
    arrivals = sorted((at + late, at) for at, late in happenings)
    kept, shown = Reordered(3.5), []
    for now, at in arrivals:
        kept.add(Item(at, "", "x"), now)
        shown += [item.at for item in kept.due(now)]
    shown += [item.at for item in kept.rest()]
    assert shown == sorted(at for at, _ in happenings)


def test_no_more_is_kept_than_was_allowed():
    kept, given_back = Reordered(1e9, most=10), 0
    for at in random.Random(1).sample(range(1000), 500):
        kept.add(Item(at, "", "x"), 0)
        given_back += len(list(kept.due(0)))
    assert given_back == 490 and len(list(kept.rest())) == 10
