"""Which port each route gets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.model import Service
from dusty_tasks.core.stack.json_form import ports_from_json, ports_to_json
from dusty_tasks.core.stack.model import Route, Stack
from dusty_tasks.core.stack.ports import (
    FIRST_PORT,
    LAST_PORT,
    LIMIT,
    PortMemory,
    TooManyRoutes,
    assign_ports,
    key_of,
    set_aside,
)


def route(number: int, host_port: int = 80) -> Route:
    return Route(f"app{number:04}", 0, f"app{number}.test", host_port, 5000, "http")


def stack(*numbers: int, published: tuple[str, ...] = ()) -> Stack:
    services = {"s": Service("s", "services/s.yml", {"ports": list(published)})} if published else {}
    return Stack(routes=tuple(route(number) for number in numbers), services=services)


def ports(stack: Stack, memory: PortMemory | None = None) -> list[int]:
    return [found.port for found in assign_ports(stack, memory or {})[0]]


def test_ports_are_given_out_in_order_from_65000_up() -> None:
    assert ports(stack(1, 2, 3)) == [65000, 65001, 65002]


def test_a_route_keeps_its_port_while_others_come_and_go() -> None:
    _, memory = assign_ports(stack(1, 2, 3), {})
    assert ports(stack(0, 2), memory) == [65003, 65001]
    _, memory = assign_ports(stack(2), memory)
    assert ports(stack(1, 2, 3), memory) == [65000, 65001, 65002]


def test_published_ports_and_ranges_are_skipped() -> None:
    assert ports(stack(1, 2, published=("65000-65002:1-3", "127.0.0.1:65004:9"))) == [65003, 65005]


def test_a_remembered_port_that_a_spec_now_publishes_is_given_up() -> None:
    assert ports(stack(1, published=("65000:1",)), {key_of(route(1)): 65000}) == [65001]


def test_memory_of_others_is_given_up_only_when_the_last_port_is_reached() -> None:
    full = {key_of(route(number)): FIRST_PORT + number for number in range(LIMIT)}
    assert ports(stack(3), full) == [65003]
    found, memory = assign_ports(stack(3, 9999), full)
    assert [one.port for one in found] == [65003, 65000]
    assert memory == {key_of(route(3)): 65003, key_of(route(9999)): 65000}


def test_more_routes_than_ports_is_an_error_with_both_numbers() -> None:
    assert ports(stack(*range(LIMIT)))[-1] == LAST_PORT
    with pytest.raises(TooManyRoutes, match=f"{LIMIT + 1} host_forwardings are active, and there are {LIMIT} ports"):
        ports(stack(*range(LIMIT + 1)))


def test_a_memory_that_names_a_port_twice_or_a_wrong_one_is_mended() -> None:
    memory = {key_of(route(1)): 65000, key_of(route(2)): 65000, key_of(route(3)): 22}
    assert sorted(ports(stack(1, 2, 3), memory)) == [65000, 65001, 65002]


@given(st.lists(st.sets(st.integers(0, 30), max_size=20), max_size=6))
def test_no_two_routes_ever_share_a_port_and_none_ever_moves(histories: list[set[int]]) -> None:
    memory: PortMemory = {}
    given_out: dict[str, int] = {}
    for active in histories:
        found, memory = assign_ports(stack(*sorted(active)), memory)
        assert len({one.port for one in found}) == len(found)
        for one in found:
            assert given_out.setdefault(one.app_name, one.port) == one.port


def test_a_route_whose_port_is_set_aside_gets_the_lowest_free_one_and_the_others_keep_theirs() -> None:
    _, memory = assign_ports(stack(1, 2, 3), {})
    assert ports(stack(1, 2, 3), set_aside(memory, [65001])) == [65000, 65003, 65002]


def test_a_port_that_was_set_aside_is_given_out_again_only_when_no_other_is_left() -> None:
    full = {key_of(route(number)): FIRST_PORT + number for number in range(LIMIT)}
    memory = set_aside(full, [FIRST_PORT])
    assert ports(stack(0), memory) == [65001], "others lose theirs first"
    assert sorted(ports(stack(*range(LIMIT - 1)), memory)) == [*range(FIRST_PORT + 1, LAST_PORT + 1)]
    found, memory = assign_ports(stack(*range(LIMIT)), memory)
    assert sorted(one.port for one in found) == [*range(FIRST_PORT, LAST_PORT + 1)]
    assert len(memory) == LIMIT


@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 30), min_size=1, max_size=20), st.sets(st.integers(0, 40), max_size=3)),
        max_size=6,
    )
)
def test_no_route_ever_gets_a_port_that_was_set_aside_while_others_are_free(
    histories: list[tuple[set[int], set[int]]],
) -> None:
    memory: PortMemory = {}
    refused: set[int] = set()
    for active, kept in histories:
        before = {one.app_name: one.port for one in assign_ports(stack(*active), memory)[0]}
        now = {FIRST_PORT + number for number in kept}
        refused |= now
        found, memory = assign_ports(stack(*active), ports_from_json(ports_to_json(set_aside(memory, now))))
        assert not refused & {one.port for one in found}
        assert len({one.port for one in found}) == len(found)
        if memory and all(before[one.app_name] not in refused for one in found):
            assert {one.app_name: one.port for one in found} == before


def test_the_stack_that_is_given_stays_as_it_is() -> None:
    given_stack = stack(1, 2)
    before = replace(given_stack)
    assign_ports(given_stack, {})
    assert given_stack == before
