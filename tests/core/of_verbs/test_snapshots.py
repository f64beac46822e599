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
    Place,
    Saved,
    Snapshot,
    from_json,
    keepers,
    name_trouble,
    outermost,
    place_of,
    targets_of,
    to_json,
    users_of,
)
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.worlds.model import World, settings_of


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


def test_the_data_of_a_world_are_its_own_under_the_names_of_the_specs() -> None:
    base = Settings(home="/d", host=HostSettings(root="/h"))
    world = settings_of(World("fix", "127.77.0.1"), base, "/d/worlds/fix")
    root = world.host.root
    volumes = [
        f"{root}/data/shop/db:/data",
        "store:/store",
        f"{root}/persist/repos/a:/code",
        "/h/persist/shop/db:/base",
    ]
    db = WantedContainer("db", "service", "dusty-fix_db_1", {"volumes": volumes})
    seen = {folder("shop/db"): "/data", Item(VOLUME, "store"): "/store"}
    assert keepers(Wanted((db,)), world) == {"db": list(seen)} and targets_of(db, world) == seen
    assert [place_of(item, world) for item in seen] == [
        Place(FOLDER, "../data/shop/db"),
        Place(VOLUME, world.namespace.volume("store")),
    ]
    assert place_of(folder("shop/db"), base) == Place(FOLDER, "shop/db")


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
