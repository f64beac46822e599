"""Our matcher of .gitignore files is held against `git check-ignore`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dusty_tasks.core.code.gitignore import Ignores, patterns_of

NAMES = ["a", "b", "ab", "a.py", "x-y", "x*", "é", "a b", "[a", "\\", "b ", "#x", "!x", "node_modules"]
FOLDERS = ["", "d", "d/e", "d/e/d", "d/d", "ab.d", "node_modules", "d/node_modules", "foo", "foo/x"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working tree with folders three deep, with every name as a file where it is not a folder."""
    root = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", root], check=True)
    for folder in FOLDERS:
        (root / folder).mkdir(exist_ok=True, parents=True)
    for folder in FOLDERS:
        for name in NAMES:
            if not (root / folder / name).exists():
                (root / folder / name).write_text("")
    return root


def paths_in(root: Path) -> list[tuple[str, bool]]:
    found = []
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        below = os.path.relpath(parent, root)
        found += [
            (os.path.normpath(os.path.join(below, name)), name in folders)
            for name in [*folders, *names]
            if name != ".gitignore"
        ]
    return found


def by_git(root: Path, paths: list[tuple[str, bool]]) -> set[str]:
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "-z", "--stdin", "--no-index"],
        cwd=root,
        input=b"\0".join(os.fsencode(path) for path, _ in paths),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {os.fsdecode(path) for path in done.stdout.split(b"\0") if path}


def by_us(files: dict[str, bytes], exclude: bytes, paths: list[tuple[str, bool]]) -> set[str]:
    by_folder = {b"/" + os.fsencode(folder + "/" * bool(folder)): text for folder, text in files.items()}
    ignores = Ignores(by_folder.get, exclude)
    return {path for path, is_folder in paths if ignores.deciding(b"/" + os.fsencode(path), is_folder)}


pieces = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "d",
        "e",
        "foo",
        "x",
        ".py",
        "*",
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
        "\\ ",
        "é",
        "-",
        " ",
        "!",
        "#",
        "node_modules",
        "\r",
        "\t",
    ]
)
lines = st.tuples(st.sampled_from(["", "", "", "!"]), st.lists(pieces, min_size=1, max_size=6).map("".join)).map(
    "".join
)
texts = st.lists(lines, max_size=4).map("\n".join)


@given(texts, texts, texts, texts)
@example("node_modules/", "", "", "")
@example("*\n!*/\n!*.py", "", "", "")
@example("d/\n!d/e/", "!a", "!a", "")
@example("foo**/x", "", "", "")
@example("foo**x", "", "", "")
@example("/**/d", "**", "", "")
@example("d/**/a\nd/**", "", "!/a", "")
@example("a\\ \na \nb\\ ", "", "", "")
@example("\\#x\n\\!x\n#x", "", "", "")
@example("/", "//", "!", "\\")
@example("a\r\nb\r", "", "", "*.py")
@example("", "!a.py", "", "*.py\n!ab")
@example("[[:nonsense:]]", "[", "[a-", "a[")
@example("?**/x", "", "", "")
@example("d**\\/a", "", "", "")
@example("\ufeffa", "", "", "")
def test_our_matcher_agrees_with_git(tree: Path, at_root: str, in_d: str, in_d_e: str, exclude: str) -> None:
    files = {"": at_root.encode(), "d": in_d.encode(), "d/e": in_d_e.encode()}
    for folder, text in files.items():
        (tree / folder / ".gitignore").write_bytes(text)
    (tree / ".git/info/exclude").write_bytes(exclude.encode())
    paths = paths_in(tree)
    assert by_us(files, exclude.encode(), paths) == by_git(tree, paths)


def test_a_pattern_says_where_it_was_written() -> None:
    ignores = Ignores({b"/": b"# c\n*.log\n", b"/a/": b"!b.log\n\nc\n"}.get, b"d\n")
    said = {
        path: str(found)
        for path in (b"/x.log", b"/a/b.log", b"/a/c", b"/d/e/f")
        if (found := ignores.deciding(path, False))
    }
    assert said == {
        b"/x.log": "*.log (.gitignore:2)",
        b"/a/c": "c (a/.gitignore:3)",
        b"/d/e/f": "d (.git/info/exclude:1)",
    }


def test_a_folder_of_a_repo_has_the_patterns_above_it_too() -> None:
    files = {b"/": b"*.log\n/sub/out\n", b"/sub/": b"!x.log\n"}
    ignores = Ignores(files.get, b"secret\n", b"/sub")
    assert [bool(ignores.deciding(path, False)) for path in (b"/a.log", b"/x.log", b"/out", b"/secret", b"/other")] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_repo_that_ignores_the_folder_has_no_say_in_it() -> None:
    ignores = Ignores({b"/": b"*\n", b"/sub/": b"*.log\n"}.get, b"secret\n", b"/sub")
    assert [bool(ignores.deciding(path, False)) for path in (b"/a", b"/a.log", b"/secret")] == [False, True, False]


def test_the_last_line_comes_first() -> None:
    assert [pattern.text for pattern in patterns_of(b"a\nb\n\n#c\n", "x")] == [b"b", b"a"]
