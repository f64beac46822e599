"""What of a build's surroundings changes its digest, and what is read for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.plan.found import UNREADABLE
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.engine import build_contexts
from dusty_tasks.effects.engine.build_contexts import context_digests


class Built:
    """A context, and the digest of what is built from it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.environ = folder / "context", folder / "contexts.json", {}
        self.build: dict[str, Any] = {"context": str(self.folder)}
        self.others: list[WantedContainer] = []
        self.write("Dockerfile", "FROM scratch\n")
        self.write("a.txt", "one\n")
        self.write("d/b.txt", "two\n")

    def write(self, name: str, text: str = "x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def container(self, name: str = "web", **build: Any) -> WantedContainer:
        mapping = {"build": {**self.build, **build}}
        return WantedContainer(name, "app", f"dusty_{name}_1", mapping, build_context=mapping["build"]["context"])

    def digest(self, **build: Any) -> str:
        return context_digests([self.container(**build), *self.others], str(self.cache), self.environ)["web"]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    monkeypatch.setattr(build_contexts, "SETTLED", 0)
    return Built(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose content was read."""
    paths: list[str] = []
    add = build_contexts._add_content
    monkeypatch.setattr(build_contexts, "_add_content", lambda digest, path: paths.append(path) or add(digest, path))
    return paths


def test_content_modes_names_links_and_empty_folders_count_and_times_do_not(built: Built) -> None:
    seen = [built.digest()]
    for change in (
        lambda: built.write("a.txt", "two\n"),
        lambda: os.chmod(built.folder / "a.txt", 0o755),
        lambda: os.rename(built.folder / "a.txt", built.folder / "c.txt"),
        lambda: (built.folder / "l").symlink_to("c.txt"),
        lambda: (built.folder / "empty").mkdir(),
        lambda: built.write("Dockerfile", "FROM other\n"),
    ):
        change()
        seen.append(built.digest())
        assert len(set(seen)) == len(seen)
    os.utime(built.folder / "c.txt", (1, 1))
    assert built.digest() == seen[-1]


def test_a_file_replaced_by_one_of_equal_size_and_time_is_noticed(built: Built) -> None:
    before, path = built.digest(), built.folder / "a.txt"
    state = path.stat()
    other = built.write("other", "ONE\n")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.rename(other, path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    assert built.digest() != before


def test_what_is_as_it_was_is_not_opened(built: Built, opened: list[str]) -> None:
    before = built.digest()
    assert opened
    opened.clear()
    assert built.digest() == before and opened == []


def test_a_file_that_was_just_written_is_looked_into_again(
    built: Built, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_contexts, "SETTLED", 60_000_000_000)
    built.digest()
    opened.clear()
    built.digest()
    assert opened


def test_what_is_ignored_is_neither_counted_nor_walked(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    built.write(".dockerignore", "node_modules\n.dockerignore\n")
    built.write("node_modules/m/i.js")
    before, scanned = built.digest(), []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scanned.append(str(path)) or scandir(path))
    built.write("node_modules/m/i.js", "other")
    built.write("node_modules/n/new.js")
    assert built.digest() == before
    assert not any("node_modules" in path for path in scanned)


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "dev/My.Dockerfile"])
def test_the_ignore_file_of_the_dockerfile_goes_before_the_common_one(built: Built, dockerfile: str) -> None:
    build = {} if dockerfile == "Dockerfile" else {"dockerfile": dockerfile}
    built.write(dockerfile, "FROM scratch\n")
    built.write(".dockerignore", "a.txt\n")
    built.write(f"{dockerfile}.dockerignore", "d\n")
    before = built.digest(**build)
    built.write("d/b.txt", "changed")
    assert built.digest(**build) == before
    built.write("a.txt", "changed")
    assert built.digest(**build) != before
    before = built.digest(**build)
    built.write(f"{dockerfile}.dockerignore", "")
    assert built.digest(**build) != before, "an empty one is one, too: nothing is ignored"


def test_a_dockerfile_outside_the_context_and_one_that_is_ignored_count(built: Built, tmp_path: Path) -> None:
    outside = tmp_path / "Other"
    outside.write_text("FROM scratch\n")
    before = built.digest(dockerfile="../Other")
    outside.write_text("FROM other\n")
    assert built.digest(dockerfile="../Other") != before
    built.write(".dockerignore", "Dockerfile\n")
    before = built.digest()
    built.write("Dockerfile", "FROM other\n")
    assert built.digest() != before


def test_additional_contexts_count_with_their_own_ignore_file(built: Built, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "x").write_text("1")
    (conf / "log").write_text("1")
    (conf / ".dockerignore").write_text("log\n")
    named: dict[str, Any] = {"additional_contexts": {"conf": str(conf), "far": "docker-image://busybox:1"}}
    before = built.digest(**named)
    (conf / "log").write_text("2")
    assert built.digest(**named) == before
    (conf / "x").write_text("2")
    changed = built.digest(**named)
    assert changed != before
    assert built.digest(additional_contexts=[f"conf={conf}", "far=docker-image://busybox:1"]) != built.digest()
    assert built.digest(**named) == changed


def test_an_image_made_from_another_services_image_is_made_anew_with_it(built: Built, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(built.folder, base)
    built.others = [built.container("base", context=str(base), additional_contexts={"own": "service:web"})]
    named = {"additional_contexts": {"base": "service:base", "gone": "service:nobody"}}
    before = built.digest(**named)
    (base / "a.txt").write_text("changed")
    assert built.digest(**named) != before
    assert built.digest() == built.digest(), "a service that names it in turn changes nothing"


def test_arguments_of_the_caller_count(built: Built) -> None:
    built.environ = {"TOKEN": "1", "OTHER": "1"}
    args = {"args": {"TOKEN": None, "FIXED": "2"}}
    before = built.digest(**args)
    built.environ["OTHER"] = "2"
    assert built.digest(**args) == before
    built.environ["TOKEN"] = "2"
    assert built.digest(**args) != before


@pytest.mark.parametrize("kind", ["fifo", "device", "huge", "long line"])
def test_an_ignore_file_without_an_end_is_named(built: Built, kind: str) -> None:
    path = built.folder / ".dockerignore"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"x\n" * (1 << 20) if kind == "huge" else b"x" * (1 << 17))
    assert built.digest().startswith(f"{UNREADABLE}{path}")


def test_files_without_an_end_and_names_that_are_no_text_stop_nothing(built: Built) -> None:
    before = built.digest()
    os.mkfifo(built.folder / "pipe")
    (built.folder / "zero").symlink_to("/dev/zero")
    Path(os.fsdecode(os.fsencode(built.folder) + b"/\xff")).write_text("x")
    assert built.digest() not in (before, "")


def test_a_big_file_is_read_piece_by_piece(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Digest:
        def update(self, data: bytes) -> None:
            sizes.append(len(data))

    with open(built.folder / "big", "wb") as file:
        file.truncate(50 << 20)
    build_contexts._add_content(Digest(), str(built.folder / "big"))  # type: ignore[arg-type]
    assert sum(sizes) == 50 << 20 and max(sizes) <= build_contexts.CHUNK
