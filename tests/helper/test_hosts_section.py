"""What the helper accepts and what it makes of a hosts file: values in, values out."""

from __future__ import annotations

import pytest
from hosts_box import request_of, section

SHOP = section("127.0.0.1 shop.test")
NEWER = section("127.0.0.1 shop.test", "::1 shop.test", "192.168.64.2 db.test")
REFUSED, CHANGED_MEANWHILE, UNUSABLE = 10, 11, 12


def after(helper, found: bytes | None, text: bytes, verb: str = "apply") -> bytes:
    return helper.new_content(*helper.parse_request(verb, request_of(found, text)), found)


def refusal(helper, found: bytes | None, text: bytes, verb: str = "apply") -> tuple[int, str]:
    with pytest.raises(helper.Refusal) as caught:
        after(helper, found, text, verb)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    "found, wanted",
    [
        pytest.param(b"", SHOP, id="an empty file"),
        pytest.param(None, SHOP, id="no file"),
        pytest.param(b"127.0.0.1 localhost\n", b"127.0.0.1 localhost\n" + SHOP, id="at the end"),
        pytest.param(b"127.0.0.1 localhost", b"127.0.0.1 localhost\n" + SHOP, id="no final newline"),
        pytest.param(b"10.0.0.1 a\r\n10.0.0.2 b\r\n", b"10.0.0.1 a\r\n10.0.0.2 b\r\n" + SHOP, id="CRLF"),
        pytest.param(b"10.0.0.1 a\r", b"10.0.0.1 a\r\n" + SHOP, id="a lone CR at the end"),
        pytest.param(b"a\n" + NEWER + b"z", b"a\n" + SHOP + b"z", id="in the middle"),
        pytest.param(b"a\n" + NEWER[:-1], b"a\n" + SHOP, id="END without a newline"),
        pytest.param(
            b"a\n" + NEWER.replace(b"\n", b"\r\n") + b"z\r\n", b"a\n" + SHOP + b"z\r\n", id="section with CRLF"
        ),
        pytest.param(
            NEWER + b"a\n" + SHOP + b"b\n" + NEWER,
            SHOP + b"a\nb\n",
            id="several sections: the first place, what lies between is kept",
        ),
        pytest.param(b"\xff\xfe\x00 x\n\n\n", b"\xff\xfe\x00 x\n\n\n" + SHOP, id="no text at all"),
        pytest.param(
            b" # BEGIN section for Dusty\n# END section for Dusty.\n",
            b" # BEGIN section for Dusty\n# END section for Dusty.\n" + SHOP,
            id="only like markers",
        ),
        pytest.param(
            b"x # BEGIN section for Dusty\ny # END section for Dusty\n",
            b"x # BEGIN section for Dusty\ny # END section for Dusty\n" + SHOP,
            id="markers inside lines",
        ),
        pytest.param(
            b"x\r# BEGIN section for Dusty\r",
            b"x\r# BEGIN section for Dusty\r\n" + SHOP,
            id="a marker after a lone CR is inside a line",
        ),
        pytest.param(
            b"# BEGIN section for Dusty\nanything\x00\n# END section for Dusty\n",
            SHOP,
            id="whatever stood in the section goes",
        ),
    ],
)
def test_apply(helper, found: bytes | None, wanted: bytes) -> None:
    assert after(helper, found, SHOP) == wanted
    assert after(helper, wanted, SHOP) == wanted


@pytest.mark.parametrize("verb, text", [("remove", b""), ("remove", SHOP), ("apply", section()), ("remove", section())])
def test_removal_keeps_every_other_byte(helper, verb: str, text: bytes) -> None:
    assert after(helper, b"a\r\n" + NEWER + b"\xffz", text, verb) == b"a\r\n\xffz"
    assert after(helper, b"a", text, verb) == b"a"
    assert after(helper, None, text, verb) == b""


