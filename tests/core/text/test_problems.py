"""What an unknown word was most likely meant to be."""

from __future__ import annotations

import pytest

from dusty_tasks.core.text.problems import nearest

KEYS = ("commands", "conditional_links", "depends", "image", "image_requires_login", "scripts", "test")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("comands", "commands"),
        ("Commands", "commands"),
        ("imgae", "image"),
        ("tset", "test"),  # one or two slips
        ("conditional", "conditional_links"),
        ("tests_of_web", "test"),
        ("dependencies", "depends"),
        ("scripting", "scripts"),  # a beginning
        ("comic", ""),
        ("i", ""),
        ("ports", ""),
        ("", ""),
    ],
)
def test_nearest(word: str, meant: str) -> None:
    assert nearest(word, KEYS) == meant


def test_nothing_is_near_nothing() -> None:
    assert nearest("web", ()) == ""
