"""The bytes of name servers, and what getent and nslookup print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.name_answers import (
    NO_ADDRESS,
    NOT_UNDERSTOOD,
    answer,
    interface_of,
    looked_up,
    name_servers,
    own_addresses,
    question,
    sources,
)


def reply(asked: bytes, code: int = 0, *records: tuple[int, bytes]) -> bytes:
    """A reply to a question with these records, whose names point back to the question."""
    head = asked[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
    held = [
        b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\x3c" + len(data).to_bytes(2, "big") + data
        for kind, data in records
    ]
    return head + asked[12:] + b"".join(held)


def test_a_question_and_its_answers() -> None:
    asked = question("web.test", 7)
    assert asked == b"\0\7\1\0\0\1\0\0\0\0\0\0\3web\4test\0\0\1\0\1"
    assert answer(reply(asked, 0, (5, b"\1x\0"), (1, b"\x7f\0\0\1")), 7) == "127.0.0.1"
    assert answer(reply(asked), 7) == NO_ADDRESS
    assert [answer(reply(asked, code), 7) for code in (2, 3, 5, 11)] == ["SERVFAIL", "NXDOMAIN", "REFUSED", "code 11"]
    assert answer(reply(asked), 8) == answer(asked, 7) == answer(b"", 7) == NOT_UNDERSTOOD
    with pytest.raises(ValueError):
        question("a..b", 1)


@given(st.binary(max_size=60), st.binary(max_size=12))
def test_no_bytes_of_a_name_server_break_it(data: bytes, tail: bytes) -> None:
    for bytes_ in (data, b"\0\7\x81\x80" + data, reply(question("web.test", 7), 0, (1, tail))[: 40 + len(tail)]):
        assert answer(bytes_, 7)


def test_getent_and_nslookup_of_three_families() -> None:
    getent = "172.18.0.2      STREAM web.test\n172.18.0.2      DGRAM  \n172.18.0.2      RAW    \n"
    busybox = "Server:\t\t127.0.0.11\nAddress:\t127.0.0.11:53\n\nNon-authoritative answer:\nName:\tweb.test\nAddress: 172.18.0.2\n"
    older = "Server:    127.0.0.11\nAddress 1: 127.0.0.11\n\nName:      web.test\nAddress 1: 172.18.0.2 proxy\n"
    for printed in (getent, busybox, older):
        assert looked_up(f"= web.test\n{printed}= other.test\n") == {"web.test": ("172.18.0.2",), "other.test": ()}
    assert looked_up("") == {}


def test_files_of_the_system() -> None:
    assert name_servers("# x\nnameserver 10.0.0.1\nsearch corp\nnameserver fe80::1%eth0\nnameserver\n") == [
        "10.0.0.1",
        "fe80::1%eth0",
    ]
    assert sources("passwd: files\nhosts:  files mdns4_minimal [NOTFOUND=return] dns # x\n") == (
        "files",
        "mdns4_minimal",
        "dns",
    )
    assert sources("") == ()
    assert own_addresses("127.0.0.1 A.test b # c.test\n::1 a.test\n", ["a.test", "c.test"]) == {
        "a.test": ("127.0.0.1", "::1"),
        "c.test": (),
    }
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    table = (
        head
        + "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\ntun0\t0000080A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert (interface_of(table, "9.9.9.9"), interface_of(table, "10.8.0.5"), interface_of(table, "::1")) == (
        "eth0",
        "tun0",
        "",
    )
