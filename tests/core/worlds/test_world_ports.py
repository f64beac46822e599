"""Services of a world publish on free ports, which they keep."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.compose_values import published_ports
from dusty_tasks.core.specs.model import Service
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.worlds.ports import FIRST, LAST, with_free_ports


def stack(*ports: object) -> Stack:
    return Stack(services={"db": Service("db", "services/db.yml", {"image": "x", "ports": list(ports)})})


def published(found: Stack) -> list[int]:
    return [
        port for _, each in published_ports(found.services["db"].compose) for port in range(each.first, each.last + 1)
    ]


def test_each_form_of_a_port_keeps_all_but_its_number() -> None:
    made, _ = with_free_ports(
        stack(
            "5432:5432",
            "127.0.0.1:80:8080/tcp",
            "9000-9002:9000-9002",
            {"target": 53, "published": "5353", "protocol": "udp"},
            "7777",
        ),
        {},
        lambda _port: True,
        "127.77.0.1",
    )
    first = published(made)[0]
    assert made.services["db"].compose["ports"] == [
        f"{first}:5432",
        f"127.0.0.1:{first + 1}:8080/tcp",
        f"{first + 2}-{first + 4}:9000-9002",
        {"target": 53, "published": f"{first + 5}", "protocol": "udp"},
        "7777",
    ]


@given(st.integers(1, 254), st.sets(st.integers(FIRST, FIRST + 80)))
def test_ports_are_free_when_they_are_chosen_and_stay(world: int, busy: set[int]) -> None:
    address = f"127.77.0.{world}"
    made, memory = with_free_ports(stack("5432:5432", "80-82:80-82"), {}, lambda port: port not in busy, address)
    ports = published(made)
    assert len(set(ports)) == 4 and not busy & set(ports) and all(FIRST <= port <= LAST for port in ports)
    again, _ = with_free_ports(stack("5432:5432", "80-82:80-82"), memory, lambda _port: False, address)
    assert published(again) == ports, "what is remembered is not asked for: the world itself may be listening"


def test_worlds_begin_at_different_ports() -> None:
    first = {
        published(with_free_ports(stack("1:1"), {}, lambda _p: True, f"127.77.0.{n}")[0])[0] for n in range(1, 255)
    }
    assert len(first) == 254
