"""Sync on a local Docker host with the real rsync: what is copied, deleted, kept and refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.prepare import Asked, prepare
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.home.artifacts import KEPT_PATTERNS
from dusty_tasks.operations.code import sources
from dusty_tasks.operations.code.sources import check_source
from dusty_tasks.operations.code.sync_outcome import failure_of
from dusty_tasks.pipelines.sync import task_names
from tests.operations.sync_room import Room, tree, write


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    for name in [name for name in os.environ if name.startswith(("DUSTY_", "DOCKER_"))]:
        monkeypatch.delenv(name)
    return Room(tmp_path)


def test_a_sync_says_what_it_did_and_the_next_one_has_nothing_to_do(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "b/c.py": "c", "b/d.py": "d"})
    room.sync()
    assert room.said == [f"synced web: 3 changed, 0 deleted, from {source} (local)"]
    assert tree(room.copy("web")) == tree(source)
    assert room.stale() == {}
    assert [outcome.status for outcome in room.sync()] == ["up to date"]
    assert room.said == []

    write(source / "a.py", "other")
    (source / "b/c.py").unlink()
    assert room.stale() == {"web": "a.py changed and 1 more"}
    room.sync()
    assert room.said == [f"synced web: 1 changed, 1 deleted, from {source} (local)"]
    assert tree(room.copy("web")) == tree(source)


def test_what_a_container_made_in_the_mount_goes_and_what_is_excluded_stays(room: Room) -> None:
    source = room.repo(
        "web",
        {
            "a.py": "a",
            ".dustyignore": "/node_modules\n*.log\n!keep.pyc\n*.pyc\n",
            "x.log": "l",
            "keep.pyc": "k",
            "y.pyc": "y",
        },
    )
    room.settings = dataclasses.replace(room.settings, sync_exclude=("cache/",))
    write(source / "cache/c", "c")
    write(source / ".git/HEAD", "ref: refs/heads/main")
    room.sync()
    assert set(tree(room.copy("web"))) == {"a.py", ".dustyignore", "keep.pyc"}
    for below in ("node_modules/m", "made.py", "x.log", "cache/own", ".git/own"):
        write(room.copy("web") / below, "by the container")
    write(source / "a.py", "changed")
    room.sync()
    assert set(tree(room.copy("web"))) == {
        "a.py",
        ".dustyignore",
        "keep.pyc",
        "node_modules/m",
        "x.log",
        "cache/own",
        ".git/own",
    }


def test_an_excluded_file_that_changes_makes_nothing_stale_and_a_changed_rule_does(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".dustyignore": "*.log\n"})
    room.sync()
    write(source / "x.log", "new")
    assert room.stale() == {}
    room.settings = dataclasses.replace(room.settings, sync_exclude=("*.tmp",))
    assert room.stale() == {"web": "its source or its excludes changed"}


def test_links_modes_times_and_special_files_are_kept(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "run.sh": "r"})
    (source / "run.sh").chmod(0o750)
    (source / "link").symlink_to("a.py")
    (source / "broken").symlink_to("nowhere")
    (source / "folder").mkdir()
    (source / "folder link").symlink_to("folder")
    os.mkfifo(source / "pipe")
    os.utime(source / "a.py", ns=(1, 1_234_567_890_123_456_789))
    room.sync()
    copy = room.copy("web")
    assert stat.S_IMODE((copy / "run.sh").stat().st_mode) == 0o750
    assert (os.readlink(copy / "link"), os.readlink(copy / "broken"), os.readlink(copy / "folder link")) == (
        "a.py",
        "nowhere",
        "folder",
    )
    assert stat.S_ISFIFO((copy / "pipe").lstat().st_mode)
    assert (copy / "a.py").stat().st_mtime_ns == 1_234_567_890_123_456_789
    (source / "run.sh").chmod(0o700)
    assert room.stale() == {"web": "run.sh changed"}
    room.sync()
    assert stat.S_IMODE((copy / "run.sh").stat().st_mode) == 0o700


def test_holes_of_a_sparse_file_take_no_room_in_the_copy(room: Room) -> None:
    source, copy = room.repo("web"), room.copy("web") / "disk.img"
    for size, end in ((200 << 20, b"end"), (300 << 20, b"END")):
        with open(source / "disk.img", "wb") as file:
            file.seek(size)
            file.write(end)
        room.sync()
        assert copy.stat().st_size == size + 3 and copy.stat().st_blocks * 512 < 1 << 20
        with open(copy, "rb") as file:
            file.seek(size)
            assert file.read() == end


def test_a_file_may_replace_a_folder_and_the_reverse(room: Room) -> None:
    source = room.repo("web", {"a": "a", "b/c": "c", "b/d/e": "e"})
    room.sync()
    (source / "a").unlink()
    write(source / "a/f", "f")
    subprocess.run(["rm", "-r", source / "b"], check=True)
    write(source / "b", "now a file")
    room.sync()
    assert tree(room.copy("web")) == {"a/f": "f", "b": "now a file"}


def test_excluded_files_in_the_way_of_a_file_are_kept_and_named(room: Room) -> None:
    source = room.repo("web", {"b/c": "c", ".dustyignore": "*.log"})
    room.sync()
    write(room.copy("web") / "b/kept.log", "l")
    subprocess.run(["rm", "-r", source / "b"], check=True)
    write(source / "b", "now a file")
    (outcome,) = room.sync()
    assert "cannot delete non-empty directory: b" in str(outcome.failure) and "holds excluded files" in str(
        outcome.failure
    )
    assert (room.copy("web") / "b/kept.log").read_text() == "l"


def test_a_change_of_the_same_size_within_the_same_second_is_copied(room: Room) -> None:
    source = room.repo("web", {"a.py": "1"})
    os.utime(source / "a.py", ns=(0, 1_700_000_000_100_000_000))
    room.sync()
    write(source / "a.py", "2")
    os.utime(source / "a.py", ns=(0, 1_700_000_000_200_000_000))
    room.sync()
    assert (room.copy("web") / "a.py").read_text() == "2"


def test_checksum_finds_what_size_and_time_hide_in_the_copy(room: Room) -> None:
    source = room.repo("web", {"a.py": "1"})
    time.sleep(0.05)  # What was written right before a sync is compared once more.
    room.sync()
    copied = room.copy("web") / "a.py"
    times = copied.stat()
    copied.write_text("2")
    os.utime(copied, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert room.stale() == {} and (source / "a.py").read_text() == "1"
    room.sync(checksum=True)
    assert copied.read_text() == "1"


def test_files_from_the_future_are_ordinary(room: Room) -> None:
    source = room.repo("web", {"a.py": "1"})
    os.utime(source / "a.py", (4_000_000_000, 4_000_000_000))
    room.sync()
    assert room.stale() == {}
    write(source / "a.py", "2")
    assert room.stale() == {"web": "a.py changed"}
    room.sync()
    assert (room.copy("web") / "a.py").read_text() == "2"


def test_names_with_blanks_quotes_unicode_and_newlines_arrive(room: Room) -> None:
    names = [
        "a b",
        "it's",
        'say "hi"',
        "ünïcode ☃",
        "new\nline",
        "$HOME `x`",
        "-rf",
        "back\\slash",
        "*",
        "#no comment",
        "!x",
    ]
    source = room.repo('my repo\'s ☃ "x"', {name: name for name in names})
    write(source / "folder of its own/ünï", "x")
    with open(os.fsencode(source) + b"/not utf-8 \xff\xfe", "w") as file:
        file.write("x")
    room.sync()
    assert tree(room.copy('my repo\'s ☃ "x"')) == tree(source)
    assert room.stale() == {}


def test_a_receipt_tells_what_the_copy_was_made_from(room: Room) -> None:
    source = room.repo("web")
    commit = "a" * 40
    write(source / ".git/HEAD", "ref: refs/heads/main\n")
    write(source / ".git/packed-refs", f"# pack-refs\n{commit} refs/heads/main\n")
    room.sync()
    receipt = room.receipt("web")
    assert len(receipt.pop("rules")) == 16
    assert receipt.pop("looked")[1] == sum(path.stat().st_ino for path in source.iterdir() if path.is_file())
    assert receipt | {"fingerprint": "", "time": "", "copy": ""} == {
        "id": str(source)[1:],
        "source": str(source),
        "kind": "local",
        "fingerprint": "",
        "files": 2,
        "commit": commit,
        "time": "",
        "copy": "",
        "delete": "unignored",
    }


def disguise(path: Path, text: str) -> None:
    """Another file of equal size and time takes the name."""
    state, fresh = path.stat(), path.with_name(".fresh")
    assert len(text.encode()) == state.st_size
    fresh.write_text(text)
    os.utime(fresh, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(fresh, path)


def test_a_file_of_equal_size_and_time_is_told_by_its_content(room: Room) -> None:
    source = room.repo("web", {"a.py": "one", "b/c.py": "one", "b/d.py": "d"})
    room.sync()
    first = room.receipt("web")["fingerprint"]
    time.sleep(0.05)
    disguise(source / "a.py", "two")
    state = (source / "b/c.py").stat()
    (source / "b/c.py").write_text("two")
    os.utime(source / "b/c.py", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert room.stale() == {"web": "a.py changed and 1 more, though not in size and time"}
    room.sync()
    assert tree(room.copy("web")) == tree(source) and room.said == [
        f"synced web: 2 changed, 0 deleted, from {source} (local)"
    ]
    second = room.receipt("web")["fingerprint"]
    assert second != first, "who was started with the former content is restarted"
    assert room.stale() == {} and [outcome.status for outcome in room.sync()] == ["up to date"]

    # A folder that comes back with all its times, its files never touched.
    shutil.copytree(source / "b", source.parent / "b2")
    disguise(source.parent / "b2/c.py", "six")
    room.sync()
    time.sleep(0.05)
    (source / "b").rename(source.parent / "b-away")
    (source.parent / "b2").rename(source / "b")
    assert room.stale() == {"web": "b/c.py changed, though not in size and time"}
    room.sync()
    assert tree(room.copy("web")) == tree(source)


def test_what_was_touched_and_holds_the_same_is_not_sent(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = room.repo("web", {"a.py": "one", "b/c.py": "one", "x": "x"})
    room.sync()
    before = room.receipt("web")
    time.sleep(0.05)
    (source / "a.py").chmod(0o600)
    (source / "a.py").chmod(before_mode := 0o644)
    assert (source / "a.py").stat().st_mode & 0o777 == before_mode
    os.link(source / "x", tmp_path / "link")
    shutil.copytree(source, tmp_path / "twin", symlinks=True)
    source.rename(tmp_path / "away")
    (tmp_path / "twin").rename(source)
    time.sleep(0.05)
    compared: list[int] = []
    monkeypatch.setattr(
        rsync,
        "disguised",
        lambda host, path, copy, paths, real=rsync.disguised: (
            compared.append(len(list(paths))),
            real(host, path, copy, paths),
        )[1],
    )
    assert room.stale() == {} and [outcome.status for outcome in room.sync()] == ["up to date"]
    assert room.receipt("web") == before and compared == [3], "compared once, then noted"
    os.link(source / "x", tmp_path / "another")
    time.sleep(0.05)
    assert room.stale() == {} and compared == [3, 1], "only what was touched since"

    # A receipt of a former version tells nothing of inodes.
    path = room.home / "host/persist/repos/.receipts" / f"{str(source)[1:]}.json"
    path.write_text(json.dumps({key: value for key, value in before.items() if key != "looked"}))
    (room.home / "state").rename(room.home / "state-away")
    assert room.stale() == {} and compared == [3, 1]


def test_the_receipt_is_gone_while_a_transfer_is_under_way_and_after_one_that_failed(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = room.repo("web")
    room.sync()
    write(source / "a.py", "changed")
    copy_of_receipt = room.home / "host/persist/repos/.receipts" / f"{str(source)[1:]}.json"
    with monkeypatch.context() as patch:
        fake = tmp_path / "bin/rsync"
        write(
            fake,
            f'#!/bin/sh\ncase "$*" in *--version*) exec /usr/bin/env -S PATH={os.environ["PATH"]} rsync --version ;; esac\n'
            f'ls "{copy_of_receipt}" >&2\necho "disk on fire" >&2\nexit 11\n',
        )
        fake.chmod(0o755)
        patch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
        (outcome,) = room.sync()
    assert (
        outcome.status == "failed" and "disk on fire" in str(outcome.failure) and "No such file" in str(outcome.failure)
    )
    assert failure_of([outcome]).code == 2
    assert room.stale() == {"web": "not on the Docker host yet"}
    room.sync()
    assert tree(room.copy("web")) == tree(source)


def test_another_source_and_a_wiped_host_are_noticed(room: Room) -> None:
    source = room.repo("web")
    room.sync()
    other = room.sources / "elsewhere"
    subprocess.run(["cp", "-a", source, other], check=True)
    room.settings = dataclasses.replace(room.settings, repo_overrides={str(source)[1:]: str(other)})
    assert room.stale() == {"web": f"its source is {other} (override) now, and was {source}"}
    room.sync()
    assert room.said == [f"synced web: 0 changed, 0 deleted, from {other} (override)"]
    assert room.stale() == {}

    subprocess.run(["rm", "-rf", room.copy("web")], check=True)
    assert room.stale() == {"web": "not on the Docker host yet"}
    room.sync()
    subprocess.run(["rm", "-rf", room.home / "host/persist"], check=True)
    assert room.stale() == {"web": "not on the Docker host yet"}
    room.sync()
    assert tree(room.copy("web")) == tree(source)


def test_a_damaged_receipt_costs_one_sync(room: Room) -> None:
    source = room.repo("web")
    room.sync()
    write(room.home / "host/persist/repos/.receipts" / f"{str(source)[1:]}.json", '{"id": ')
    assert room.stale() == {"web": "not on the Docker host yet"}
    room.sync()
    assert room.stale() == {}


def test_a_lost_state_syncs_nothing_again(room: Room) -> None:
    room.repo("web")
    room.sync()
    subprocess.run(["rm", "-rf", room.home / "state"], check=True)
    assert room.stale() == {}


@pytest.mark.parametrize("emptied_by", ["removal", "an exclude"])
def test_an_emptied_source_is_refused_and_nothing_is_deleted(room: Room, emptied_by: str) -> None:
    source = room.repo("web")
    room.sync()
    if emptied_by == "removal":
        for name in ("a.py", "b.py"):
            (source / name).unlink()
        (source / "empty folder").mkdir()
    else:
        room.settings = dataclasses.replace(room.settings, sync_exclude=("*",))
    (outcome,) = room.sync()
    assert "no file is left in it after excludes" in str(outcome.failure) and outcome.failure.code == 1
    assert set(tree(room.copy("web"))) == {"a.py", "b.py"}
    if emptied_by == "removal":
        (outcome,) = room.sync(allow_empty=True)
        assert outcome.status == "synced" and tree(room.copy("web")) == {}


def test_an_empty_source_without_a_copy_is_fine(room: Room) -> None:
    room.repo("web", {})
    assert room.sync()[0].status == "synced"


def test_a_missing_source_is_the_users_to_mend_and_does_not_stop_the_others(room: Room) -> None:
    source = room.repo("gone")
    room.repo("web")
    subprocess.run(["rm", "-r", source], check=True)
    gone, web = room.sync()
    assert (gone.failure.code, web.status) == (1, "synced")
    assert f"the source {source} does not exist" in str(gone.failure)


@pytest.mark.parametrize("source", ["/", "/usr", "/etc", "/proc/self", "/home", "/home/someone", "/var/lib"])
def test_system_and_home_folders_are_refused_as_sources(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda path: True)
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    with pytest.raises(Failure, match="refused to sync") as raised:
        check_source(source, str(tmp_path))
    assert raised.value.code == 1


def test_the_callers_home_what_holds_dusty_home_and_links_to_them_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "me/.dusty"
    home.mkdir(parents=True)
    monkeypatch.setattr(sources, "_user_home", lambda: str(tmp_path / "me"))
    (tmp_path / "link").symlink_to(tmp_path / "me")
    for source, why in (
        (tmp_path / "me", "a home folder itself"),
        (tmp_path / "link", "a home folder itself"),
        (tmp_path, "holds DUSTY_HOME"),
        (home, "holds DUSTY_HOME"),
    ):
        with pytest.raises(Failure, match=why):
            check_source(str(source), str(home))


def test_nothing_is_deleted_through_a_link(room: Room, tmp_path: Path) -> None:
    room.repo("web")
    treasure = tmp_path / "treasure"
    write(treasure / "gold", "g")
    for link in (
        room.copy("web"),
        room.copy("web").parent,
        room.home / "host/persist/repos",
        room.home / "host/persist",
    ):
        subprocess.run(["rm", "-rf", room.home / "host"], check=True)
        link.parent.mkdir(parents=True)
        link.symlink_to(treasure)
        (outcome,) = room.sync()
        assert f"{link} is a link" in str(outcome.failure) and outcome.failure.code == 1
        assert tree(treasure) == {"gold": "g"}


def test_a_link_in_place_of_the_receipts_is_refused(room: Room, tmp_path: Path) -> None:
    room.repo("web")
    (room.home / "host/persist/repos").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (room.home / "host/persist/repos/.receipts").symlink_to(tmp_path / "other")
    (outcome,) = room.sync()
    assert "is a link" in str(outcome.failure)


@pytest.mark.parametrize(
    "destination",
    ["/etc", "/persist/dusty_assets/../..", "{root}/persist", "{root}/command_filesx", "{root}/persist/repos/x"],
)
def test_a_push_outside_its_own_folders_is_refused(room: Room, destination: str) -> None:
    source = room.repo("web")
    with pytest.raises(Failure, match="refused to push"):
        rsync.push_folder(room.host, str(source), destination.format(root=room.host.root))


def test_a_push_keeps_what_belongs_to_others(room: Room) -> None:
    source = room.repo("web", {"web/start.sh": "s"})
    target = room.home / "host/command_files"
    write(target / "web/libs/common", "digest")
    write(target / "web/stale.sh", "s")
    rsync.push_folder(room.host, str(source), str(target), keep=["/*/libs/"])
    assert tree(target) == {"web/start.sh": "s", "web/libs/common": "digest"}


def test_what_was_kept_of_edited_command_files_is_not_pushed(room: Room) -> None:
    kept = {"web/start.sh.orig": "mine", "web/scripts/x.sh.orig2": "mine", "web/test/unit.sh.orig10": "mine"}
    files = {"web/start.sh": "s", "x.orig/start.sh": "s", "web/scripts/x.orig2.sh": "s"}
    source, target = room.repo("web", {**files, **kept}), room.home / "host/command_files"
    rsync.push_folder(room.host, str(source), str(target), keep=KEPT_PATTERNS)
    assert tree(target) == files


def test_digests_of_libs_change_with_their_code_and_that_of_their_libs(room: Room) -> None:
    base = str(room.sources / "base")[1:]
    common = str(room.sources / "common")[1:]
    base_path = room.repo("base", lib_of={"web": ["base"]}, lib_repos={"base": [base]})
    room.repo("common", lib_of={"web": ["common"]}, lib_repos={"common": [common, base]})
    web_libs = room.home / "host/command_files/web/libs"
    room.sync()
    assert not web_libs.exists(), "an app without command files gets no folder"
    web_libs.parent.mkdir(parents=True)
    room.sync()
    first = tree(web_libs)
    assert set(first) == {"base", "common"}
    write(base_path / "a.py", "changed")
    room.sync()
    second = tree(web_libs)
    assert first["base"] != second["base"] and first["common"] != second["common"]
    write(room.sources / "common/a.py", "changed")
    room.sync()
    assert tree(web_libs)["base"] == second["base"] and tree(web_libs)["common"] != second["common"]


def test_a_thousand_renames(room: Room) -> None:
    source = room.repo("web", {f"f{number}": str(number) for number in range(1000)})
    room.sync()
    (source / "moved").mkdir()
    for number in range(1000):
        (source / f"f{number}").rename(source / f"moved/g{number}")
    (outcome,) = room.sync()
    assert (len(outcome.changed), len(outcome.deleted)) == (1000, 1000)
    assert tree(room.copy("web")) == tree(source)


def test_two_syncs_of_one_repo_take_turns(room: Room) -> None:
    room.repo("web")
    done: list[str] = []
    with held(f"repo:{room.entries[0].id}", home=str(room.home)):
        thread = threading.Thread(target=lambda: done.extend(outcome.status for outcome in room.sync()))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() and not room.copy("web").exists()
    thread.join(20)
    assert done == ["synced"]


def test_a_killed_sync_leaves_no_receipt_and_the_next_one_ends_it(room: Room) -> None:
    source = room.repo("web", {f"d{number % 10}/f{number}": "x" * 2000 for number in range(1500)})
    room.compiled()
    process = subprocess.Popen(
        room.argv("sync"), env=room.env(), cwd=room.sources, start_new_session=True, stdout=subprocess.DEVNULL
    )
    while not room.copy("web").exists() and process.poll() is None:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    room.sync()
    assert tree(room.copy("web")) == tree(source)
    assert room.stale() == {}


def test_a_copy_is_the_same_one_after_syncs_that_were_killed_right_after_the_look_at_it(room: Room) -> None:
    """Over ssh an answer is lost with the run that asked. With another id, `once` and libs would be run again."""
    source = room.repo("web")
    entry, below = room.entries[0], f"persist/repos/{room.entries[0].id}"
    receipt = f"persist/repos/.receipts/{entry.id}.json"

    def copy_id() -> str:
        room.sync()
        return str(json.loads((room.home / "host" / receipt).read_text())["copy"])

    first = copy_id()
    for _ in range(2):
        write(source / "edited", os.urandom(4).hex())
        for _ in range(2):
            prepare(room.host, below, Asked(receipt))
            assert room.stale()
        assert copy_id() == first
    prepare(room.host, below, Asked(receipt))
    shutil.rmtree(room.copy("web"))
    assert copy_id() != first


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_an_interrupted_sync_ends_its_rsyncs_first(room: Room, tmp_path: Path, number: int, code: int) -> None:
    for name in ("one", "two", "three"):
        room.repo(name)
    room.compiled()
    slow = tmp_path / "bin/rsync"
    write(
        slow,
        f'#!/bin/sh\n[ "$1" != --version ] || exec {shutil.which("rsync")} --version\necho $$ >>{tmp_path}/pids\nexec sleep 100\n',
    )
    slow.chmod(0o755)
    process = subprocess.Popen(
        room.argv("sync"),
        env=room.env(PATH=f"{slow.parent}{os.pathsep}{os.environ['PATH']}"),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (tmp_path / "pids").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    assert process.wait(40) == code
    for pid in (tmp_path / "pids").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert set(room.stale().values()) == {"not on the Docker host yet"}


@pytest.mark.parametrize(
    "line",
    [
        "openrsync: protocol version 29",
        "rsync  version 2.6.9  protocol version 29",
        "rsync  version 3.1.2  protocol version 31",
        "",
    ],
)
def test_an_rsync_that_is_too_old_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(rsync, "_local_version", lambda: line)
    room.repo("web")
    (outcome,) = room.sync()
    assert outcome.failure.code == 1 and (
        "is not 3.1.3 or newer" in str(outcome.failure) or "not installed" in str(outcome.failure)
    )


def test_bind_mode_copies_nothing_and_says_so(room: Room) -> None:
    room.repo("web")
    room.settings = dataclasses.replace(room.settings, sync_mode="bind")
    assert room.sync() == [] and "sync.mode is bind" in room.said[0]
    assert room.stale() == {} and not room.copy("web").exists()


def test_task_names_are_short_where_that_is_clear() -> None:
    assert task_names(["a.org/x/web", "b.org/y/web", "src/lib", "src/a=b*"]) == {
        "a.org/x/web": "a.org/x/web",
        "b.org/y/web": "b.org/y/web",
        "src/lib": "lib",
        "src/a=b*": "a_b_",
    }


@pytest.mark.parametrize("kind", ["fifo", "device", "huge"])
def test_a_dustyignore_without_an_end_stops_nobody_and_is_named(room: Room, kind: str) -> None:
    source = room.repo("web")
    room.sync()
    ignore = source / ".dustyignore"
    if kind == "fifo":
        os.mkfifo(ignore)
    elif kind == "device":
        ignore.symlink_to("/dev/zero")
    else:
        ignore.write_bytes(b"x\n" * (1 << 20))
    what = "it is larger than 64 KiB" if kind == "huge" else "it is not a regular file"
    assert room.stale() == {"web": f"its source cannot be read: {ignore}: {what}"}
    (failed,) = room.sync()
    assert failed.failure and failed.failure.what == f"{ignore} cannot be read: {what}" and failed.failure.code == 1
    assert (room.copy("web") / "a.py").exists()


def test_a_pattern_with_many_ways_costs_no_more_than_another(room: Room) -> None:
    source = room.repo("web", {"a" * 200: "", ".dustyignore": "*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n*a*a*a*b\n", "aaab": ""})
    room.sync()
    assert set(tree(room.copy("web"))) == {"a" * 200, ".dustyignore"} and source.exists()
