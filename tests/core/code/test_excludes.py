"""Our matcher of exclude patterns is held against rsync itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dusty_tasks.core.code.excludes import Matcher, Rule, filter_text, rules_of

NAMES = ["a", "b", "ab", "a.py", "c]", "x-y", "x*", "é", ".git", "node_modules", "a b", "[a", "\\"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders three deep, with every name as a file, and some as folders."""
    root = tmp_path_factory.mktemp("tree")
    folders = [
        root,
        *(root / one for one in ("d", "ab.d", ".git")),
        *(root / "d" / two for two in ("e", "d", "x-y.d")),
        root / "d" / "e" / "d",
    ]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for folder in folders:
        for name in NAMES:
            if not (folder / name).exists():
                (folder / name).write_text("")
    return root


def by_rsync(root: Path, rules: tuple[Rule, ...], target: Path) -> set[str]:
    """What `rsync -n` would send."""
    argv = ["rsync", "-rn", "-8", "--out-format=%n", "--filter=merge -", f"{root}/", f"{target}/"]
    done = subprocess.run(argv, input=filter_text(rules), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line for line in done.stdout.decode("utf-8", "surrogateescape").splitlines() if line != "./"}


def by_us(root: Path, rules: tuple[Rule, ...]) -> set[str]:
    """The same, walked with our matcher."""
    matcher, found = Matcher(rules), set()

    def walk(folder: Path, below: str) -> None:
        for entry in os.scandir(folder):
            is_folder = entry.is_dir(follow_symlinks=False)
            path = f"{below}/{entry.name}"
            is_hit = entry.name.encode() in matcher.names or bool(
                (expression := matcher.any_folder if is_folder else matcher.any_file)
                and expression.fullmatch(path.encode())
            )
            is_excluded = matcher.is_excluded(path.encode(), is_folder)
            assert is_hit or not is_excluded, "the quick answer contradicts the full one"
            if is_excluded:
                continue
            found.add(path[1:] + "/" * is_folder)
            if is_folder:
                walk(Path(entry.path), path)

    walk(root, "")
    return found


pieces = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "d",
        "e",
        ".d",
        ".py",
        "*",
        "**",
        "***",
        "?",
        "/",
        "/",
        "[ab]",
        "[!a]",
        "[^b]",
        "[a-c]",
        "[",
        "]",
        "[]x]",
        "[[:alpha:]]",
        "[[:punct:]]",
        "[a-]",
        "[\\]]",
        "\\",
        "\\*",
        "é",
        "-",
        "x",
        " ",
        ".git",
        "node_modules",
    ]
)
patterns = st.lists(pieces, min_size=1, max_size=6).map("".join)
lines = st.tuples(st.sampled_from(["", "", "", "!"]), patterns).map("".join)


@given(st.lists(lines, min_size=1, max_size=4))
@example(["d/***"])
@example(["/d/***", "!a"])
@example(["/***"])
@example(["**/d"])
@example(["/**/d"])
@example(["!d/", "!*/", "*"])
@example(["e/d/"])
@example(["d/*/a"])
@example(["!.git"])
@example(["d/**/a"])
@example(["/"])
@example(["a//b"])
@example(["?"])
@example(["x\\*"])
@example(["[[:nonsense:]]"])
@example(["\\"])
@example(["*\\"])
def test_our_matcher_agrees_with_rsync(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, written: list[str]
) -> None:
    rules = rules_of("\n".join(written).encode())
    assert by_us(tree, rules) == by_rsync(tree, rules, tmp_path_factory.getbasetemp() / "nowhere")


def test_rules_come_in_the_order_file_setting_built_in() -> None:
    rules = rules_of(b"# comment\r\n\n/node_modules\r\n!*.pyc\n", ["*.log", "!keep"])
    assert [(rule.pattern, rule.is_exclude, rule.origin) for rule in rules] == [
        (b"/node_modules", True, ".dustyignore:3"),
        (b"*.pyc", False, ".dustyignore:4"),
        (b"*.log", True, "sync.exclude[0]"),
        (b"keep", False, "sync.exclude[1]"),
        (b".git", True, "built in"),
    ]


def test_git_data_is_left_out_at_any_depth_unless_kept() -> None:
    assert Matcher(rules_of(b"")).is_excluded(b"/a/b/.git", True)
    assert Matcher(rules_of(b"")).is_excluded(b"/module/.git", False)
    assert not Matcher(rules_of(b"!.git")).is_excluded(b"/.git", True)


def test_a_rule_says_where_it_was_written() -> None:
    rule = Matcher(rules_of(b"!a\n*.py")).deciding_rule(b"/x.py", False)
    assert str(rule) == "*.py (.dustyignore:2)"


def test_a_path_is_left_out_with_a_folder_on_its_way() -> None:
    matcher = Matcher(rules_of(b"!/build/keep\n/build/\n*.log"))
    left_out = {
        path
        for path in (b"/build/keep", b"/build/x/y", b"/a/x.log", b"/a/build/x", b"/build")
        if matcher.leaves_out(path)
    }
    assert left_out == {b"/build/keep", b"/build/x/y", b"/a/x.log"}
