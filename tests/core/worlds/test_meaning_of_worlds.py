"""Which world a command means, and what a world may be called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.worlds.meaning import meant
from dusty_tasks.core.worlds.model import BASE, MAX_NAME, World, free_address, from_json, name_from, to_json, wrong_name

TAKEN = {
    "fix": ["/src/shop-fix"],
    "inner": ["/src/shop-fix/vendor/lib"],
    "two": ["/src/pay", "/src/both"],
    "three": ["/src/both"],
}


@pytest.mark.parametrize(
    ("option", "variable", "folder", "name", "why"),
    [
        ("two", "fix", "/src/shop-fix", "two", "--world says so"),
        ("base", "", "/src/shop-fix", BASE, "--world says so"),
        (None, "two", "/src/shop-fix", "two", "DUSTY_WORLD says so"),
        (None, "", "/src/shop-fix", "fix", "it takes /src/shop-fix"),
        (None, "", "/src/shop-fix/a/b", "fix", "it takes /src/shop-fix"),
        (None, "", "/src/shop-fix/vendor/lib/c", "inner", "it takes /src/shop-fix/vendor/lib"),
        (None, "", "/src/shop-fixed", BASE, "no world takes a repo from this folder"),
        (None, "", "/src/both", BASE, "three and two both take /src/both, so it is none of them"),
    ],
)
def test_the_nearest_says_which_world(option: str | None, variable: str, folder: str, name: str, why: str) -> None:
    found = meant(option, variable, folder, TAKEN)
    assert (found.name, found.why) == (name, why)


def test_a_folder_that_the_base_takes_too_is_the_base() -> None:
    found = meant(None, "", "/src/pay/x", TAKEN, ["/src/pay"])
    assert (found.name, found.why) == (BASE, "the base takes /src/pay, too")
    assert meant(None, "", "/src/pay", {}).why == "there is no other"


@pytest.mark.parametrize("name", ["a", "fix-ui", "a1-b2-c3", "x" * MAX_NAME])
def test_a_name_that_fits(name: str) -> None:
    assert not wrong_name(name)


@pytest.mark.parametrize("name", ["", "Fix", "a--b", "-a", "a-", "a.b", "a/b", "a\n", "base", "x" * (MAX_NAME + 1)])
def test_a_name_that_does_not_fit(name: str) -> None:
    assert wrong_name(name)


@given(st.text(max_size=60))
def test_a_branch_gives_a_good_name_or_none(branch: str) -> None:
    name = name_from(branch)
    assert name == "" or not wrong_name(name)


def test_addresses_are_given_once_and_end() -> None:
    assert free_address([]) == "127.77.0.1"
    assert free_address(["127.77.0.1", "127.77.0.3"]) == "127.77.0.2"
    assert free_address(f"127.77.0.{number}" for number in range(1, 255)) == ""


def test_a_world_is_read_as_it_was_written() -> None:
    world = World(
        "fix",
        "127.77.0.1",
        {"shop": "/src/fix"},
        own=("worker",),
        parts={"web": True, "db": False},
        uses={"db": ["db"]},
    )
    assert from_json({**to_json(world), "of_a_later_version": 1}) == world
    assert (world.own_parts, world.shared_parts) == ({"web"}, ("db",))
    with pytest.raises(TypeError):
        from_json({**to_json(world), "name": "../x"})
