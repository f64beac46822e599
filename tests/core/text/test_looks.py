"""Marks of looks: invisible in a pipe, codes on a terminal, and never more columns than there are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.text.highlights import severe, with_links
from dusty_tasks.core.text.looks import (
    Look,
    Tone,
    cut,
    drawn,
    file_url,
    linked,
    padded,
    painted,
    plain,
    width_of,
    wrapped,
)

COLOURS, ALL = Look(colours=True), Look(colours=True, links=True)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp", "Cf"]), max_size=30)
CODE = re.compile(r"\x1b\[[0-9]+m|\x1b\]8;;[!-~]*\x1b\\")
MARKED = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.builds(painted, inner, st.sampled_from(Tone)),
        st.builds(linked, inner, st.just("file:///specs/a.yml")),
        st.builds(lambda left, right: left + right, inner, inner),
    ),
    max_leaves=5,
)


def test_marks_are_codes_on_a_terminal_and_nothing_in_a_pipe() -> None:
    text = f"{painted('web', Tone.BAD)} at {linked('http://web.local/')}"
    assert drawn(text) == plain(text) == "web at http://web.local/"
    assert drawn(text, COLOURS) == "\x1b[31mweb\x1b[0m at http://web.local/"
    assert drawn(text, ALL).endswith("at \x1b]8;;http://web.local/\x1b\\http://web.local/\x1b]8;;\x1b\\")


def test_a_tone_within_a_tone_gives_way_to_the_outer_one_again() -> None:
    assert drawn(painted(f"a {painted('b', Tone.BAD)} c", Tone.QUIET), COLOURS) == (
        "\x1b[2ma \x1b[31mb\x1b[0m\x1b[2m c\x1b[0m"
    )


@pytest.mark.parametrize("target", ["javascript:alert(1)", "http://evil.example/", "file:///a b", "file:///\x1b[2J"])
def test_a_text_that_names_one_place_leads_to_no_other(target: str) -> None:
    assert linked("http://good.example/", target) == "http://good.example/"


@given(st.text(max_size=40))
def test_marks_that_came_with_a_text_never_steer_the_terminal(text: str) -> None:
    hostile = f"\ufde0{text}\ufde1click\ufde2\ufdd3"
    assert "\x1b" not in CODE.sub("", drawn(hostile, ALL))
    assert drawn(f"{painted('x', Tone.BAD)}\x1b[2J", COLOURS).endswith(r"\x1b[2J")


@given(MARKED, st.integers(0, 40))
def test_what_is_cut_fits_and_ends_its_colours_and_links(text: str, width: int) -> None:
    short = cut(text, width)
    assert width_of(short) <= width
    assert plain(text).startswith(plain(short).removesuffix("…"))
    shown = drawn(short, ALL)
    assert CODE.sub("", shown) == plain(short)
    codes = CODE.findall(shown)
    assert not codes or codes[-1] in ("\x1b[0m", "\x1b]8;;\x1b\\")
    if width_of(text) <= width:
        assert short == text


@given(MARKED, st.integers(0, 60))
def test_what_is_padded_has_its_width(text: str, width: int) -> None:
    assert width_of(padded(text, width)) == max(width, width_of(text))


def test_wide_letters_count_twice_and_accents_not_at_all() -> None:
    assert (width_of("日本"), width_of("e\u0301"), width_of("🐳"), width_of("abc")) == (4, 1, 2, 3)
    assert cut("日本語", 5) == "日本…" and cut("日本語", 4) == "日…" and cut("日本語", 6) == "日本語"


@given(st.lists(st.text("ab/日", min_size=1, max_size=30), max_size=12), st.integers(1, 40))
def test_lines_break_at_blanks_alone(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width, "  ").split("\n")
    assert [word for line in lines for word in line.split()] == words
    assert all(width_of(line) <= width or len(line.split()) == 1 for line in lines)


def test_the_lines_of_a_paragraph_keep_their_own_indent() -> None:
    assert wrapped("  one two\nthree", 7, "  ") == "  one\n    two\nthree"


def test_severity_is_shown_and_what_can_be_read_stays() -> None:
    text = (
        "apps/web.yml:3:5: D012: image: no such thing\n"
        "    hint: did you mean x?\n"
        "libs/a.yml:1:1: warning: D013: old\n"
        "   | ^^^\n"
        "2 problems in 2 files"
    )
    shown = severe(text)
    assert plain(shown) == text
    first, hint, warning, caret, count = drawn(shown, COLOURS).split("\n")
    assert first.startswith("\x1b[1mapps/web.yml:3:5\x1b[0m: \x1b[31mD012\x1b[0m: image")
    assert hint == "\x1b[36m    hint: \x1b[0mdid you mean x?"
    assert warning.startswith("\x1b[1mlibs/a.yml:1:1\x1b[0m: \x1b[33mwarning:\x1b[0m \x1b[33mD013\x1b[0m: old")
    assert caret == "\x1b[31m   | ^^^\x1b[0m" and count == "2 problems in 2 files"
    assert drawn(severe("no engine"), COLOURS) == "\x1b[31mno engine\x1b[0m"
    assert drawn(severe("warning: old"), COLOURS) == "\x1b[33mwarning:\x1b[0m old"
    ours = painted("FAILED", Tone.BAD) + " worker"
    assert severe(ours) == ours


@given(st.text(max_size=80))
def test_severity_and_links_never_change_the_words(text: str) -> None:
    text = plain(text)
    assert plain(severe(text)) == text and plain(with_links(text, lambda name: f"/specs/{name}")) == text


def test_urls_and_places_become_links() -> None:
    paths = {"apps/web.yml": "/my specs/apps/web.yml"}
    text = "web (apps/web.yml:3:5, apps/gone.yml:1) is at http://web.local:8080/a?b=1, see (https://x.org/y)."
    shown = drawn(with_links(text, lambda name: paths.get(name, "")), Look(links=True))
    assert re.findall(r"\x1b\]8;;([!-~]+)\x1b\\(.*?)\x1b\]8;;\x1b\\", shown) == [
        ("file:///my%20specs/apps/web.yml", "apps/web.yml:3:5"),
        ("http://web.local:8080/a?b=1", "http://web.local:8080/a?b=1"),
        ("https://x.org/y", "https://x.org/y"),
    ]
    once = with_links(text)
    assert with_links(once) == once, "what is a link stays that link"
    assert file_url("/a b/ü%.yml") == "file:///a%20b/%C3%BC%25.yml"
