"""Text that others chose, on its way to a screen: nothing of it steers a terminal, and what can be read stays as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.text.safe import harmless, in_json, plain_lines

STEERING = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))} - {"\n", "\t"} | {
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}
TEXT = st.text(st.one_of(st.characters(), st.sampled_from(sorted(STEERING)), st.sampled_from("\n\t[]m\\")))


@given(TEXT)
def test_nothing_steers_a_terminal_and_what_can_be_read_stays(text: str) -> None:
    shown = harmless(text)
    assert not STEERING & {*shown}
    shown.encode()
    if not STEERING & {*text} and text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", r"a\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b2J", r"\x9b2J"),
        ("exe\u202egpj", r"exe\u202egpj"),
        ("\udcff", r"\udcff"),
        ("Größe 大 🐳", "Größe 大 🐳"),
    ],
)
def test_what_is_spelt_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("\x1b[1;31mError\x1b[0m: no\n", "Error: no\n"),
        ("10 %\r50 %\rdone\r\nnext", "done\nnext"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[?25l\x1b[2Kx\x1b(B", "x(B"),
        ("plain", "plain"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_what_a_program_printed_for_its_terminal_as_text(printed: str, text: str) -> None:
    assert harmless(plain_lines(printed)).replace("\\x1b", "") == text


@given(
    st.recursive(
        TEXT, lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3), max_leaves=6
    )
)
def test_json_for_machines_says_the_same(value: object) -> None:
    text = in_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert not STEERING & {*text}
