"""Copies on this machine: modes, links, merging, and entries that would land elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.copies import SourceMissing, local_entries, placed_at, write_to_folder


def entry(name: str, data: bytes | None = None, *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, mode, 1_700_000_000
    info.size = len(data or b"")
    return info, io.BytesIO(data or b"") if kind == tarfile.REGTYPE else None


def folder(name: str, mode: int = 0o755):
    return entry(name, kind=tarfile.DIRTYPE, mode=mode)


def put(root: Path, *entries) -> None:
    write_to_folder(iter(entries), str(root), lambda _size: None)


def test_files_folders_links_and_modes_arrive(tmp_path: Path) -> None:
    put(
        tmp_path / "x",
        folder("", 0o750),
        folder("closed", 0o500),
        entry("closed/f", b"hello", mode=0o664),
        entry("run", b"", mode=0o4755),
        entry("abs", kind=tarfile.SYMTYPE, link="/nowhere"),
        entry("hard", kind=tarfile.LNKTYPE, link="run"),
        entry("pipe", kind=tarfile.FIFOTYPE),
    )
    found = tmp_path / "x"
    assert (found / "closed/f").read_bytes() == b"hello" and (found / "closed/f").stat().st_mode & 0o7777 == 0o664
    assert found.stat().st_mode & 0o777 == 0o750 and (found / "closed").stat().st_mode & 0o777 == 0o500
    assert (found / "run").stat().st_mode & 0o7777 == 0o755, "no setuid bit for somebody else's program"
    assert (
        os.readlink(found / "abs") == "/nowhere"
        and os.path.samefile(found / "hard", found / "run")
        and (found / "pipe").is_fifo()
    )
    assert (found / "closed/f").stat().st_mtime == 1_700_000_000


def test_a_merge_overwrites_same_names_and_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/mine").write_text("mine")
    (tmp_path / "sub/same").write_text("old")
    tmp_path.chmod(0o711)
    put(tmp_path, folder("", 0o700), folder("sub"), entry("sub/same", b"new"))
    assert {path.name: path.read_text() for path in (tmp_path / "sub").iterdir()} == {"mine": "mine", "same": "new"}
    assert tmp_path.stat().st_mode & 0o777 == 0o711


def test_a_link_in_the_place_of_a_file_is_replaced_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "to").mkdir()
    (tmp_path / "to/f").symlink_to(victim)
    put(tmp_path / "to", entry("f", b"new"))
    assert (
        victim.read_text() == "precious"
        and not (tmp_path / "to/f").is_symlink()
        and (tmp_path / "to/f").read_text() == "new"
    )


@pytest.mark.parametrize(
    "entries",
    [
        [entry("out", kind=tarfile.SYMTYPE, link=".."), entry("out/evil", b"x")],
        [folder("a"), entry("a/out", kind=tarfile.SYMTYPE, link="../.."), entry("a/out/evil", b"x")],
        [entry("hard", kind=tarfile.LNKTYPE, link="../victim")],
    ],
)
def test_nothing_lands_outside(tmp_path: Path, entries: list) -> None:
    (tmp_path / "victim").write_text("precious")
    with pytest.raises(Failure, match="outside"):
        put(tmp_path / "to", folder(""), *entries)
    assert (
        sorted(path.name for path in tmp_path.iterdir()) == ["to", "victim"]
        and (tmp_path / "victim").stat().st_nlink == 1
    )


def test_an_existing_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failure, match="outside"):
        put(tmp_path / "to", entry("sub/f", b"x"))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_is_no_place_for_a_file_nor_the_reverse(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/kept").touch()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(Failure, match="is a folder here"):
        put(tmp_path, entry("folder", b"x"))
    with pytest.raises(Failure, match="a folder in the container but not here"):
        put(tmp_path, folder("file"))
    assert (tmp_path / "folder/kept").exists() and (tmp_path / "file").read_text() == "kept"


def test_devices_are_left_out_and_said(tmp_path: Path) -> None:
    copied = write_to_folder(
        iter([folder(""), entry("null", kind=tarfile.CHRTYPE), entry("f", b"1")]),
        str(tmp_path / "x"),
        lambda _size: None,
    )
    assert copied.skipped == ("null",) and copied.files == 1


def test_a_failing_copy_leaves_no_temporary_file(tmp_path: Path) -> None:
    class Broken:
        def read(self, _size: int) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(Failure, match="Input/output error"):
        put(tmp_path / "x", folder(""), (entry("f")[0], Broken()))
    assert not list((tmp_path / "x").iterdir())


def test_a_copy_that_may_not_be_made_is_named_by_its_own_path(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=f"^{tmp_path}/{'x' * 250}/{'y' * 300}: File name too long$"):
        write_to_folder(iter([folder(""), entry("y" * 300, b"1")]), str(tmp_path / ("x" * 250)), lambda _size: None)


def test_local_entries_belong_to_root_and_know_hard_links(tmp_path: Path) -> None:
    source = tmp_path / "src"
    (source / "sub").mkdir(parents=True)
    (source / "sub/f").write_text("x")
    os.link(source / "sub/f", source / "sub/g")
    (source / "link").symlink_to("sub")
    found = [info for info, _file in local_entries(str(source))]
    assert [(info.name, info.type, info.linkname) for info in found] == [
        ("src", tarfile.DIRTYPE, ""),
        ("src/link", tarfile.SYMTYPE, "sub"),
        ("src/sub", tarfile.DIRTYPE, ""),
        ("src/sub/f", tarfile.REGTYPE, ""),
        ("src/sub/g", tarfile.LNKTYPE, "src/sub/f"),
    ]
    assert {(info.uid, info.gid, info.uname) for info in found} == {(0, 0, "root")}


def test_a_missing_source_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        next(local_entries(str(tmp_path / "nosuch")))


def test_renamed_entries_survive_long_and_unicode_names(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    name = "ü" * 60 + " " + "x" * 60
    (source / name).write_text("1")
    os.link(source / name, source / f"z{name}")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, file in local_entries(str(source)):
            archive.addfile(info, file)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        read = ((info, archive.extractfile(info) if info.isreg() else None) for info in archive)
        repacked = io.BytesIO()
        with tarfile.open(fileobj=repacked, mode="w", format=tarfile.PAX_FORMAT) as again:
            for info, file in placed_at(read, "src", "to/here"):
                again.addfile(info, file)
    repacked.seek(0)
    with tarfile.open(fileobj=repacked) as archive:
        assert archive.getnames() == ["to/here", f"to/here/z{name}", f"to/here/{name}"]
        assert archive.getmembers()[2].linkname == f"to/here/z{name}"


NAMES = st.lists(st.sampled_from(["a", "b", "..", ".", "", "/", "c"]), min_size=1, max_size=4).map("/".join)
ENTRIES = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(
            [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
        ),
        NAMES,
    ),
    max_size=8,
)


@given(ENTRIES)
@settings(max_examples=300, deadline=None)
def test_no_archive_writes_outside_of_where_it_is_put(entries: list[tuple[str, bytes, str]]) -> None:
    with tempfile.TemporaryDirectory() as top:
        root = Path(top) / "in/here"
        root.mkdir(parents=True)
        for path in (Path(top) / "a", Path(top) / "in/a", Path(top) / "in/c"):
            path.write_text("precious")
        before = {
            path: (path.lstat().st_mode, path.lstat().st_nlink, path.read_bytes())
            for path in (Path(top) / "a", Path(top) / "in/a", Path(top) / "in/c")
        }
        with contextlib.suppress(Failure):
            put(root, folder(""), *(entry(name, b"evil", kind=kind, link=link) for name, kind, link in entries))
        assert {path: (path.lstat().st_mode, path.lstat().st_nlink, path.read_bytes()) for path in before} == before
        assert {path.name for path in Path(top).iterdir()} == {"a", "in"} and {
            path.name for path in (Path(top) / "in").iterdir()
        } == {"a", "c", "here"}


def test_a_file_that_claims_more_than_the_disk_has_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = entry("huge")
    huge[0].size = 1 << 60
    with pytest.raises(Failure, match="is larger than what is free"):
        put(tmp_path / "to", folder(""), (huge[0], io.BytesIO(b"x")))
    assert list((tmp_path / "to").iterdir()) == []
