"""`dusty bundles`: all names are checked first, two writers lose nothing, nothing but config.yml changes."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from chosen import Chosen

ROOT = Path(__file__).resolve().parents[2]


def active(dusty: Chosen) -> list[str]:
    return [row["name"] for row in json.loads(dusty("bundles", "--json").out) if row["active"]]


def test_list_shows_name_description_and_what_is_active(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    assert dusty("bundles").out.splitlines() == [
        "bundle         active  description",
        "Bücher & more",
        "shop           yes     All of the shop",
    ]
    assert dusty("bundles", "list").out == dusty("bundles").out


def test_json_has_the_same(dusty: Chosen) -> None:
    assert json.loads(dusty("bundles", "list", "--json").out)[1] == {
        "name": "shop",
        "description": "All of the shop",
        "active": False,
        "in_specs": True,
    }


def test_activate_adds_and_only_replaces(dusty: Chosen) -> None:
    assert dusty("bundles", "activate", "shop").out == "activated: shop\n"
    assert (
        dusty("bundles", "activate", "Bücher & more", "shop").out == "activated: Bücher & more\nalready active: shop\n"
    )
    assert active(dusty) == ["Bücher & more", "shop"]
    assert dusty("bundles", "activate", "--only", "shop").out == "already active: shop\ndeactivated: Bücher & more\n"
    assert active(dusty) == ["shop"]


def test_a_bundle_is_known_in_any_spelling_of_its_letters(dusty: Chosen) -> None:
    assert dusty("bundles", "activate", unicodedata.normalize("NFD", "Bücher & more")).code == 0
    assert active(dusty) == ["Bücher & more"]


def test_one_unknown_name_and_nothing_changes(dusty: Chosen) -> None:
    before = dusty.config.read_bytes()
    ended = dusty("bundles", "activate", "shop", "shpo")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == 'no bundle named "shpo"\n    hint: did you mean "shop"?\n'
    assert dusty.config.read_bytes() == before


def test_deactivate_takes_what_is_active_or_in_the_specs(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    ended = dusty("bundles", "deactivate", "shop", "Bücher & more")
    assert (ended.code, ended.out) == (0, "deactivated: shop\nnot active: Bücher & more\n")
    assert dusty("bundles", "deactivate", "nosuch").code == 1
    assert dusty.config.read_text().endswith("# ours\n"), "the comment stays, and no empty list"


def test_a_bundle_gone_from_the_specs_is_marked_and_can_be_switched_off(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    (dusty.specs / "bundles/shop.yml").unlink()
    assert "shop           yes     (no longer in the specs)" in dusty("bundles").out
    assert dusty("bundles", "deactivate", "shop").code == 0


def test_a_bundle_can_be_switched_off_while_specs_are_broken(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    dusty.write("apps/web.yml", "image: [\n")
    assert dusty("bundles", "activate", "Bücher & more").code == 1
    assert dusty("bundles", "deactivate", "shop").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["activate"], "needs the name of a bundle"),
        (["nosuch"], 'unknown argument "nosuch"'),
        (["activte"], 'did you mean "activate"?'),
        (["list", "x"], "unexpected argument"),
        (["deactivate", "--only", "shop"], "--only belongs to activate"),
        (["activate", ""], 'no bundle named ""'),
        (["activate", "x" * 100_000], "no bundle named"),
        (["activate", "a\nb"], "no bundle named"),
        (["activate", "a=b"], 'no bundle named "a=b"'),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_words_are_named(dusty: Chosen, words: list[str], said: str) -> None:
    ended = dusty("bundles", *words)
    assert ended.code == 1 and said in ended.err and "Traceback" not in ended.err


def test_without_a_specs_repo_the_way_out_is_named(dusty: Chosen) -> None:
    dusty.config.write_text("routing: network\n")
    ended = dusty("bundles")
    assert ended.code == 1 and "dusty setup" in ended.err


def test_two_at_once_lose_nothing(dusty: Chosen) -> None:
    for number in range(6):
        dusty.write(f"bundles/b{number}.yml", "apps: []\n")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "dusty_tasks", "bundles", "activate", f"b{number}"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for number in range(6)
    ]
    assert [process.wait() for process in running] == [0] * 6
    assert active(dusty) == [f"b{number}" for number in range(6)]
    assert set(dusty.log()) == {"config.yml as it was found", *(f"bundles activate b{number}" for number in range(6))}
