"""A worktree that holds the same as another is no difference, whatever its times."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dusty_tasks.core.code.excludes import Rule
from dusty_tasks.effects.code.same_trees import hold_the_same


def tree(folder: Path) -> Path:
    (folder / "below").mkdir(parents=True)
    (folder / "a").write_text("one\n")
    (folder / "below/b").write_text("two\n")
    (folder / "link").symlink_to("a")
    return folder


@pytest.mark.parametrize(
    "edit",
    [
        lambda root: (root / "a").write_text("eno\n"),
        lambda root: (root / "a").chmod(0o755),
        lambda root: (root / "below/b").unlink(),
        lambda root: (root / "below/c").write_text(""),
        lambda root: (root / "below/d").mkdir(),
        lambda root: (root / "link").unlink() or (root / "link").symlink_to("below"),
        lambda root: (root / "link").unlink() or (root / "link").write_text("one\n"),
    ],
    ids=["content", "mode", "gone", "new", "folder", "link", "type"],
)
def test_any_difference_is_seen(tmp_path: Path, edit: Callable[[Path], object]) -> None:
    one, other = tree(tmp_path / "one"), tree(tmp_path / "other")
    os.utime(other / "a", (1, 1))
    rules: list[Rule] = []
    assert hold_the_same(str(one), str(other), rules)
    edit(other)
    assert not hold_the_same(str(one), str(other), rules)
    assert not hold_the_same(str(other), str(one), rules)


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        hold_the_same(str(tmp_path / "gone"), str(tree(tmp_path / "one")), [])
