"""The files that the proxy's pages take in: what they say, and that nothing in them can be anything but text."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.proxy_states import MAX_LINE, MAX_LINES, Seen, state_files
from dusty_tasks.core.plan.container_state import FAILED, NOT_ANSWERING, RUNNING, STARTING, STOPPED, State
from dusty_tasks.core.plan.wanted import WantedContainer

SEEN = Seen("dusty up", 1795831320.9)
TAGS = ["section", "p", "pre", "p", "small", "time", "span"]


class Page(HTMLParser):
    """The tags, comments and text of a part of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.comments: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.text += data


def container(name: str = "web", kind: str = "app", ports: tuple[int, ...] = (8000,)) -> WantedContainer:
    return WantedContainer(name, kind, f"dusty_{name}_1", {}, route_ports=ports)


def files(state: State, printed: str = "") -> dict[str, str]:
    return state_files([container()], {"web": state}, {"web": printed}, SEEN)


@pytest.mark.parametrize(
    ("state", "sentence", "word", "is_down"),
    [
        (State(STARTING, "is being started"), "web is being started.", "starting", True),
        (State(STOPPED, "was stopped by hand"), "web was stopped by hand; dusty up starts it.", "stopped", True),
        (
            State(FAILED, "exited with status 3", "exited 3"),
            "web exited with status 3; dusty logs web shows why, dusty up starts it again.",
            "failed (exited 3)",
            True,
        ),
        (
            State(NOT_ANSWERING, "does not answer: nothing listens on 8002; the container listens on 9999"),
            "web does not answer: nothing listens on 8002; the container listens on 9999.",
            "not answering",
            True,
        ),
        (State(RUNNING, "is running"), "web is running.", "running", False),
    ],
)
def test_each_state_is_told_apart_with_its_date(state: State, sentence: str, word: str, is_down: bool) -> None:
    found = files(state, "one\ntwo")
    assert (
        sentence in found["web.html"]
        and "one&#10;two" in found["web.html"]
        and found["web.word"].startswith(f"{word} ")
    )
    assert "2026-11-28 02:02:00 UTC" in found["web.html"] and "As dusty up saw it at " in found["web.html"]
    assert json.loads(found["web.json"]) == {
        "state": state.name,
        "what": sentence,
        "detail": state.detail,
        "lines": ["one", "two"],
        "by": "dusty up",
        "seen": "2026-11-28T02:02:00Z",
        "is_down": is_down,
    }


def test_only_what_a_route_leads_to_is_told_of() -> None:
    wanted = [
        container(),
        container("worker", ports=()),
        container("cache", "service", ports=()),
        container("mail", "service"),
        container("dustyInternalNginx", "proxy"),
    ]
    assert {
        name.partition(".")[0] for name in state_files(wanted, {each.name: State(RUNNING) for each in wanted}, {}, SEEN)
    } == {"mail", "web"}


def test_colours_and_secrets_are_left_out_and_long_output_is_cut() -> None:
    lines = json.loads(files(State(FAILED), "\x1b[31mred\x1b[0m\npassword=hunter2\n" + "x" * 9000)["web.json"])["lines"]
    assert lines == ["red", "password=<redacted>", "x" * MAX_LINE]
    known = state_files([container()], {"web": State(FAILED)}, {"web": "key is s3cr3t-value"}, SEEN, ["s3cr3t-value"])
    assert "s3cr3t" not in "".join(known.values())
    assert len(json.loads(files(State(FAILED), "a\n" * 500)["web.json"])["lines"]) == MAX_LINES


HOSTILE = st.text() | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</pre></section><img src=x onerror=y>",
        '<!--#include virtual="/etc/passwd"-->',
        "--><!--#exec cmd=x-->",
        "\t\n\r\x1b[2J",
        "&lt;b&gt;",
        "\u2028",
        "\ud800",
        '"}, {"a": "',
    ]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_an_app_prints_is_text(what: str, detail: str, printed: str) -> None:
    found = files(State(FAILED, what, detail), printed)
    for name, text in found.items():
        assert "\n" not in text and "\t" not in text and "<!--" not in text, name
        text.encode()
    page, word = Page(found["web.html"]), Page(found["web.word"])
    assert page.tags == TAGS and word.tags == ["time", "span"] and page.comments == word.comments == []
    told = json.loads(found["web.json"])
    assert "<" not in found["web.json"] and found["web.json"].isascii() and told["state"] == FAILED
    assert all(line.strip() in page.text for line in told["lines"] if line.isprintable())
