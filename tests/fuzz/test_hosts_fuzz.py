"""Anything on stdin, anything in the hosts file: every byte outside the section stays, every line inside is valid."""

from __future__ import annotations

import ipaddress
import os
import re

import pytest
from hosts_box import request_of, section
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dusty_tasks.core.specs.rules import Wrong, check_host_name
from dusty_tasks.effects.hosts.section import found_section, helper_module, possible_section, section_is_in_place

COUNT = 100_000 if os.environ.get("DUSTY_LONG") else 3_000
BEGIN, END = b"# BEGIN section for Dusty", b"# END section for Dusty"
HELPER = helper_module()

# Written another way than the helper's own line by line splice, so that both can be wrong only in different ways.
A_SECTION = re.compile(
    rb"(?m)(?:^)# BEGIN section for Dusty\r?\n(?:(?!# (?:BEGIN|END) section for Dusty\r?(?:\n|\Z))[^\n]*\n)*# END section for Dusty\r?(?:\n|\Z)"
)
A_MARKER = re.compile(rb"(?m)^# (?:BEGIN|END) section for Dusty\r?(?:\n|\Z)")

eol = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r", b""])
hosts_line = st.one_of(
    st.sampled_from(
        [
            BEGIN,
            END,
            BEGIN,
            END,
            b" " + BEGIN,
            END + b" ",
            b"127.0.0.1 localhost",
            b"10.0.0.9 shop.test",
            b"# shop.test",
            b"",
            b"\xef\xbb\xbf" + BEGIN,
            BEGIN[:-1],
            END + b"\r",
        ]
    ),
    st.binary(max_size=12),
)
hosts_file = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.lists(st.tuples(hosts_line, eol).map(b"".join), max_size=12).map(b"".join),
    # Mostly well-formed: sections between lines of the user's.
    st.lists(
        st.one_of(
            hosts_line.filter(lambda line: not A_MARKER.match(line)).map(lambda line: line + b"\n"),
            st.just(section("127.0.0.1 old.test")),
            st.just(section()),
        ),
        max_size=6,
    ).map(b"".join),
)

address = st.one_of(
    st.sampled_from(
        ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "8.8.8.8", "0.0.0.0", "::", "127.0.0.1%x", "127.1"]
    ),
    st.ip_addresses().map(str),
    st.text(max_size=6),
)
label = st.one_of(
    st.sampled_from(["shop", "test", "a-b", "localhost", "docker", "internal", "1", "xn--a", "-a", ""]),
    st.text(alphabet="abZ09-_. \t\r\n#\x00\x85é", max_size=8),
)
name = st.lists(label, min_size=1, max_size=4).map(".".join)
mapping = st.one_of(
    st.sampled_from(["127.0.0.1 shop.test", "::1 shop.test", "127.0.0.1 db.test"]),
    st.tuples(address, st.sampled_from([" ", " ", " ", "  ", "\t", ""]), name).map("".join),
)
section_text = st.one_of(
    st.binary(max_size=80),
    st.lists(mapping, max_size=5).map(lambda lines: section(*lines)),
    st.lists(st.one_of(mapping.map(lambda line: line.encode("utf-8", "surrogatepass")), hosts_line), max_size=5).map(
        b"\n".join
    ),
    st.tuples(
        st.lists(mapping, max_size=3).map(lambda lines: section(*lines)), st.integers(0, 80), st.binary(max_size=3)
    ).map(lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]),
)


def is_valid(line: str) -> bool:
    """What a line of the section may be, said in terms of the address and the name rather than of patterns."""
    written, _, host_name = line.partition(" ")
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        return False
    nets = (
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16") if found.version == 4 else ("::1", "fc00::/7")
    )
    labels = host_name.split(".")
    return (
        any(found in ipaddress.ip_network(net) for net in nets)
        and "%" not in written
        and len(host_name) <= 253
        and host_name.lower() != "localhost"
        and all(
            0 < len(label) <= 63
            and label.isascii()
            and label.replace("-", "").isalnum()
            and label[0] != "-" != label[-1]
            for label in labels
        )
    )


def outside(content: bytes) -> bytes:
    return A_SECTION.sub(b"", content)


