"""`cp`: what its words mean, the path of the copy, and entries that would land elsewhere."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.copying import End, copy_path, end_of, renamed


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("web:/app/x", End("web", "/app/x", False)),
        ("web:/app/", End("web", "/app", True)),
        ("web:/", End("web", "/", True)),
        ("web:/a/../b//c", End("web", "/b/c", False)),
        ("dusty_web_1:/x", End("dusty_web_1", "/x", False)),
        ("a", End("", "a", False)),
        ("dir/", End("", "dir", True)),
        ("./a:b", End("", "./a:b", False)),
        ("../a:/b", End("", "../a:/b", False)),
        ("/tmp/a:/b", End("", "/tmp/a:/b", False)),
        ("~/a:b", End("", "~/a:b", False)),
        ("/", End("", "/", True)),
    ],
)
def test_a_word_is_a_place_here_or_in_a_container(word: str, end: End) -> None:
    assert end_of(word) == end


@pytest.mark.parametrize("word", ["web:app", "web:", "a:b"])
def test_a_relative_path_in_a_container_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"must be absolute.*\./"):
        end_of(word)


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(ValueError, match="path is empty"):
        end_of("")


@pytest.mark.parametrize(
    ("is_folder", "destination", "ends_in_slash", "found", "path"),
    [
        (False, "/d", False, "", "/d"),
        (False, "/d", True, "", "/d/f"),
        (False, "/d", False, "folder", "/d/f"),
        (False, "/d", False, "file", "/d"),
        (True, "/d", False, "", "/d"),
        (True, "/d", True, "", "/d"),
        (True, "/d", False, "folder", "/d"),
        (True, "/d", True, "folder", "/d"),
    ],
)
def test_a_file_goes_into_a_folder_and_a_folder_becomes_the_destination(
    is_folder: bool, destination: str, ends_in_slash: bool, found: str, path: str
) -> None:
    assert copy_path("f", is_folder, destination, ends_in_slash, found) == path


@pytest.mark.parametrize(("is_folder", "ends_in_slash"), [(True, False), (True, True), (False, True)])
def test_a_file_is_no_place_for_a_folder(is_folder: bool, ends_in_slash: bool) -> None:
    with pytest.raises(ValueError, match="is a file"):
        copy_path("f", is_folder, "/d", ends_in_slash, "file")


@pytest.mark.parametrize(
    ("entry", "root", "copy", "name"),
    [
        ("src/a/b", "src", "x", "x/a/b"),
        ("src/", "src", "x", "x"),
        ("src/a", "src", "", "a"),
        ("src", "src", "", ""),
        ("./a", "", "x", "x/a"),
    ],
)
def test_entries_take_the_copys_name(entry: str, root: str, copy: str, name: str) -> None:
    assert renamed(entry, root, copy) == name


@pytest.mark.parametrize("entry", ["other/a", "src/../../etc/passwd", "/etc/passwd", ""])
def test_an_entry_that_is_not_below_the_source_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="outside the destination"):
        renamed(entry, "src", "x")
