"""Reading a specs repo: what counts as a spec, what is read again, and a cache that may be lost or damaged."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import is_settled, state_of
from dusty_tasks.effects.doors.memos import read_memo
from dusty_tasks.effects.specs import read as spec_files
from dusty_tasks.effects.specs.read import read_documents
from dusty_tasks.effects.specs.states import spec_files as files_of

LONG_AGO = 1_700_000_000_123_456_789


def write(root: Path, file: str, text: str, mtime_ns: int = LONG_AGO) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A specs repo with two files."""
    specs = tmp_path / "specs"
    write(specs, "bundles/main.yml", "services: [redis]\n")
    write(specs, "services/redis.yml", "image: redis:7\n")
    return specs


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened from now on; every file counts as settled, whatever its ctime."""
    opened: list[str] = []
    original = spec_files._read

    def noting(found: Any) -> Document:
        opened.append(found.file)
        return original(found)

    monkeypatch.setattr(spec_files, "_read", noting)
    monkeypatch.setattr(spec_files, "is_settled", lambda state, now: bool(state))
    return opened


def test_what_is_a_spec(root: Path) -> None:
    for file in (
        "apps/a.yml",
        "apps/.hidden.yml",
        "apps/b.yaml",
        "apps/README.md",
        "apps/deep/c.yml",
        "other/d.yml",
        "top.yml",
    ):
        write(root, file, "image: x\n")
    (root / "apps/folder.yml").mkdir()
    documents, problems = read_documents(root)
    assert [document.file for document in documents] == ["apps/a.yml", "bundles/main.yml", "services/redis.yml"]
    assert [(str(problem.place), problem.is_warning) for problem in problems] == [
        ("apps/deep/c.yml:1:1", True),
        ("apps/b.yaml:1:1", True),
    ]
    assert [found.file for found in files_of(root)] == [document.file for document in documents]


def test_a_missing_folder_counts_as_empty(tmp_path: Path) -> None:
    assert read_documents(tmp_path) == ([], [])
    with pytest.raises(Failure, match="no specs repo"):
        read_documents(tmp_path / "nowhere")


def test_links_are_followed_inside_alone(root: Path, tmp_path: Path) -> None:
    write(root, "shared/base.yml", "image: inside\n")
    outside = write(tmp_path, "outside.yml", "image: outside\n")
    (root / "services/inside.yml").symlink_to("../shared/base.yml")
    (root / "services/outside.yml").symlink_to(outside)
    (root / "services/broken.yml").symlink_to("nowhere.yml")
    (root / "services/loop.yml").symlink_to("loop.yml")
    found = {document.name: document for document in read_documents(root)[0]}
    assert found["inside"].value == {"image": "inside"}
    assert found["outside"].problems[0].what == "link points outside the specs repo"
    assert not any(found[name].is_readable for name in ("outside", "broken", "loop"))
    assert "outside" not in json.dumps(found["outside"].value)


def test_a_linked_folder_may_not_lead_out_either(root: Path, tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/x.yml", "image: outside\n")
    (root / "libs").symlink_to(tmp_path / "elsewhere")
    found = next(document for document in read_documents(root)[0] if document.kind == "lib")
    assert (found.value, found.problems[0].what) == ({}, "link points outside the specs repo")


def test_the_specs_repo_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    documents, _ = read_documents(tmp_path / "link")
    assert [document.is_readable for document in documents] == [True, True]


def test_a_pipe_does_not_hang_and_a_closed_file_is_said(root: Path) -> None:
    os.mkfifo(root / "services/pipe.yml")
    found = {document.name: document for document in read_documents(root)[0]}
    assert found["pipe"].problems[0].what == "cannot be read: not a file"


def test_undecodable_and_odd_names_are_shown_escaped(root: Path) -> None:
    (Path(os.fsencode(root).decode()) / "services" / "a\nb\x1b.yml").write_text("image: x\n")
    with open(os.fsencode(root) + b"/services/\xff.yml", "w") as file:
        file.write("image: x\n")
    files = [document.file for document in read_documents(root)[0]]
    assert "services/a\\nb\\x1b.yml" in files
    assert "services/\\udcff.yml" in files


def test_names_are_compared_in_nfc(root: Path) -> None:
    write(root, "bundles/Bu\u0308ro.yml", "apps: []\n")
    assert "B\u00fcro" in [document.name for document in read_documents(root)[0]]


def test_only_what_changed_is_read_again(root: Path, tmp_path: Path, read_files: list[str]) -> None:
    cache = tmp_path / "state/documents"
    first = read_documents(root, cache)
    assert read_files == ["bundles/main.yml", "services/redis.yml"]
    read_files.clear()
    second = read_documents(root, cache)
    assert read_files == []
    assert [document.text for document in second[0]] == [document.text for document in first[0]]
    assert second[0][1].place(("image",)) == first[0][1].place(("image",))
    write(root, "services/redis.yml", "image: redis:8\n", LONG_AGO + 1)
    write(root, "services/new.yml", "image: new\n")
    (root / "bundles/main.yml").unlink()
    third = read_documents(root, cache)
    assert read_files == ["services/new.yml", "services/redis.yml"]
    assert [document.value for document in third[0]] == [{"image": "new"}, {"image": "redis:8"}]


def test_an_edit_that_keeps_size_and_mtime_is_noticed(root: Path, tmp_path: Path, read_files: list[str]) -> None:
    cache = tmp_path / "documents"
    read_documents(root, cache)
    read_files.clear()
    before = state_of((root / "services/redis.yml").stat())
    while state_of(write(root, "services/redis.yml", "image: redis:9\n").stat()) == before:
        pass  # two writes within one tick of the file system's clock
    assert read_documents(root, cache)[0][1].value == {"image": "redis:9"}
    assert read_files == ["services/redis.yml"]


def test_problems_of_a_broken_file_are_kept_with_it(root: Path, tmp_path: Path, read_files: list[str]) -> None:
    write(root, "services/redis.yml", "imgae: redis\nnothing: [\n")
    cache = tmp_path / "documents"
    first = read_documents(root, cache)[0][1]
    read_files.clear()
    second = read_documents(root, cache)[0][1]
    assert read_files == []
    assert (second.problems, second.is_readable) == (first.problems, False)


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[: len(kept) // 2],
        lambda kept: kept[:-1],
        lambda kept: kept + b"x",
        lambda kept: b"\xff\xfe" + kept,
        lambda kept: kept.replace(b"redis:7", b"redis:8"),
    ],
)
def test_a_damaged_cache_costs_a_full_reading(
    root: Path, tmp_path: Path, read_files: list[str], damage: Callable[[bytes], bytes]
) -> None:
    cache = tmp_path / "documents"
    read_documents(root, cache)
    cache.write_bytes(damage(cache.read_bytes()))
    read_files.clear()
    documents, _ = read_documents(root, cache)
    assert len(read_files) == 2
    assert documents[1].value == {"image": "redis:7"}
    read_files.clear()
    read_documents(root, cache)
    assert read_files == []


def test_a_cache_of_another_specs_repo_or_version_is_not_believed(
    root: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "documents"
    read_documents(root, cache)
    root.rename(tmp_path / "moved")
    read_files.clear()
    read_documents(tmp_path / "moved", cache)
    assert len(read_files) == 2
    read_files.clear()
    monkeypatch.setattr(spec_files, "code_version", lambda: "another")
    read_documents(tmp_path / "moved", cache)
    assert len(read_files) == 2


def test_a_cache_that_cannot_be_written_is_no_trouble(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(read_documents(root, tmp_path / "file/documents")[0]) == 2


def test_a_file_changed_just_now_is_not_kept(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "documents"
    path = write(root, "services/now.yml", "image: now\n")
    state = state_of(path.stat())
    assert state in [found.state for found in files_of(root)]
    monkeypatch.setattr(spec_files, "is_settled", lambda found, _now: found != state)
    read_documents(root, cache)
    assert [json.loads(text)[2] for text in read_memo(cache).known.values()] == [
        "bundles/main.yml",
        "services/redis.yml",
    ]


MS = 1_000_000


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "now_ns", "settled"),
    [
        (1, 1, 1, False),
        (1, 1, 40 * MS, False),
        (1, 1, 60 * MS, True),
        (0, 0, 1500 * MS, False),
        (0, 0, 2100 * MS, True),
        (0, 1, 60 * MS, True),
        (1, 50 * MS, 60 * MS, False),
        (50 * MS, 1, 60 * MS, False),
        (9999 * MS, 1, 60 * MS, True),
        (9999 * MS, 55 * MS, 60 * MS, False),
    ],
    ids=str,
)
def test_settled(mtime_ns: int, ctime_ns: int, now_ns: int, settled: bool) -> None:
    assert is_settled((mtime_ns, 1, 1, ctime_ns), now_ns) is settled
    assert not is_settled((), now_ns)


def test_a_reading_without_changes_imports_no_yaml(root: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    cache = tmp_path / "documents"
    while not all(is_settled(found.state) for found in files_of(root)):
        time.sleep(0.005)  # a file counts as settled once it is older than a tick of its clock
    read_documents(root, cache)
    code = (
        f"import sys; from dusty_tasks.effects.specs.read import read_documents; read_documents({str(root)!r}, {str(cache)!r});"
        "print(sorted({'yaml', 'jsonschema', 'jinja2', 'docker', 'rich', 'sh'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
