"""Backups of persist/ by the real tar and sh, without an engine: written, checked, put back."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from dusty_tasks.core.of_verbs.backup import MANIFEST, unfinished_restore
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.engine import persist, restore
from dusty_tasks.effects.engine.persist import Damaged, read_backup, remove_folders, write_backup
from dusty_tasks.effects.engine.restore import UNPACK, finish_restore, restore_backup
from dusty_tasks.effects.observe.docker_host import read_unfinished


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dusty_home: Path) -> DockerHost:
    """A Docker host whose root is a folder; the caller counts as root, so that no container is needed."""
    monkeypatch.setattr(persist.os, "geteuid", lambda: 0)
    root = tmp_path / "host"
    for path, text in {
        "db/f": "data",
        "db/.hidden": "h",
        "db/sub/ü " + "n" * 120: "long",
        "one": "file",
        "repos/x/code": "c",
        ".dusty/owner.json": "{}",
        "dustyNginx/dustyNginx.conf": "n",
        "dusty_assets/web/KEY": "secret",
    }.items():
        (root / "persist" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "persist" / path).write_text(text)
    (root / "persist/db/f").chmod(0o640)
    (root / "persist/db/link").symlink_to("/nowhere")
    os.link(root / "persist/db/f", root / "persist/db/hard")
    return docker_host(Settings(home=str(dusty_home), host=HostSettings(root=str(root))))


def backup(host: DockerHost, path: Path) -> Path:
    write_backup(host, str(path), "nosuch", {"made": "now"}, lambda _size: None)
    return path


def tree(root: Path) -> dict[str, tuple]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def test_a_backup_holds_all_but_what_up_makes_again(host: DockerHost, tmp_path: Path) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert not [
        name for name in names if any(made in name for made in ("repos", "dustyNginx", "dusty_assets", ".dusty"))
    ]
    assert names[-1] == MANIFEST and {"persist/db/.hidden", "persist/one", "persist/db/sub"} <= set(names)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_comes_back_is_what_was_there(host: DockerHost, tmp_path: Path) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    there = Path(host.root) / "persist"
    before = tree(there)
    (there / "db/f").write_text("spoilt")
    (there / "db/new").write_text("not in the backup")
    (there / "one").unlink()
    read_backup(str(path), lambda _size: None)
    restore_backup(host, str(path), ["db", "one"], "nosuch", lambda _size: None)
    assert tree(there) == before
    assert os.path.samefile(there / "db/f", there / "db/hard")


def test_no_persist_is_an_empty_backup(host: DockerHost, tmp_path: Path) -> None:
    remove_folders(host, ["persist"], "nosuch")
    _manifest, entries = read_backup(str(backup(host, tmp_path / "b.tar.gz")), lambda _size: None)
    assert entries == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-4],
        lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:],
        lambda data: b"",
        lambda data: b"no gzip",
        lambda data: gzip.compress(b"no tar"),
        lambda data: gzip.compress(gzip.decompress(data).replace(b"data", b"dada", 1)),
        lambda data: gzip.compress(gzip.decompress(data).replace(b'"format": 1', b'"format": 2')),
    ],
    ids=["half", "no end", "a flipped bit", "empty", "no gzip", "no tar", "other bytes", "other format"],
)
def test_a_damaged_archive_is_refused(host: DockerHost, tmp_path: Path, spoil) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(Damaged):
        read_backup(str(path), lambda _size: None)


def test_a_missing_archive_and_a_folder_are_no_backups(tmp_path: Path) -> None:
    for path in (tmp_path / "nosuch", tmp_path):
        with pytest.raises(Failure):
            read_backup(str(path), lambda _size: None)


def test_a_restore_that_breaks_off_changes_nothing(
    host: DockerHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    there = Path(host.root) / "persist"
    before = tree(there)
    for blocks in (1, 2, 3, 5, 8):
        monkeypatch.setattr(restore, "UNPACK", UNPACK.replace("tar -xpf -", f"head -c {blocks * 512} | tar -xpf -"))
        with pytest.raises(ToolFailed):
            restore_backup(host, str(path), ["db", "one"], "nosuch", lambda _size: None)
        assert tree(there) == before


DIE = """
steps=0
step() { steps=$((steps + 1)); [ $steps -lt LIMIT ] || kill -9 $$; }
mv() { step; command mv "$@" && step; }
rm() { step; command rm "$@" && step; }
mkdir() { step; command mkdir "$@" && step; }
"""
"""Put before a script: it dies at the LIMITth step."""
NAMES = ["db", "new", "one"]


def killed_at(host: DockerHost, path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Restore, killed at this step; False if it has fewer."""
    with monkeypatch.context() as patched:
        patched.setattr(restore, "UNPACK", DIE.replace("LIMIT", str(step)) + UNPACK)
        try:
            restore_backup(host, str(path), NAMES, "nosuch", lambda _size: None)
        except ToolFailed:
            return True
    return False


