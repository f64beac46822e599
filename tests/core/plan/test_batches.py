"""Order of changes: what can go at once goes at once, nothing before what it depends on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.plan.batches import batches, in_order_of_doing, levels, made_instead
from dusty_tasks.core.plan.change import CREATE, HOSTS, RECREATE, RELOAD, RESTART, START, Change, Plan
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer


def container(name: str, kind: str = "app", after: tuple[str, ...] = ()) -> WantedContainer:
    return WantedContainer(name, kind, f"dusty_{name}_1", {"image": "i"}, after=after)


def order(changes: dict[str, str], *containers: WantedContainer) -> list[tuple[str, int | None]]:
    """Each batch as its names, `compose` before those that Compose makes, and the stop time."""
    found = batches([Change(kind, name, "") for name, kind in changes.items()], Wanted(containers=containers))
    return [
        (
            ("compose " if batch.is_made_by_compose else "") + " ".join(change.name for change in batch.changes),
            batch.stop_seconds,
        )
        for batch in found
    ]


def test_a_first_up_is_one_call() -> None:
    assert order({"db": CREATE, "web": CREATE}, container("db", "service"), container("web", after=("db",))) == [
        ("compose db web", None)
    ]


def test_whose_health_is_waited_for_is_made_in_a_call_before() -> None:
    """Compose waits for a health check as long as it takes; up.wait bounds ours."""
    web = container("web", after=("db",))._replace(
        mapping={"depends_on": {"db": {"condition": "service_healthy"}, "log": {"condition": "service_started"}}}
    )
    stack = (
        container("db", "service"),
        container("log", "service"),
        web,
        container("edge", after=("web",)),
        container("other"),
    )
    assert order({each.name: CREATE for each in stack}, *stack) == [
        ("compose db log other", None),
        ("compose web edge", None),
    ]
    assert order({"web": CREATE, "edge": CREATE}, *stack) == [("compose web edge", None)]


def test_independent_restarts_go_at_once() -> None:
    assert order({"a": RESTART, "b": START}, container("a"), container("b")) == [("a b", None)]


def test_a_dependency_is_restarted_before_its_user() -> None:
    assert order({"a": RESTART, "b": RESTART}, container("a"), container("b", after=("a",))) == [
        ("a", None),
        ("b", None),
    ]


def test_a_dependency_counts_through_what_is_left_alone() -> None:
    assert order(
        {"a": RESTART, "c": RESTART}, container("a"), container("b", after=("a",)), container("c", after=("b",))
    ) == [("a", None), ("c", None)]


def test_what_ended_is_started_before_its_user_is_made_and_what_uses_that_is_restarted_after() -> None:
    stack = (container("db", "service"), container("web", after=("db",)), container("edge", after=("web",)))
    assert order({"db": START, "web": CREATE, "edge": RESTART}, *stack) == [
        ("db", None),
        ("compose web", None),
        ("edge", None),
    ]


def test_apps_and_services_are_replaced_in_calls_of_their_own_stop_time() -> None:
    stack = (container("db", "service"), container("web", after=("db",)), container("new", after=("db",)))
    assert order({"db": RECREATE, "web": RECREATE, "new": CREATE}, *stack) == [
        ("compose db new", None),
        ("compose web", 1),
    ]


EDGES = st.lists(st.lists(st.integers(0, 20), max_size=3), min_size=1, max_size=8)
KINDS = st.sampled_from([CREATE, RECREATE, RESTART, START])


@given(EDGES, st.data())
def test_every_change_is_done_once_and_after_what_it_needs(edges: list[list[int]], data: st.DataObject) -> None:
    stack = [
        container(
            f"c{i}", data.draw(st.sampled_from(["app", "service"])), tuple(f"c{j % i}" for j in below) if i else ()
        )
        for i, below in enumerate(edges)
    ]
    changes = [Change(data.draw(KINDS), each.name, "") for each in stack if data.draw(st.booleans())]
    done: list[str] = []
    for batch in batches(changes, Wanted(containers=tuple(stack))):
        together = [change.name for change in batch.changes]
        for name in together:
            needed = set(next(each.after for each in stack if each.name == name)) & {change.name for change in changes}
            assert needed <= {*done, *(together if batch.is_made_by_compose else [])}
        done += together
    assert sorted(done) == sorted(change.name for change in changes)


def test_a_plan_names_changes_in_the_order_in_which_they_are_done() -> None:
    kinds = [(HOSTS, ""), (CREATE, "new"), (RECREATE, "app"), (RESTART, "old"), (RELOAD, "")]
    stack = Wanted(containers=(container("new"), container("app", after=("old",)), container("old")))
    planned = in_order_of_doing(Plan(tuple(Change(kind, name, "") for kind, name in kinds)), stack)
    assert [change.name for change in planned.changes] == ["", "old", "new", "app", ""]


def test_levels_for_a_restart_by_hand() -> None:
    stack = (container("db", "service"), container("web", after=("db",)), container("other"))
    assert [[each.name for each in level] for level in levels(stack, Wanted(containers=stack))] == [
        ["db", "other"],
        ["web"],
    ]


def test_what_the_engine_cannot_start_for_what_it_holds_on_to_is_made_anew_and_nothing_else() -> None:
    stack = Wanted(
        containers=(container("db", "service"), container("web", after=("db",)), container("edge"), container("fine"))
    )
    refusals = {
        "db": "Bind for 172.17.0.1:65001 failed: port is already allocated",
        "web": "Cannot restart container ab: task ab01: already exists",
        "edge": "exec: no such file",
    }
    found = made_instead(
        [
            Change(kind, name, "")
            for name, kind in {"db": START, "web": RESTART, "edge": START, "fine": RESTART}.items()
        ],
        refusals,
        stack,
    )
    assert [(str(change), batch.stop_seconds) for batch in found for change in batch.changes] == [
        (f"recreate db: the engine does not start the existing one ({refusals['db']})", None),
        (f"recreate web: the engine does not start the existing one ({refusals['web']})", 1),
    ]
    assert all(batch.is_made_by_compose for batch in found)
