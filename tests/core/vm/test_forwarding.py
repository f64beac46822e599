"""Ports of this machine that lead into a VM: what is wanted, what was found, what differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.vm.forwarding import (
    Forward,
    add_command,
    closed_ports,
    closed_ports_text,
    found_forwards,
    is_removed,
    plan_forwards,
    remove_command,
    wanted_forwards,
)

BRIDGE = "172.17.0.1"
PRINTED = """\
Hub -1 (net0):\r
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
  TCP[ESTABLISHED]   14       127.0.0.1 50022       10.0.2.15    22     0     0\r
  TCP[HOST_FORWARD]  13       127.0.0.1    80       10.0.2.15    80     0     0\r
  TCP[HOST_FORWARD]  12       127.0.0.1 50022       10.0.2.15    22     0     0\r
  UDP[HOST_FORWARD]  15               *  5353       10.0.2.15  5353     0     0\r
"""
"""What qemu 7.2 printed."""

forwards = st.builds(
    lambda protocol, address, port, inside: Forward(protocol, address, port, inside),
    st.sampled_from(["tcp", "udp"]),
    st.sampled_from(["127.0.0.1", "0.0.0.0"]),
    st.integers(1, 65535),
    st.integers(1, 65535),
)


def container(*ports: object) -> WantedContainer:
    return WantedContainer("web", "app", "dusty_web_1", {"ports": list(ports)})


def test_every_published_port_leads_into_the_vm_but_those_on_its_bridge() -> None:
    found = wanted_forwards(
        [container("80:80", f"{BRIDGE}:65000:5000", "5353:53/udp"), container("8000-8002:8000-8002")], BRIDGE
    )
    assert found == (
        Forward("tcp", "127.0.0.1", 80, 80),
        Forward("tcp", "127.0.0.1", 8000, 8000),
        Forward("tcp", "127.0.0.1", 8001, 8001),
        Forward("tcp", "127.0.0.1", 8002, 8002),
        Forward("udp", "127.0.0.1", 5353, 5353),
    )


def test_the_other_forms_of_a_port() -> None:
    assert wanted_forwards([container({"target": 53, "published": "5353", "protocol": "udp"})], BRIDGE) == (
        Forward("udp", "127.0.0.1", 5353, 5353),
    )
    assert wanted_forwards([container({"target": 80, "published": 81, "host_ip": BRIDGE})], BRIDGE) == ()
    assert wanted_forwards([container("0.0.0.0:80:80", "[::]:81:81")], BRIDGE) == (
        Forward("tcp", "127.0.0.1", 80, 80),
        Forward("tcp", "127.0.0.1", 81, 81),
    )
    # A port that the engine chooses, and what only the VM's own programs reach.
    assert wanted_forwards([container("80", "127.0.0.1:81:81", {"target": 80})], BRIDGE) == ()


def test_other_machines_come_in_only_where_that_is_wanted() -> None:
    assert wanted_forwards([container("80:80")], BRIDGE, is_open=True) == (Forward("tcp", "0.0.0.0", 80, 80),)


def test_what_the_monitor_prints_is_understood() -> None:
    assert found_forwards(PRINTED) == (
        Forward("tcp", "127.0.0.1", 80, 80),
        Forward("tcp", "127.0.0.1", 50022, 22),
        Forward("udp", "0.0.0.0", 5353, 5353),
    )
    assert found_forwards("") == ()


@given(st.sets(forwards), st.sets(forwards), st.sets(forwards))
def test_after_the_plan_is_what_is_wanted(wanted, found, kept) -> None:
    plan = plan_forwards(wanted, found, kept)
    after = (found - set(plan.remove)) | set(plan.add)
    assert wanted <= after and kept & found <= after
    assert after <= wanted | (kept & found)
    assert plan_forwards(wanted, after, kept) == ((), ())


@given(st.sets(forwards, max_size=5))
def test_what_the_monitor_would_print_is_read_back(found) -> None:
    lines = [
        f"  {each.protocol.upper()}[HOST_FORWARD]  12  {'*' if each.address == '0.0.0.0' else each.address}  {each.port}  10.0.2.15  {each.inside}  0  0"
        for each in found
    ]
    assert found_forwards("\r\n".join(["Hub -1 (net0):", *lines, ""])) == tuple(sorted(found))


def test_the_commands_of_the_monitor() -> None:
    forward = Forward("tcp", "127.0.0.1", 8080, 80)
    assert add_command("net0", forward) == "hostfwd_add net0 tcp:127.0.0.1:8080-:80"
    assert remove_command("net0", forward) == "hostfwd_remove net0 tcp:127.0.0.1:8080"
    assert is_removed("host forwarding rule for tcp:127.0.0.1:8080 removed")
    assert not is_removed("host forwarding rule for tcp:127.0.0.1:8080 not found")


def test_a_port_that_only_root_may_open_is_told_with_two_ways_out() -> None:
    wanted = [Forward("tcp", "127.0.0.1", port, port) for port in (80, 443, 8080)]
    assert closed_ports(wanted, 1024, may_open_all=True) == ()
    assert closed_ports(wanted, 80, may_open_all=False) == ()
    closed = closed_ports(wanted, 1024, may_open_all=False)
    assert closed == (80, 443)
    what, hint = closed_ports_text(closed)
    assert "ports 80, 443" in what
    assert "ip_unprivileged_port_start=80" in hint and "host_port" in hint