def without_remains(there: Path) -> dict[str, tuple]:
    return {name: what for name, what in tree(there).items() if not name.startswith(".restore-")}


def test_a_restore_that_is_killed_at_any_step_is_as_before_or_is_finished_later(
    host: DockerHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path(host.root) / "persist"
    (there / "new").mkdir()
    (there / "new/..x").write_text("x")
    path = backup(host, tmp_path / "b.tar.gz")
    restored = tree(there)
    unfinished = 0
    for step in range(1, 100):
        shutil.rmtree(there)
        (there / "db").mkdir(parents=True)
        (there / "db/f").write_text("of today")
        (there / "one").symlink_to("elsewhere")
        (there / "kept").write_text("not in the backup")
        before = tree(there)
        if not killed_at(host, path, step, monkeypatch):
            break
        left = read_unfinished(host)
        if not left:
            remains = without_remains(there)
            assert remains in (before, {**without_made_again(restored), "kept": before["kept"]}), f"step {step}"
            continue
        unfinished += 1
        # What is replaced lies somewhere until all of the new is in place.
        texts = [file.read_text() for file in there.rglob("f") if file.is_file() and not file.is_symlink()]
        assert "of today" in texts or len(left) == 1, f"step {step}"
        # A container that is started all the same makes the folder that it mounts.
        (there / "db").mkdir(exist_ok=True)
        if step % 2:
            finish_restore(host, "nosuch")
        else:
            restore_backup(host, str(path), NAMES, "nosuch", lambda _size: None)
        assert tree(there) == {**without_made_again(restored), "kept": before["kept"]}, f"step {step}"
        assert read_unfinished(host) == ()
    assert unfinished > 5 and step > 15


def without_made_again(whole: dict[str, tuple]) -> dict[str, tuple]:
    return {name: what for name, what in whole.items() if name.split("/")[0] in NAMES}


def test_the_only_old_copy_that_an_older_version_left_is_not_deleted(host: DockerHost, tmp_path: Path) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    there = Path(host.root) / "persist"
    (there / "db").rename(there / "db.aside")
    (there / ".restore-old").mkdir()
    (there / "db.aside").rename(there / ".restore-old/db")
    before = tree(there)
    assert read_unfinished(host) == (".restore-old",)
    assert "move back what is missing" in unfinished_restore(read_unfinished(host))[1]
    with pytest.raises(ToolFailed, match="put it in place by hand"):
        restore_backup(host, str(path), ["db", "one"], "nosuch", lambda _size: None)
    assert tree(there) == before


def test_a_folder_on_a_disk_of_its_own_is_refused_before_anything_is_replaced(
    host: DockerHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = backup(host, tmp_path / "b.tar.gz")
    there = Path(host.root) / "persist"
    before = tree(there)
    monkeypatch.setattr(restore, "UNPACK", 'stat() { [ "$3" != ./db ] && echo 1 || echo 2; }\n' + UNPACK)
    with pytest.raises(ToolFailed, match="db is on a disk of its own"):
        restore_backup(host, str(path), ["one", "db"], "nosuch", lambda _size: None)
    assert tree(there) == before


def test_a_backup_that_cannot_be_written_leaves_no_part(
    host: DockerHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persist, "PACK", "exit 3")
    with pytest.raises(ToolFailed):
        backup(host, tmp_path / "b.tar.gz")
    assert not list(tmp_path.glob("b.tar.gz*"))
    with pytest.raises(Failure, match="cannot be written"):
        backup(host, tmp_path / "nosuch/b.tar.gz")


def test_a_backup_takes_away_the_parts_of_killed_ones_and_of_no_others(host: DockerHost, tmp_path: Path) -> None:
    names = ["dusty-backup-1.tar.gz.part", "dusty-backup-2.tar.gz.part", "of-mine.tar.gz.part"]
    killed, going_on, other = (tmp_path / name for name in names)
    for part in (killed, going_on, other):
        part.write_text("half")
    with going_on.open("rb") as file, persist.locked(file):
        backup(host, tmp_path / "dusty-backup-3.tar.gz")
    assert sorted(path.name for path in tmp_path.glob("*.part")) == names[1:]


def test_whoever_is_not_root_reads_through_a_throw_away_container(
    host: DockerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persist.os, "geteuid", lambda: 1000)
    argv = persist.root_command(host, "script", ["word"], "image:1")
    assert (
        argv[:2] == ["docker", "run"]
        and {"--rm", "-i", "--network=none", "--user=0"} <= set(argv)
        and argv[-5:] == ["-c", "script", "dusty", "/host", "word"]
    )
    assert f"{host.root}:/host" in argv


def test_hostile_names_in_an_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("../../etc/passwd")
        archive.addfile(member, io.BytesIO())
    with pytest.raises(Damaged, match="does not belong"):
        read_backup(str(path), lambda _size: None)