@pytest.mark.parametrize(
    "found, lines",
    [
        (b"a\n# BEGIN section for Dusty\nb\n", ("line 2", "3")),
        (b"a\n# END section for Dusty\nb\n", ("line 2", "1")),
        (b"# END section for Dusty\n# BEGIN section for Dusty\n", ("line 1",)),
        (b"# BEGIN section for Dusty\nx\n# BEGIN section for Dusty\n# END section for Dusty\n", ("1", "3")),
        (SHOP + b"# END section for Dusty", ("line 4",)),
        (b"# BEGIN section for Dusty\r", ("line 1",)),
    ],
)
def test_markers_that_do_not_pair_up_are_refused_with_their_lines(helper, found: bytes, lines: tuple[str, ...]) -> None:
    for verb, text in (("apply", SHOP), ("apply", section()), ("remove", b"")):
        code, what = refusal(helper, found, text, verb)
        assert code == UNUSABLE
        assert all(line in what for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "#",
        "# 127.0.0.1 a.test",
        "127.0.0.1",
        "127.0.0.1 ",
        "127.0.0.1  a.test",
        "127.0.0.1\ta.test",
        " 127.0.0.1 a.test",
        "127.0.0.1 a.test ",
        "127.0.0.1 a.test b.test",
        "127.0.0.1 a.test # x",
        "127.0.0.1 a.test\r",
        "127.0.0.1 a.test\x0b10.0.0.1 b",
        "127.0.0.1 a.test\x00",
        "127.0.0.1 a.test\x85",
        "127.0.0.1 \u00e4.test",
        "127.0.0.1 a_b.test",
        "127.0.0.1 -a.test",
        "127.0.0.1 a-.test",
        "127.0.0.1 a..test",
        "127.0.0.1 .test",
        "127.0.0.1 a.test.",
        "127.0.0.1 " + "a" * 64,
        "127.0.0.1 " + "a." * 127 + "bc",
        "127.0.0.1 *.test",
        "127.0.0.1 10.0.0.1",
        "127.0.0.1 a.1",
        "127.0.0.1 localhost",
        "127.0.0.1 LOCALHOST",
        "127.0.0.1 ip6-loopback",
        "127.0.0.1 broadcasthost",
        "127.0.0.1 host.docker.internal",
        "127.0.0.1 docker.internal",
        "8.8.8.8 a.test",
        "0.0.0.0 a.test",
        "169.254.169.254 a.test",
        "172.32.0.1 a.test",
        "100.64.0.1 a.test",
        "224.0.0.1 a.test",
        "255.255.255.255 a.test",
        "2001:db8::1 a.test",
        ":: a.test",
        "fe80::1 a.test",
        "fe80::1%lo a.test",
        "fc00::1%x a.test",
        "::ffff:127.0.0.1 a.test",
        "::ffff:8.8.8.8 a.test",
        "127.1 a.test",
        "2130706433 a.test",
        "0x7f.0.0.1 a.test",
        "127.0.0.01 a.test",
        "127.0.0.256 a.test",
        "127.0.0.1/8 a.test",
        "1.2.3.4.5 a.test",
        "# BEGIN section for Dusty",
        "# END section for Dusty",
    ],
)
def test_lines_that_are_refused(helper, line: str) -> None:
    text = section(line)
    assert refusal(helper, b"", text)[0] == REFUSED
    assert refusal(helper, b"", section("127.0.0.1 first.test", line, "127.0.0.1 last.test"))[0] == REFUSED