@pytest.mark.timeout(3600)
@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=hosts_file, text=section_text, verb=st.sampled_from(["apply", "apply", "apply", "check", "remove"]))
@example(found=b"x\n" + BEGIN + b"\n" + BEGIN + b"\n" + END + b"\n", text=section("127.0.0.1 a.test"), verb="apply")
@example(found=b"x", text=section("127.0.0.1 a.test\n8.8.8.8 b.test"), verb="apply")
def test_bytes_outside_stay_and_lines_inside_are_valid(found: bytes | None, text: bytes, verb: str) -> None:
    try:
        new = HELPER["new_content"](*HELPER["parse_request"](verb, request_of(found, text)), found)
    except HELPER["Refusal"]:
        return
    before = found or b""
    is_added = verb != "remove" and bool(A_SECTION.search(new)) and not A_SECTION.search(before)
    lacked_newline = is_added and before and not before.endswith(b"\n")
    assert not A_MARKER.search(outside(before)), "markers that do not pair up were accepted"
    assert outside(new) == outside(before) + (b"\n" if lacked_newline else b"")
    sections = A_SECTION.findall(new)
    assert len(sections) == (
        0 if verb == "remove" or not text.strip() or text.count(b"\n") < 2 or text.split() == section().split() else 1
    )
    for line in b"".join(sections).decode("ascii").split("\n")[1:-2]:
        assert is_valid(line), line
    assert HELPER["new_content"](*HELPER["parse_request"](verb, request_of(new, text)), new) == new
    if sections:
        assert sections[0] == found_section(new)
        assert section_is_in_place(new, sections[0].decode())


@pytest.mark.timeout(3600)
@settings(max_examples=COUNT // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    parts=st.lists(
        st.one_of(st.none(), hosts_line, st.sampled_from([b"\n", b"\r\n", b"\r", section("127.0.0.1 db.test")])),
        max_size=5,
    ),
    lines=st.lists(st.sampled_from(["127.0.0.1 shop.test", "::1 shop.test"]), max_size=2, unique=True),
)
def test_cheap_look_agrees_with_the_helper(parts: list[bytes | None], lines: list[str]) -> None:
    """`section_is_in_place` says yes exactly when the helper would leave the file as it is. None stands for the section itself."""
    text = section(*lines)
    found = b"".join(text if part is None else part for part in parts)
    try:
        new = HELPER["new_content"](*HELPER["parse_request"]("apply", request_of(found, text)), found)
    except HELPER["Refusal"] as refusal:
        # A name that the user defines himself: the helper says so even if the section is there already.
        assert not section_is_in_place(found, text.decode()) or "already has another address" in str(refusal)
        return
    assert section_is_in_place(found, text.decode()) == (new == found)


@pytest.mark.timeout(3600)
@settings(max_examples=COUNT // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    own=st.lists(
        st.tuples(
            st.sampled_from([b"127.0.0.1", b"::1", b"10.0.0.9", b"fd00::1", b"x", b"#", b"127.0.0.1#"]),
            st.sampled_from([b" ", b"\t", b"\xa0", b"\x1c"]),
            st.sampled_from([b"shop.test", b"DB.test", b"a b db.test", b"other"]),
            st.sampled_from([b"\n", b"\r\n", b"#\n", b" x\n"]),
        ).map(b"".join),
        max_size=4,
    ).map(b"".join),
    place=st.integers(0, 4),
    lines=st.lists(
        st.sampled_from(["127.0.0.1 shop.test", "::1 shop.test", "192.168.1.1 db.test"]), min_size=1, unique=True
    ),
)
def test_what_the_caller_leaves_out_is_what_the_helper_would_refuse(own: bytes, place: int, lines: list[str]) -> None:
    """The section without the names in conflict is accepted, and with any one of them it would not be."""
    text = section(*lines)
    cut = len(b"".join(own.splitlines(keepends=True)[:place]))
    found = own[:cut] + section("127.0.0.1 shop.test") + own[cut:]
    possible, conflicts = possible_section(found, text.decode())
    HELPER["new_content"](*HELPER["parse_request"]("apply", request_of(found, possible.encode())), found)
    assert sorted([*possible.splitlines()[1:-1], *(conflict.wanted_line for conflict in conflicts)]) == sorted(lines)
    for conflict in conflicts:
        assert conflict.name.encode() in found.splitlines()[conflict.number - 1].lower()
        with pytest.raises(HELPER["Refusal"], match="already has another address"):
            HELPER["new_content"](
                *HELPER["parse_request"]("apply", request_of(found, section(conflict.wanted_line))), found
            )


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(host_name=st.one_of(name, st.from_regex(r"[a-zA-Z0-9-]{1,3}(\.[a-zA-Z0-9-]{1,64}){0,4}\.?", fullmatch=True)))
@example("docker.internal")
@example("a.docker.internal")
@example("ip6-x")
@example(".".join(["a" * 63] * 3 + ["b" * 61]))
@example(".".join(["a" * 63] * 3 + ["b" * 62]))
def test_specs_and_helper_agree_on_host_names(host_name: str) -> None:
    """What a spec may call an app the helper writes, and nothing else; two rules, written apart."""
    try:
        check_host_name(host_name)
        is_allowed = True
    except Wrong:
        is_allowed = False
    try:
        HELPER["parse_section"](section(f"127.0.0.1 {host_name}"))
    except (HELPER["Refusal"], UnicodeEncodeError):
        assert not is_allowed
    else:
        assert is_allowed
