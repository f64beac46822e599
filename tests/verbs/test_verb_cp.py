"""`dusty cp` up to the engine: words, what is unknown, what it says (the copying itself: tests/effects, tests/e2e)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from chosen import Chosen
from engines import Engine, engine

__all__ = ["engine"]

ONE_FILE = """
case "$*" in
exec*) exit 127 ;;
*" -") case "$*" in *":/there/f -") tar -C "$(dirname "$0")" -c f ;; *":/folder -" | *":/ -") tar -C "$(dirname "$0")" -c folder ;;
       *":/there -") tar -C "$(dirname "$0")" -c folder ;;
       *) echo "Error response from daemon: Could not find the file /x in container web" >&2; exit 1 ;; esac ;;
*) cat > "$(dirname "$0")/received.tar" ;;
esac
"""


@pytest.fixture
def copying(engine: Engine) -> Engine:
    """`docker cp` with a file /there/f and a folder /folder in every container."""
    engine.script(ONE_FILE)
    (engine.folder / "f").write_text("hello")
    (engine.folder / "folder").mkdir()
    return engine


def test_a_file_comes_from_a_container(dusty: Chosen, copying: Engine, tmp_path: Path) -> None:
    ended = dusty("cp", "web:/there/f", f"{tmp_path}/new/copy")
    assert (ended.code, ended.out) == (0, f"copied web:/there/f to {tmp_path}/new/copy: 1 file, 5 bytes\n")
    assert (tmp_path / "new/copy").read_text() == "hello"


def test_a_file_goes_into_the_deepest_folder_there_is_with_its_missing_parents(
    dusty: Chosen, copying: Engine, tmp_path: Path
) -> None:
    import tarfile

    assert dusty("cp", str(copying.folder / "f"), "web:/folder/a/b").code == 0
    assert copying.calls[-1] == "cp - id-web:/folder"
    with tarfile.open(copying.folder / "received.tar") as archive:
        assert [(member.name, member.isdir(), member.uid) for member in archive] == [("a", True, 0), ("a/b", False, 0)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs a source and a destination"),
        (["a"], "needs a source"),
        (["a", "b", "c"], "needs a source"),
        (["a", "b"], "both paths are on this machine"),
        (["web:x", "y"], "must be absolute"),
        (["wbe:/x", "y"], 'did you mean "web"?'),
        (["web:/nosuch", "y"], "web:/nosuch: no such file or folder"),
        (["/nosuch/file", "web:/x"], "/nosuch/file: no such file or folder"),
        (["", "web:/x"], "the path is empty"),
        (["web:/folder", "{file}"], "is a file, and a folder cannot be copied onto it"),
        (["{file}", "web:/there/f/"], "/there/f is a file, not a folder"),
        (["{file}", "web:/there/f/below"], "/there/f is a file, not a folder"),
    ],
)
def test_what_cannot_be_copied(dusty: Chosen, copying: Engine, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "file").write_text("kept")
    ended = dusty("cp", *(word.format(file=tmp_path / "file") for word in words))
    assert ended.code == 1 and said in ended.err
    assert (tmp_path / "file").read_text() == "kept" and not (copying.folder / "received.tar").exists()


def test_an_engine_that_refuses_is_exit_2_with_its_words(dusty: Chosen, copying: Engine, tmp_path: Path) -> None:
    copying.script(ONE_FILE.replace("cat >", "echo 'mounted volume is marked read-only' >&2; exit 1; cat >"))
    ended = dusty("cp", str(copying.folder / "f"), "web:/folder/f")
    assert ended.code == 2 and "marked read-only" in ended.err


def test_a_full_or_forbidden_disk_here_is_one_sentence(dusty: Chosen, copying: Engine) -> None:
    ended = dusty("cp", "web:/there/f", "/proc/nosuch/f")
    assert ended.code == 1 and len(ended.err.splitlines()) == 1 and "/proc/nosuch" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-", "-"], "both paths are on this machine"),
        (["-", "web:/folder/"], "has no name"),
        (["-", "web:/folder"], "name the file"),
        (["web:/nothing", "-"], "no such file"),
    ],
)
def test_streams_that_make_no_sense(
    dusty: Chosen, copying: Engine, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    ended = dusty("cp", *words)
    assert ended.code == 1 and said in ended.err


def test_a_file_comes_from_stdin_and_goes_to_stdout_with_not_a_word_beside_it(
    dusty: Chosen, copying: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\x00\r\n")))
    assert dusty("cp", "-", "web:/folder/new/blob").code == 0
    with tarfile.open(copying.folder / "received.tar") as archive:
        assert archive.getnames() == ["new", "new/blob"]
        assert archive.extractfile("new/blob").read() == b"\xff\x00\r\n"
    ended = dusty("cp", "web:/there/f", "-")
    assert (ended.code, ended.out, ended.err) == (0, "hello", "")
