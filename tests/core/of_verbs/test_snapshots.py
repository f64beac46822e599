"""What is saved, who writes to it, and the manifest of a snapshot."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.snapshots import (
    ABSENT,
    BEFORE,
    COPY,
    FOLDER,
    MIXED,
    REFLINK,
    VOLUME,
    Item,
    Saved,
    Snapshot,
    from_json,
    keepers,
    name_trouble,
    outermost,
    to_json,
    users_of,
)
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import HostSettings, Settings


def folder(name: str) -> Item:
    return Item(FOLDER, name)


def test_what_parts_keep_is_below_persist_or_in_named_volumes_and_nothing_of_dustys_own() -> None:
    volumes = [
        "/h/persist/db:/data",
        "store:/store",
        "/h/cp/db:/cp",
        "/h/persist/repos/a:/code",
        "/etc:/etc",
        "/anonymous",
    ]
    wanted = Wanted(
        (
            WantedContainer("db", "service", "dusty_db_1", {"volumes": volumes}),
            WantedContainer("all", "service", "dusty_all_1", {"volumes": ["/h/persist:/all"]}),
            WantedContainer("web", "app", "dusty_web_1", {}),
        )
    )
    assert keepers(wanted, Settings(home="/d", host=HostSettings(root="/h"))) == {
        "all": [folder("")],
        "db": [folder("db"), Item(VOLUME, "store")],
    }


def test_a_folder_in_another_one_is_saved_with_it_and_all_who_see_it_are_its_users() -> None:
    assert outermost([folder("a/b"), folder("a"), folder("ab"), folder("a"), Item(VOLUME, "a")]) == [
        folder("a"),
        folder("ab"),
        Item(VOLUME, "a"),
    ]
    by_keeper = {"outer": [folder("a")], "inner": [folder("a/b/c")], "other": [folder("ab")], "all": [folder("")]}
    assert users_of([folder("a/b")], by_keeper) == ["outer", "inner", "all"]
    assert users_of([Item(VOLUME, "a")], by_keeper) == []


items = st.builds(Item, st.sampled_from([FOLDER, VOLUME]), st.text(min_size=1))
saved = st.builds(Saved, items, st.sampled_from([REFLINK, COPY, ABSENT]), st.integers(0))
snapshots = st.builds(
    Snapshot, st.text(), st.text(), st.lists(st.text()).map(tuple), st.lists(saved).map(tuple), st.floats(0, 1e9)
)


@given(snapshots)
def test_a_manifest_is_read_as_it_was_written_on_one_line(snapshot: Snapshot) -> None:
    text = json.dumps(to_json(snapshot))
    assert from_json(json.loads(text)) == snapshot and "\n" not in text


@pytest.mark.parametrize("data", [None, [], {}, {"format": 2}, {"format": 1, "name": "a"}])
def test_what_is_no_manifest_is_no_snapshot(data: object) -> None:
    assert from_json(data) is None


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "a b", "-x", "a" * 61, "ä", BEFORE, "a\n"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(name: str) -> None:
    assert name_trouble(name)


@pytest.mark.parametrize("name", ["a", "before-migration", "2026.11_a"])
def test_other_names_are_fine(name: str) -> None:
    assert name_trouble(name) == ""


@pytest.mark.parametrize(
    ("hows", "how"),
    [
        ((REFLINK, REFLINK), REFLINK),
        ((COPY, ABSENT), COPY),
        ((REFLINK, COPY, ABSENT), MIXED),
        ((ABSENT,), ABSENT),
        ((), ABSENT),
    ],
)
def test_how_a_snapshot_was_made_is_how_its_items_were(hows: tuple[str, ...], how: str) -> None:
    assert Snapshot("a", "", (), tuple(Saved(folder(str(number)), each) for number, each in enumerate(hows))).how == how
