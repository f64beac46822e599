"""Which change undo means: a table of histories, oldest first, as people read them."""

from __future__ import annotations

import pytest

from dusty_tasks.core.settings.history import AS_FOUND, NOTHING, Entry, named, newest_standing, state_before


def history(*changes: str) -> list[Entry]:
    """`a`, `b`: changes; `u>a`: an undo that restored the state of a; `n>note`: a change of assets. Newest first comes out."""
    parted = [change.partition(">") for change in changes]
    return [
        Entry(name, "", "", AS_FOUND if name == "found" else f"what {name}", restored, name * 4)
        for name, _, restored in reversed(parted)
    ]


@pytest.mark.parametrize(
    ("changes", "undone", "restored"),
    [
        (["a"], "a", NOTHING),
        (["a", "b"], "b", "aaaa"),
        (["a", "b", "u>aaaa"], "a", NOTHING),
        (["a", "b", "u>aaaa", "v>nothing"], "", ""),
        (["a", "b", "u>aaaa", "c"], "c", "uuuu"),
        (["a", "b", "u>aaaa", "c", "v>uuuu"], "a", NOTHING),
        (["a", "b", "u>aaaa", "v>bbbb"], "b", "aaaa"),
        (["a", "n>note"], "a", NOTHING),
        (["n>note", "a"], "a", "nnnn"),
        (["n>note"], "", ""),
        (["a", "n>note", "b", "u>nnnn"], "a", NOTHING),
        (["found"], "", ""),
        (["found", "a"], "a", "found" * 4),
        (["found", "a", f"u>{'found' * 4}"], "", ""),
        ([], "", ""),
    ],
    ids=" ".join,
)
def test_undo_means_the_change_that_made_the_present_state(changes: list[str], undone: str, restored: str) -> None:
    entries = history(*changes)
    found = newest_standing(entries)
    assert (found.id if found else "") == undone
    if found:
        assert state_before(entries, found) == restored


@pytest.mark.parametrize(
    ("change_id", "found"), [("aaaa", "a"), ("AAAA", "a"), ("aaa", ""), ("", ""), ("aaaaa", ""), ("zzzz", "")]
)
def test_an_id_may_be_cut_to_four_characters(change_id: str, found: str) -> None:
    entry = named(history("a", "b"), change_id)
    assert (entry.id if entry else "") == found
