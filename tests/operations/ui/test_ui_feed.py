"""What pages are told: bounded, in order, masked."""

from __future__ import annotations

from dusty_tasks.operations.ui.feed import LINES_KEPT, LONGEST_LINE, WAITING, Feed


def line(number: int) -> dict[str, str]:
    return {"what": "line", "name": "web", "text": f"line {number}", "at": "2026-11-28T10:00:00.000+00:00"}


def test_a_page_gets_what_is_kept_and_then_what_comes() -> None:
    feed = Feed()
    feed.tell("state", {"at": 1})
    feed.tell("state", {"at": 2})
    feed.tell_item(line(1))
    feed.tell_item({"what": "start", "name": "web", "text": "started"})
    listener = feed.listen()
    batch = listener.take()
    assert batch["state"] == [{"at": 2}] and [each["text"] for each in batch["line"] + batch["event"]] == [
        "line 1",
        "started",
    ]
    feed.tell_item(line(2))
    assert [each["text"] for each in listener.take()["line"]] == ["line 2"]
    assert listener.take() == {}
    feed.leave(listener)
    assert not feed.is_watched


def test_however_much_comes_a_page_that_takes_nothing_holds_no_more_than_its_share() -> None:
    feed = Feed()
    listener = feed.listen()
    for number in range(WAITING * 3):
        feed.tell_item(line(number))
    batch = listener.take()
    assert len(batch["line"]) == WAITING and batch["dropped"] == [WAITING * 2]
    assert batch["line"][-1]["text"] == f"line {WAITING * 3 - 1}"
    assert len(feed.listen().take()["line"]) == LINES_KEPT


def test_of_states_the_newest_alone_waits() -> None:
    feed = Feed()
    listener = feed.listen()
    for number in range(100):
        feed.tell("state", {"at": number})
    assert listener.take() == {"state": [{"at": 99}]}


def test_every_text_is_masked_and_long_lines_are_cut() -> None:
    feed = Feed(lambda text: text.replace("hunter2", "<redacted>"))
    feed.tell("state", {"stack": [{"name": "web", "why": "password hunter2", "ports": ["hunter2"]}]})
    feed.tell_item({**line(1), "text": "hunter2" + "x" * 9000})
    feed.tell_item({**line(2), "text": "x" * (LONGEST_LINE - 3) + "hunter2"})  # the cut goes through it
    batch = feed.listen().take()
    assert (
        "hun" not in str(batch) and "hunter2" not in str(batch) and len(batch["line"][0]["text"]) <= LONGEST_LINE + 10
    )
