"""What a sync leaves alone, what it keeps of what it replaces, and what it says of it: with the real rsync, here and behind ssh."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dusty_tasks.core.code.copies import MountPoint
from dusty_tasks.effects.code import kept as kept_sets
from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.fingerprint import read_rules, read_source
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.operations.code import copy_repo
from dusty_tasks.operations.code.bring_back import pull, restore
from dusty_tasks.operations.code.copy_edits import edits_of_copy
from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo
from dusty_tasks.operations.code.sync_outcome import SyncOutcome
from tests.operations.sync_room import Room, play_ssh, tree, write

HERE, SSH, BUSYBOX = "here", "ssh", "busybox"


@pytest.fixture(params=[HERE, SSH, BUSYBOX])
def room(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """On a Docker host that is this machine, one behind ssh, and one behind ssh with other tools."""
    for name in [name for name in os.environ if name.startswith(("DUSTY_", "DOCKER_"))]:
        monkeypatch.delenv(name)
    room = Room(tmp_path)
    if request.param == BUSYBOX and not shutil.which("busybox"):
        pytest.skip("no busybox here")
    if request.param != HERE:
        play_ssh(room, tmp_path, monkeypatch, tools="busybox" if request.param == BUSYBOX else "")
    return room


def kept(room: Room, name: str) -> list[dict[str, str]]:
    """What lies in each kept set of a repo, the oldest first."""
    folder = room.home / "host/persist/.dusty/kept" / str(room.sources / name)[1:]
    return [tree(one) for one in sorted(folder.iterdir())] if folder.is_dir() else []


def touch(path: Path) -> None:
    """An edit of the source that a sync has to send."""
    write(path, f"edit {time.monotonic_ns()}")


def test_what_git_ignores_stays_and_what_else_was_made_there_goes_by_name(room: Room) -> None:
    source = room.repo(
        "web",
        {"a.py": "a", ".gitignore": "node_modules/\n*.log\n!keep.log\n", "sub/.gitignore": "/out\n", "sub/b.py": "b"},
    )
    write(source / ".git/info/exclude", "*.db\n")
    room.sync()
    copy = room.copy("web")
    stays = {"node_modules/m/index.js": "m", "x.log": "l", "sub/out": "o", "sub/dev.db": "d", "sub/node_modules/x": "x"}
    goes = {"db/migrate/1.sql": "1", "db/migrate/2.sql": "2", "keep.log": "k", "out": "o"}
    for below, text in {**stays, **goes}.items():
        write(copy / below, text)
    touch(source / "a.py")
    room.sync()
    assert tree(copy) == {
        **{path: text for path, text in tree(source).items() if not path.startswith(".git/")},
        **stays,
    }
    first, *rest = room.said[0].splitlines()
    assert first == f"synced web: 1 changed, 4 deleted, from {source} (local)"
    assert rest[:4] == [f"    deleted, made on the Docker host: {path}" for path in sorted(goes)]
    assert kept(room, "web") == [goes]
    assert rest[4].startswith(f"    kept in {room.home}/host/persist/.dusty/kept/{str(source)[1:]}/")
    assert "dusty sync web --restore" in rest[5] and "--pull" in rest[5]
    assert not (copy / "db").exists()


def test_a_folder_that_goes_but_for_what_git_ignores_in_it(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".gitignore": "__pycache__/\n", "pkg/m.py": "m", "pkg/sub/n.py": "n"})
    room.sync()
    write(room.copy("web") / "pkg/__pycache__/m.pyc", "c")
    subprocess.run(["rm", "-r", source / "pkg"], check=True)
    (outcome,) = room.sync()
    assert set(outcome.deleted) == {"pkg/m.py", "pkg/sub/n.py"} and outcome.kept == ()
    assert (
        set(tree(room.copy("web"))) == {"a.py", ".gitignore", "pkg/__pycache__/m.pyc"}
        and not (room.copy("web") / "pkg/sub").exists()
    )


def test_ignored_files_of_the_source_are_sent_as_ever_and_an_edit_in_the_copy_is_kept(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".gitignore": ".env\n", ".env": "mine"})
    room.sync()
    assert (room.copy("web") / ".env").read_text() == "mine"
    write(room.copy("web") / ".env", "of the container")
    write(room.copy("web") / "new.py", "of the container")
    write(source / "new.py", "of the source")
    write(source / ".env", "mine, too")
    room.sync()
    assert tree(room.copy("web")) == {
        "a.py": "a",
        ".gitignore": ".env\n",
        ".env": "mine, too",
        "new.py": "of the source",
    }
    assert kept(room, "web") == [{".env": "of the container", "new.py": "of the container"}]
    assert [line.strip() for line in room.said[0].splitlines()[1:3]] == [
        "overwritten, changed on the Docker host: .env",
        "overwritten, changed on the Docker host: new.py",
    ]


def test_what_was_sent_and_is_replaced_is_neither_kept_nor_named(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "b.py": "b", "link": "x"})
    (source / "link").unlink()
    (source / "link").symlink_to("a.py")
    room.sync()
    touch(source / "a.py")
    (source / "b.py").unlink()
    (source / "link").unlink()
    (source / "link").symlink_to("elsewhere")
    room.sync()
    assert room.said == [f"synced web: 2 changed, 1 deleted, from {source} (local)"] and kept(room, "web") == []


def test_what_the_copy_has_already_is_no_loss(room: Room) -> None:
    """A file that was only touched there, or that the source got from there."""
    source = room.repo("web", {"a.py": "a"})
    room.sync()
    write(room.copy("web") / "new.py", "same")
    os.utime(room.copy("web") / "a.py", (1, 1))
    write(source / "new.py", "same")
    room.sync()
    assert len(room.said[0].splitlines()) == 1 and kept(room, "web") == []


@pytest.mark.parametrize(("mode", "left"), [("unignored", {"x.log"}), ("all", set()), ("sent", {"x.log", "made"})])
def test_the_setting_says_what_goes(room: Room, mode: str, left: set[str]) -> None:
    room.settings = dataclasses.replace(room.settings, sync_delete=mode, sync_exclude=("*.tmp",))
    source = room.repo("web", {"a.py": "a", ".gitignore": "*.log\n", "gone.py": "g", "gone/x.py": "x"})
    room.sync()
    for name in ("x.log", "made", "y.tmp"):
        write(room.copy("web") / name, name)
    (source / "gone.py").unlink()
    subprocess.run(["rm", "-r", source / "gone"], check=True)
    room.sync()
    assert set(tree(room.copy("web"))) == {"a.py", ".gitignore", "y.tmp", *left}
    assert not (room.copy("web") / "gone").exists()


def test_another_setting_makes_a_copy_stale_once(room: Room) -> None:
    room.repo("web", {"a.py": "a", ".gitignore": "*.log\n"})
    room.sync()
    write(room.copy("web") / "x.log", "x")
    room.settings = dataclasses.replace(room.settings, sync_delete="all")
    assert room.stale() == {"web": "sync.delete is all now, and was unignored"}
    room.sync()
    assert room.stale() == {} and set(tree(room.copy("web"))) == {"a.py", ".gitignore"}


def mounted(room: Room, *points: MountPoint) -> None:
    room.entries[-1] = room.entries[-1]._replace(mounts=tuple(map(tuple, points)))


def inode(path: Path) -> int:
    return path.lstat().st_ino


def test_mount_points_are_left_in_place_whatever_the_source_has_there(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "conf/a.conf": "source", "tmp/.keep": "", "link": "x", "cache": "x"})
    (source / "link").unlink()
    (source / "link").symlink_to("data")
    room.sync()
    mounted(
        room,
        *(
            MountPoint(path, "web")
            for path in ("node_modules", "deep/er/vol", "conf/a.conf", "tmp", "link/below", "cache", "conf")
        ),
    )
    copy = room.copy("web")
    for folder in ("node_modules", "deep/er/vol", "data/below"):
        (copy / folder).mkdir(parents=True)
    write(copy / "node_modules/by another app", "x")
    write(copy / "conf/made", "x")
    (copy / "cache").unlink()
    (copy / "cache").mkdir()
    points = ["node_modules", "deep/er/vol", "conf", "conf/a.conf", "tmp", "data/below", "cache"]
    before = {path: inode(copy / path) for path in points}
    write(source / "conf/a.conf", "source, edited")
    write(source / "tmp/new", "n")
    touch(source / "a.py")
    (outcome,) = room.sync()
    assert {path: inode(copy / path) for path in points} == before
    assert (copy / "conf/a.conf").read_text() == "source, edited", "written in place, for who does not mount there"
    assert (
        (copy / "tmp/new").read_text() == "n"
        and (copy / "node_modules/by another app").exists()
        and (copy / "conf/made").exists()
    )
    assert outcome.notes == ("cache is not sent: web mounts something there",)
    for folder in ("conf", "tmp"):
        subprocess.run(["rm", "-r", source / folder], check=True)
    room.settings = dataclasses.replace(room.settings, sync_delete="all")
    room.sync(checksum=True)
    assert {path: inode(copy / path) for path in points} == before


def test_mount_points_of_containers_of_former_specs_count(room: Room) -> None:
    source = room.repo("web")
    room.sync()
    repos = room.host.path("persist/repos")
    mapping = {"volumes": [f"{repos}/{str(source)[1:]}:/app", "nm:/app/node_modules"], "tmpfs": ["/app/tmp:size=1m"]}
    write(
        room.home / "host/persist/.dusty/started.json",
        f'{{"dusty_old_1": {{"mapping": {str(mapping).replace(chr(39), chr(34))}, "mounts": {{"/app/image/volume": "/var/lib/docker/x"}}}}, "odd": 1}}',
    )
    for folder in ("node_modules", "tmp", "image/volume", "other"):
        (room.copy("web") / folder).mkdir(parents=True)
    touch(source / "a.py")
    room.sync()
    assert sorted(path.name for path in room.copy("web").iterdir()) == ["a.py", "b.py", "image", "node_modules", "tmp"]


def test_a_file_where_the_copy_has_a_folder_with_a_mount_point_in_it_is_refused(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "data/x": "x"})
    mounted(room, MountPoint("data/cache", "web"))
    room.sync()
    (room.copy("web") / "data/cache").mkdir()
    subprocess.run(["rm", "-r", source / "data"], check=True)
    write(source / "data", "a file")
    (outcome,) = room.sync()
    assert (
        outcome.failure
        and outcome.failure.code == 1
        and "web mounts something there (data/cache)" in str(outcome.failure)
    )
    assert (room.copy("web") / "data/cache").is_dir()


def test_an_asset_below_the_copy_is_neither_sent_nor_deleted_while_it_is_set(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "conf/key": "dummy"})
    mounted(room, MountPoint("conf/key", "web", "KEY"), MountPoint("other.pem", "web", "PEM"))
    room.sync()
    assert (room.copy("web") / "conf/key").read_text() == "dummy", "it is not set: the source's file is as any other"
    write(room.home / "assets/KEY", "secret")
    for below in ("conf/key", "other.pem"):
        write(room.copy("web") / below, "secret")
    write(source / "conf/key", "dummy, edited")
    (outcome,) = room.sync()
    assert (room.copy("web") / "conf/key").read_text() == (room.copy("web") / "other.pem").read_text() == "secret"
    assert outcome.notes == ("conf/key is not sent: asset KEY of web is there",) and kept(room, "web") == []
    assert room.stale() == {}
    mounted(room)
    assert room.stale() == {"web": "nothing is mounted at conf/key any more"}


def test_hostile_names_are_named_kept_and_deleted_as_they_are(room: Room) -> None:
    names = [
        b"new\nline",
        b"#x",
        b";y",
        b"-rf",
        b'it\'s "q"',
        b"back\\slash",
        b"*",
        b"[a",
        b"\xff\xfe",
        b"\x1b[31mred",
        b" lead",
        b"trail ",
        b"@dirs",
        b"\\#012",
    ]
    source = room.repo("web", {"a.py": "a", "d/e.py": "e"})
    room.sync()
    copy = os.fsencode(room.copy("web"))
    for name in names:
        for folder in (b"", b"d/", b"made/"):
            os.makedirs(os.path.join(copy, folder), exist_ok=True)
            with open(os.path.join(copy, folder, name), "wb") as file:
                file.write(name)
    touch(source / "a.py")
    (outcome,) = room.sync()
    assert set(tree(room.copy("web"))) == {"a.py", "d/e.py"}
    (held,) = kept(room, "web")
    assert {os.fsencode(path) for path in held} == {
        folder + name for name in names for folder in (b"", b"d/", b"made/")
    }
    assert len(outcome.deleted) == 3 * len(names)
    assert "\x1b" not in room.said[0] and "deleted, made on the Docker host: d/new\\nline\n" in room.said[0] + "\n"


def test_links_and_odd_files_made_there_are_no_trouble(room: Room, tmp_path: Path) -> None:
    write(tmp_path / "treasure/gold", "g")
    source = room.repo("web")
    room.sync()
    copy = room.copy("web")
    (copy / "out").symlink_to(tmp_path / "treasure")
    (copy / "made").mkdir()
    os.mkfifo(copy / "made/pipe")
    (copy / "made/loop").symlink_to("loop")
    touch(source / "a.py")
    room.sync()
    assert set(tree(copy)) == {"a.py", "b.py"} and tree(tmp_path / "treasure") == {"gold": "g"}
    assert kept(room, "web") == [{"out": f"-> {tmp_path}/treasure", "made/loop": "-> loop"}]


def test_a_file_that_comes_into_the_place_of_a_folder_pushes_aside_what_was_made_in_it(room: Room) -> None:
    source = room.repo("web", {"a": "a", "b/c": "c", ".gitignore": "*.pyc\n"})
    room.sync()
    write(room.copy("web") / "b/made", "m")
    write(room.copy("web") / "b/x/y.pyc", "y")
    subprocess.run(["rm", "-r", source / "b"], check=True)
    write(source / "b", "now a file")
    (source / "a").unlink()
    write(source / "a/f", "f")
    room.sync()
    assert tree(room.copy("web")) == {"a/f": "f", "b": "now a file", ".gitignore": "*.pyc\n"}
    assert kept(room, "web") == [{"b/made": "m", "b/x/y.pyc": "y"}]


def test_ten_times_are_kept_and_the_oldest_go(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    source = room.repo("web")
    room.sync()
    numbers = iter(range(100))
    monkeypatch.setattr(kept_sets, "new_time", lambda: f"20260101-0000{next(numbers):02d}.000")
    for number in range(12):
        write(room.copy("web") / f"made{number}", "m")
        touch(source / "a.py")
        room.sync()
    assert [*map(set, kept(room, "web"))] == [{f"made{number}"} for number in range(2, 12)]


def test_what_is_edited_while_it_is_sent_is_no_edit_of_the_copy(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    source = room.repo("web")
    room.sync()
    touch(source / "a.py")
    prepare: Callable = copy_repo.prepare

    def edited_meanwhile(*words: object, **named: object) -> object:
        write(source / "a.py", "saved once more")
        return prepare(*words, **named)

    monkeypatch.setattr(copy_repo, "prepare", edited_meanwhile)
    room.sync()
    monkeypatch.setattr(copy_repo, "prepare", prepare)
    assert (room.copy("web") / "a.py").read_text() == "saved once more"
    touch(source / "a.py")
    room.sync()
    assert kept(room, "web") == [] and len(room.said[0].splitlines()) == 1


def failing(*_words: object, **_named: object) -> None:
    raise ToolFailed(["rsync"], 12, "the line is cut")


def test_a_copy_keeps_its_id_until_it_is_made_anew(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    source = room.repo("web")

    def synced() -> str:
        touch(source / "a.py")
        room.sync()
        return str(room.receipt("web")["copy"])

    first = synced()
    assert first and synced() == first
    receipt = room.home / "host/persist/repos/.receipts" / f"{str(source)[1:]}.json"
    with monkeypatch.context() as patch:
        patch.setattr(rsync, "send_folder", failing)
        touch(source / "a.py")
        assert [outcome.status for outcome in room.sync()] == ["failed"] and not receipt.exists()
        assert [outcome.status for outcome in room.sync()] == ["failed"]
    assert synced() == first, "a sync that did not end makes no other copy"
    receipt.unlink()
    second = synced()
    assert second != first
    subprocess.run(["rm", "-r", room.copy("web")], check=True)
    third = synced()
    assert third not in (first, second)
    other = room.sources / "other"
    subprocess.run(["cp", "-a", source, other], check=True)
    room.settings = dataclasses.replace(room.settings, repo_overrides={str(source)[1:]: str(other)})
    room.sync()
    assert room.receipt("web")["copy"] != third


def test_nothing_is_kept_through_a_link(room: Room, tmp_path: Path) -> None:
    source = room.repo("web")
    room.sync()
    write(room.copy("web") / "made", "m")
    write(tmp_path / "treasure/gold", "g")
    folder = room.home / "host/persist/.dusty/kept"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(tmp_path / "treasure")
    touch(source / "a.py")
    (outcome,) = room.sync()
    assert outcome.failure and f"{folder} is a link" in str(outcome.failure) and outcome.failure.code == 1
    assert (room.copy("web") / "made").read_text() == "m" and tree(tmp_path / "treasure") == {"gold": "g"}


def test_a_receipt_remembers_the_last_deletion_of_what_was_made_there(room: Room) -> None:
    source = room.repo("web")
    room.sync()
    write(room.copy("web") / "made/x", "x")
    for _turn in range(2):
        touch(source / "a.py")
        room.sync()
        assert room.receipt("web")["deleted"]["names"] == ["made/x"]


def copy_of(room: Room, name: str) -> CopyOfRepo:
    entry = next(entry for entry in room.entries if entry.local_path == str(room.sources / name))
    rules = read_rules(entry.local_path, room.settings.sync_exclude)
    return CopyOfRepo(room.host, room.settings, entry, entry.local_path, read_source(entry.local_path, rules))


def test_what_was_kept_comes_back_the_newest_first(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "f": "f"})
    room.sync()
    copy = room.copy("web")
    write(copy / "first/m\n1", "1")
    touch(source / "a.py")
    room.sync()
    write(copy / "f", "changed there")
    write(source / "f", "edited here")
    room.sync()
    write(copy / "f", "changed there again")
    restored = restore(copy_of(room, "web"))
    assert restored and restored.paths == (b"f",) and len(restored.others) == 1
    assert (copy / "f").read_text() == "changed there"
    assert [file.path for one in restored.replaced for file in one.files] == [b"f"]
    assert [*kept(room, "web")] == [{"first/m\n1": "1"}, {"f": "changed there again"}], (
        "what was in its way is kept in its turn"
    )
    assert restore(copy_of(room, "web")) and (copy / "f").read_text() == "changed there again"
    assert [*kept(room, "web")] == [{"first/m\n1": "1"}, {"f": "changed there"}]
    assert restore(copy_of(room, "web"), restored.others[0]) and tree(copy)["first/m\n1"] == "1"
    assert restore(copy_of(room, "web"), restored.others[0]) is None and [*kept(room, "web")] == [
        {"f": "changed there"}
    ]


def test_what_lies_in_the_copy_or_was_kept_is_fetched_into_the_source(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "f": "f"})
    room.sync()
    copy = room.copy("web")
    write(copy / "db/1.sql", "1")
    write(copy / "#odd\n", "odd")
    touch(source / "a.py")
    room.sync()
    write(copy / "new/2.sql", "2")
    write(copy / "f", "formatted")
    (copy / "run.sh").write_text("r")
    (copy / "run.sh").chmod(0o755)
    fetched = pull(copy_of(room, "web"), ["db", "new/2.sql", "f", "run.sh", "#odd\n"])
    assert sorted(fetched) == [b"#odd\n", b"db/1.sql", b"f", b"new/2.sql", b"run.sh"]
    assert tree(source) == {
        "a.py": tree(source)["a.py"],
        "f": "formatted",
        "db/1.sql": "1",
        "new/2.sql": "2",
        "run.sh": "r",
        "#odd\n": "odd",
    }
    assert os.access(source / "run.sh", os.X_OK)
    room.sync()
    assert len(room.said[0].splitlines()) == 1 and tree(copy) == tree(source)


def test_fetching_overwrites_no_edit_follows_no_link_and_leaves_mounts_alone(room: Room, tmp_path: Path) -> None:
    source = room.repo("web", {"a.py": "a", "f": "f", "d/x": "x"})
    mounted(room, MountPoint("node_modules", "web"))
    room.sync()
    copy = room.copy("web")
    write(copy / "f", "changed there")
    write(source / "f", "edited here")
    write(copy / "new", "n")
    for paths, what in (
        (["f", "new"], "f also changed in"),
        (["node_modules/m"], "web mounts something there"),
        (["nowhere"], "neither in the copy"),
    ):
        with pytest.raises(Failure, match=what):
            pull(copy_of(room, "web"), paths)
    assert (source / "f").read_text() == "edited here" and not (source / "new").exists()
    (tmp_path / "treasure").mkdir()
    subprocess.run(["rm", "-r", source / "d"], check=True)
    (source / "d").symlink_to(tmp_path / "treasure")
    write(copy / "d/stolen", "s")
    for paths in (["d/stolen"], ["d"]):
        with pytest.raises(Failure, match="changed in"):
            pull(copy_of(room, "web"), paths)
    assert tree(tmp_path / "treasure") == {}


def test_a_look_at_a_copy_tells_what_a_sync_would_find(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "f": "f", ".gitignore": "*.log\n"})
    mounted(room, MountPoint("nm", "web"))
    room.sync()
    entry, receipt = room.entries[0], room.receipt("web")

    def found() -> list[tuple[bytes, str]] | None:
        return edits_of_copy(entry, str(source), room.host, room.settings, receipt)

    assert found() == []
    for below in ("f", "x.log", "nm/m", "made/deep", "od\nd"):
        write(room.copy("web") / below, "there")
    (room.copy("web") / "a.py").chmod(0o600)
    assert found() == [(b"f", "changed"), (b"made/deep", "new"), (b"od\nd", "new")]
    subprocess.run(["rm", "-r", room.home / "state"], check=True)
    assert found() is None


def killed_sync(room: Room, is_time: Callable[[], bool]) -> None:
    room.compiled()
    process = subprocess.Popen(
        room.argv("sync"),
        env=room.env(),
        cwd=room.sources,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not is_time() and process.poll() is None:
        time.sleep(0.0005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_sync_loses_nothing_that_was_made_there(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source = room.repo("web", {f"f{number}": str(number) for number in range(400)})
    room.sync()
    made = {f"made{number % 7}/m{number}": f"m{number}" for number in range(300)}
    changed = {f"f{number}": "changed there" for number in range(0, 400, 2)}
    for below, text in {**made, **changed}.items():
        write(room.copy("web") / below, text)
    for number in range(400):
        write(source / f"f{number}", f"edited {number}" + "x" * 20000)
    folder = room.home / "host/persist/.dusty/kept" / str(source)[1:]

    def moved() -> int:
        return sum(len(names) for _, _, names in os.walk(folder))

    outcomes: list[SyncOutcome] = []
    for target in (20, 350, 600):
        killed_sync(room, lambda target=target: moved() >= target)
    outcomes = room.sync()
    found: dict[str, str] = {}
    for one in kept(room, "web"):
        found.update(one)
    assert found == {**made, **changed}
    assert tree(room.copy("web")) == tree(source)
    assert not list(folder.glob("*.part"))
    assert {file.path.decode() for one in outcomes[0].kept for file in one.files} <= {*made, *changed}
