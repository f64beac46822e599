"""Own or shared: a table of cases, and what holds for every graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.worlds.decision import OWN, SHARED, Cause, Choices, Decision, Part, decide

EDITED = Cause("repo shop comes from ~/wt/fix-ui (base: ~/src/shop)")


def app(name: str, *calls: str, **fields: Any) -> Part:
    return Part(name, calls=dict.fromkeys(calls, f"apps/{name}.yml:7:9"))._replace(**fields)


def service(name: str, *calls: str, **fields: Any) -> Part:
    return app(name, *calls, is_app=False, **fields)


def lines(*parts: Part, **choices: frozenset[str]) -> list[str]:
    return list(map(str, decide(parts, Choices(**choices)).parts))


def test_what_differs_and_what_depends_on_it_are_own_and_the_rest_is_shared() -> None:
    assert lines(
        app("web", "redis", difference=EDITED), app("gateway", "web"), app("edge", "gateway"), service("redis")
    ) == [
        "own edge: it depends on gateway, apps/edge.yml:7:9",
        "own gateway: it depends on web, apps/gateway.yml:7:9",
        "shared redis: as in the base",
        "own web: repo shop comes from ~/wt/fix-ui (base: ~/src/shop)",
    ]


def test_data_of_an_own_app_is_own_and_so_is_who_else_uses_it() -> None:
    assert lines(
        app("web", "db", difference=EDITED), app("report", "db"), service("db", keeps_state=True), app("other")
    ) == [
        "own db: it keeps data, and web is own, apps/web.yml:7:9",
        "shared other: as in the base",
        "own report: it depends on db, apps/report.yml:7:9",
        "own web: repo shop comes from ~/wt/fix-ui (base: ~/src/shop)",
    ]


@pytest.mark.parametrize("how", ["--share", "spec"])
def test_data_is_shared_where_that_is_asked_for_with_a_warning(how: str) -> None:
    db = service(
        "db", keeps_state=True, **({"wish": SHARED, "wish_place": "services/db.yml:2:1"} if how == "spec" else {})
    )
    found = decide(
        [app("web", "db", difference=EDITED), db],
        Choices(shared=frozenset({"db"} if how == "--share" else ())),
    )
    assert found.own == {"web"} and found.conflicts == ()
    assert found.warnings == ("db is shared and keeps data: what web changes there, the base sees",)


def test_a_spec_and_the_user_can_ask_for_own_parts() -> None:
    assert lines(
        app("worker", wish=OWN, wish_place="apps/worker.yml:3:8"), app("mail"), app("cron"), own=frozenset({"mail"})
    ) == ["shared cron: as in the base", "own mail: --own mail", "own worker: its spec says so, apps/worker.yml:3:8"]


def test_sharing_what_has_to_be_own_is_refused_with_both_places() -> None:
    differing = Cause("image a -> b", "apps/web.yml:1:8")
    found = decide([app("web", difference=differing, wish=SHARED, wish_place="apps/web.yml:2:8"), app("gate", "web")])
    assert list(map(str, found.conflicts)) == [
        "web cannot be shared, as its spec, apps/web.yml:2:8 says: image a -> b, apps/web.yml:1:8"
    ]
    found = decide([app("web", difference=differing), app("gate", "web")], Choices(shared=frozenset({"gate"})))
    assert list(map(str, found.conflicts)) == [
        "gate cannot be shared, as --share gate says: it depends on web, apps/gate.yml:7:9"
    ]


def test_a_container_is_in_the_network_of_one_other() -> None:
    assert decide([app("tunnel", "vpn", joins=("vpn",), wish=OWN), service("vpn")]).own == {"tunnel", "vpn"}


def test_what_was_own_stays_own_until_it_is_shared() -> None:
    assert lines(app("web"), before=frozenset({"web"})) == ["own web: it was own so far"]
    assert lines(app("web"), before=frozenset({"web"}), shared=frozenset({"web"})) == ["shared web: as in the base"]


names = st.sampled_from("abcdefgh")
sets = st.frozensets(names, max_size=3)


@st.composite
def graphs(draw: st.DrawFn) -> list[Part]:
    """Up to eight parts that call one another, in circles too."""
    parts = []
    for name in draw(st.lists(names, unique=True)):
        calls = {callee: "" for callee in draw(sets) if callee != name}
        parts.append(
            Part(
                name,
                draw(st.booleans()),
                calls,
                tuple(callee for callee in sorted(calls) if draw(st.integers(0, 5)) == 0),
                draw(st.booleans()),
                EDITED if draw(st.integers(0, 4)) == 0 else None,
                draw(st.sampled_from(["", "", "", OWN, SHARED])),
            )
        )
    return parts


choices = st.builds(Choices, sets, sets, sets)


def reached(parts: Mapping[str, Part], start: str) -> set[str]:
    """All that a part calls, at any distance."""
    seen, waiting = set[str](), [start]
    while waiting:
        for callee in parts[waiting.pop()].calls:
            if callee in parts and callee not in seen:
                seen.add(callee)
                waiting.append(callee)
    return seen


@given(graphs(), choices)
def test_no_path_of_calls_leads_through_a_shared_part_to_one_that_differs(parts: list[Part], chosen: Choices) -> None:
    by_name, found = {part.name: part for part in parts}, decide(parts, chosen)
    for part in parts:
        if part.difference:
            assert part.name in found.own
        if part.name in found.shared:
            assert not reached(by_name, part.name) & found.own, "the base's container calls the base's copy"


@given(graphs(), choices)
def test_nothing_is_own_without_a_cause_that_holds(parts: list[Part], chosen: Choices) -> None:
    """Taking away the causes one by one leaves nothing own: each is one of the rules, and no two rest on each other."""
    by_name, found = {part.name: part for part in parts}, decide(parts, chosen)
    justified = {
        name
        for name, part in by_name.items()
        if part.difference or part.wish == OWN or name in chosen.own or name in chosen.before - chosen.shared
    }
    while more := {
        name
        for name, part in by_name.items()
        if name not in justified
        and (
            part.calls.keys() & justified
            or any(
                name in by_name[user].joins or (by_name[user].is_app and part.keeps_state)
                for user in justified
                if name in by_name[user].calls
            )
        )
    }:
        justified |= more
    assert found.own <= justified
    assert all(part.cause.what for part in found.parts)


@given(graphs(), choices, st.randoms(use_true_random=False))
def test_the_order_of_parts_changes_nothing(parts: list[Part], chosen: Choices, random: st.DataObject) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(shuffled, chosen) == decide(parts, chosen)


@given(graphs(), choices)
def test_a_part_is_shared_against_its_need_only_as_a_refusal(parts: list[Part], chosen: Choices) -> None:
    found: Decision = decide(parts, chosen)
    refused = {conflict.name for conflict in found.conflicts}
    asked = {part.name for part in parts if part.wish == SHARED or part.name in chosen.shared}
    assert refused == found.own & asked
