"""What listens in a container, by the kernel's tables, and the sentence for a route that it cannot answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.plan.listening import listeners_of, listening_trouble
from dusty_tasks.core.plan.ports_to_open import Address

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000000000000000 100 0 0 10 0
   1: 0B00007F:9C40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 112 1 0000000000000000 100 0 0 10 0
   2: 0200110A:270F 0300110A:0050 01 00000000:00000000 00:00000000 00000000     0        0 113 1 0000000000000000 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 114 1 0
cat: can't open '/proc/net/tcp6': No such file or directory
"""


def test_listeners_are_read_from_both_tables() -> None:
    assert [(listener.address, listener.inode) for listener in listeners_of(TABLE)] == [
        (("0.0.0.0", 9999), "111"),
        (("127.0.0.11", 40000), "112"),
        (("::", 8080), "114"),
    ]


@given(st.text())
def test_a_table_that_is_none_holds_no_listener_or_says_so_plainly(text: str) -> None:
    assert all(isinstance(listener.inode, str) for listener in listeners_of(text))


@pytest.mark.parametrize(
    ("ports", "listening", "said"),
    [
        ([8002], [("0.0.0.0", 9999)], "nothing listens on 8002; the container listens on 9999"),
        ([8002], [("::", 9999), ("10.0.0.2", 9000)], "nothing listens on 8002; the container listens on 9000 and 9999"),
        ([8002], [], "nothing listens on 8002; the container listens on no port"),
        ([8002], [("127.0.0.11", 40000)], "nothing listens on 8002; the container listens on no port"),
        ([8002], [("0.0.0.0", 8002)], ""),
        ([8002], [("::", 8002)], ""),
        ([8002], [("127.0.0.1", 8002), ("172.20.0.3", 8002)], ""),
        (
            [8002],
            [("127.0.0.1", 8002)],
            "8002 is bound to 127.0.0.1 only, which only the container itself can reach: let it listen on 0.0.0.0",
        ),
        (
            [8002],
            [("::1", 8002)],
            "8002 is bound to ::1 only, which only the container itself can reach: let it listen on 0.0.0.0",
        ),
        ([8002], [("127.0.0.1", 3000)], "nothing listens on 8002; the container listens on 3000 (at 127.0.0.1 alone)"),
        ([80, 81], [("0.0.0.0", 80)], "nothing listens on 81"),
        (
            [80, 81, 82],
            [("127.0.0.1", 81)],
            "81 is bound to 127.0.0.1 only, which only the container itself can reach: let it listen on 0.0.0.0; "
            "nothing listens on 80 and 82",
        ),
        (
            [1],
            [("0.0.0.0", port) for port in range(2, 12)],
            "nothing listens on 1; the container listens on 2, 3, 4, 5, 6, 7 and 4 more",
        ),
        ([], [("0.0.0.0", 80)], ""),
    ],
)
def test_why_a_route_cannot_be_answered(ports: list[int], listening: list[Address], said: str) -> None:
    assert listening_trouble(ports, listening) == said