@pytest.mark.parametrize(
    "line",
    [
        "127.0.0.1 a.test",
        "127.255.255.254 a.test",
        "10.1.2.3 a.test",
        "172.16.0.1 a.test",
        "172.31.255.255 a.test",
        "192.168.0.1 a.test",
        "::1 a.test",
        "fd00::1 a.test",
        "FD00::1 a.test",
        "fc00:0:0:0:0:0:0:1 a.test",
        "127.0.0.1 a",
        "127.0.0.1 A.Test",
        "127.0.0.1 1a.2b.test",
        "127.0.0.1 xn--4ca.test",
        "127.0.0.1 " + "a" * 63 + ".test",
        "127.0.0.1 a--b.test",
        "127.0.0.1 shop.localhost",
    ],
)
def test_lines_that_are_accepted_stay_as_they_are(helper, line: str) -> None:
    assert after(helper, b"", section(line)) == section(line)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        SHOP[: -len(b"# END section for Dusty\n")],
        SHOP[len(b"# BEGIN section for Dusty\n") :],
        b"\n" + SHOP,
        SHOP + b"\n",
        SHOP + SHOP,
        SHOP.replace(b"\n", b"\r\n"),
        SHOP + b"8.8.8.8 a.test\n",
        b"\xef\xbb\xbf" + SHOP,
        b"# BEGIN section for Dusty\n",
        b"# BEGIN section for Dusty # END section for Dusty",
        section("127.0.0.1 a.test", "127.0.0.2 A.TEST"),
        section("::1 a.test", "fd00::1 a.test"),
        section(*[f"127.0.0.1 a{n}.test" for n in range(10_001)]),
        section("127.0.0.1 " + "a" * (1 << 20)),
    ],
    ids=lambda text: repr(text[:30]),
)
def test_sections_that_are_refused(helper, text: bytes) -> None:
    assert refusal(helper, b"", text)[0] == REFUSED


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"MISSING",
        b"missing ",
        b" missing",
        b"0" * 63,
        b"0" * 65,
        b"G" * 64,
        b"A" * 64,
        b"missing\r",
        b"/etc/hosts",
    ],
)
def test_first_lines_that_are_refused(helper, first: bytes) -> None:
    with pytest.raises(helper.Refusal) as caught:
        helper.parse_request("apply", first + b"\n" + SHOP)
    assert caught.value.code == REFUSED


def test_name_given_twice_with_one_address(helper) -> None:
    text = section("fd00::1 a.test", "FD00::1 A.Test", "127.0.0.1 a.test")
    assert after(helper, b"", text) == text


def test_final_newline_of_the_section_may_be_missing(helper) -> None:
    assert after(helper, b"", SHOP[:-1]) == SHOP


def test_file_that_changed_since_the_caller_looked(helper) -> None:
    for seen, found in ((b"a", b"b"), (None, b""), (b"", None), (b"a", None)):
        with pytest.raises(helper.Refusal) as caught:
            helper.new_content(*helper.parse_request("apply", request_of(seen, SHOP)), found)
        assert caught.value.code == CHANGED_MEANWHILE


@pytest.mark.parametrize(
    "own",
    [
        b"10.0.0.9 shop.test\n",
        b"10.0.0.9\tother SHOP.TEST\r\n",
        b"fe80::1 shop.test",
        b"::1 shop.test\n10.0.0.9 shop.test\n",
        b"127.0.0.2 shop.test",
        b"rubbish shop.test # x",
        b"x\n" + SHOP + b"10.0.0.9 shop.test",
    ],
)
def test_name_that_the_users_own_lines_give_another_address(helper, own: bytes) -> None:
    code, what = refusal(helper, own, SHOP)
    assert code == UNUSABLE
    assert "shop.test" in what


@pytest.mark.parametrize(
    "own",
    [
        b"127.0.0.1 shop.test\n",
        b"10.0.0.9 shop.test\n127.0.0.1 x shop.test\n",
        b"# 10.0.0.9 shop.test\n",
        b"10.0.0.9 x # shop.test\n",
        b"10.0.0.9 shop.test.example\n",
        b"shop.test\n",
        b"::1 shop.test\n",
        b"0:0::1 a Shop.Test\n",
    ],
)
def test_name_of_the_users_own_lines_that_is_no_conflict(helper, own: bytes) -> None:
    assert after(helper, own, SHOP) == own + SHOP


def test_spelling_of_an_address_is_no_conflict(helper) -> None:
    own = b"fd00:0:0::1 shop.test\n"
    assert after(helper, own, section("FD00::1 shop.test")) == own + section("FD00::1 shop.test")


def test_five_megabytes(helper) -> None:
    own = b"".join(b"10.0.0.1 name-%d.example\n" % n for n in range(100_000))
    assert 2 * len(own) > 5_000_000
    assert after(helper, own + NEWER + own, SHOP) == own + SHOP + own


def test_messages_cannot_carry_anything_into_a_log(helper) -> None:
    for line in ("127.0.0.1 a\x1b[2J\x07", "127.0.0.1 a\rroot: all fine", "x" * 5000, "\x00", "127.0.0.1 \u202eevil"):
        what = refusal(helper, b"", section(line))[1]
        assert what.isascii() and what.isprintable() and len(what) < 400
