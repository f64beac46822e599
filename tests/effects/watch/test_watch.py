"""Watching folders, with the real events of this system, with those that serve elsewhere, and with none at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dusty_tasks.core.code import watching
from dusty_tasks.core.code.watching import Back, Blind, Gone
from dusty_tasks.effects.watch import folders as watch_module
from dusty_tasks.effects.watch.folders import MOST_PATHS, Watch, Watched
from dusty_tasks.effects.watch.inotify import CannotWatch, Inotify, NoEvents
from dusty_tasks.effects.watch.native_events import NativeEvents

ROOT = Path(__file__).resolve().parents[3]
EVENTS: dict[str, Callable] = {
    "inotify": Inotify,
    "native": NativeEvents,
    "none": lambda: NoEvents("there are no events"),
}
PATIENCE = 30.0


@pytest.fixture(params=EVENTS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(watching, "BLIND", 0.1)
    monkeypatch.setattr(watch_module, "GLANCE", 0.1)
    return request.param


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    for below in ("a.py", "lib/b.py", "lib/deep/c.py"):
        write(path / below)
    return path


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Seen:
    """What a watch told until now."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.paths, self.notices = watch, set(), []

    def take(self, seconds: float) -> None:
        batch = self.watch.wait(seconds)
        self.notices += batch.notices
        for key, paths in batch.changed.items():
            self.paths |= {f"{key}:{path}" for path in paths}

    def until(self, *paths: str) -> None:
        """Wait until all of these were told, then start anew."""
        end = time.monotonic() + PATIENCE
        while not set(paths) <= self.paths:
            assert time.monotonic() < end, (
                f"waited for {set(paths) - self.paths}, told {sorted(self.paths)}, {self.notices}"
            )
            self.take(0.5)
        self.paths.clear()

    def until_notice(self, kind: type) -> None:
        end = time.monotonic() + PATIENCE
        while not any(isinstance(notice, kind) for notice in self.notices):
            assert time.monotonic() < end, f"waited for {kind}, told {self.notices}"
            self.take(0.5)
        self.notices.clear()


@pytest.fixture
def seen(kind: str, repo: Path) -> Iterator[Seen]:
    with Watch([Watched("web", str(repo))], EVENTS[kind]()) as watch:
        found = Seen(watch)
        found.take(0)
        found.notices.clear()
        yield found


def test_every_sort_of_change_is_told(seen: Seen, repo: Path) -> None:
    write(repo / "a.py", "longer")
    seen.until("web:a.py")
    write(repo / "new/er/d.py")
    seen.until("web:new/er/d.py")
    write(repo / "new/er/d.py", "in a new folder")
    seen.until("web:new/er/d.py")
    (repo / "new").rename(repo / "moved")
    seen.until("web:new/er/d.py", "web:moved/er/d.py")
    write(repo / "moved/er/d.py", "in a moved folder, too")
    seen.until("web:moved/er/d.py")
    (repo / "lib/b.py").unlink()
    seen.until("web:lib/b.py")
    (repo / "lib/deep/c.py").chmod(0o755)
    seen.until("web:lib/deep/c.py")
    (repo / "link").symlink_to("a.py")
    seen.until("web:link")
    with (repo / "log").open("w") as file:
        file.write("still open")
        file.flush()
        seen.until("web:log")


def test_another_file_of_equal_size_and_time_is_told_of_its_folder(seen: Seen, repo: Path) -> None:
    state = (repo / "a.py").stat()
    write(repo / "fresh", "y")
    os.utime(repo / "fresh", ns=(state.st_atime_ns, state.st_mtime_ns))
    seen.until("web:fresh")
    (repo / "fresh").rename(repo / "a.py")
    seen.until("web:fresh")
    state = (repo / "lib/b.py").stat()
    write(repo / "lib/b.py", "y")
    os.utime(repo / "lib/b.py", ns=(state.st_atime_ns, state.st_mtime_ns))
    seen.until("web:.")


def test_what_is_excluded_is_not_told_and_an_edit_of_the_rules_counts_at_once(seen: Seen, repo: Path) -> None:
    write(repo / ".dustyignore", "*.log\n/build/\n/.dustyignore\n")
    seen.until("web:.dustyignore")
    write(repo / "x.log")
    write(repo / "build/deep/y.py")
    write(repo / "a.py", "longer")
    seen.take(5)
    assert seen.paths == {"web:a.py"}
    write(repo / ".dustyignore", "*.log\n")
    seen.until("web:build/deep/y.py", "web:.dustyignore")
    write(repo / "build/deep/y.py", "watched by now")
    seen.until("web:build/deep/y.py")


def test_a_folder_that_takes_the_place_of_another_is_watched(seen: Seen, repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "other/deep/c.py", "other")
    (repo / "lib").rename(tmp_path / "away")
    (tmp_path / "other").rename(repo / "lib")
    seen.until("web:lib/b.py", "web:lib/deep/c.py")
    write(repo / "lib/deep/c.py", "an edit of the other one")
    seen.until("web:lib/deep/c.py")
    subprocess.run(["rm", "-r", repo / "lib"], check=True)
    write(repo / "lib/deep/c.py", "made again")
    seen.until("web:lib/deep/c.py")
    write(repo / "lib/deep/c.py", "and edited")
    seen.until("web:lib/deep/c.py")


def test_the_watched_folder_may_go_and_come_back(kind: str, seen: Seen, repo: Path, tmp_path: Path) -> None:
    repo.rename(tmp_path / "away")
    seen.until_notice(Gone)
    write(tmp_path / "away/a.py", "nobody looks here")
    seen.take(0.3)
    assert not seen.paths and not seen.notices
    (tmp_path / "away").rename(repo)
    seen.until("web:a.py")
    assert Back("web", str(repo)) in seen.notices
    write(repo / "a.py", "an edit after it came back")
    seen.until("web:a.py")
    subprocess.run(["rm", "-r", repo], check=True)
    if kind == "native":
        seen.until_notice(Gone)  # its watch is by path elsewhere; here the new folder may get the old one's inode
    write(repo / "made/again.py")
    seen.until("web:made/again.py")
    write(repo / "made/again.py", "and edited")
    seen.until("web:made/again.py")
    subprocess.run(["rm", "-r", repo], check=True)
    repo.write_text("a file")
    seen.notices.clear()
    seen.until_notice(Gone)


def test_the_path_is_watched_and_not_where_it_led_once(kind: str, repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "v2/repo/a.py", "of v2")
    (tmp_path / "v1").mkdir()
    repo.rename(tmp_path / "v1/repo")
    (tmp_path / "current").symlink_to("v1")
    with Watch([Watched("web", str(tmp_path / "current/repo"))], EVENTS[kind]()) as watch:
        seen = Seen(watch)
        write(tmp_path / "v1/repo/a.py", "through the link")
        seen.until("web:a.py")
        (tmp_path / "next").symlink_to("v2")
        (tmp_path / "next").rename(tmp_path / "current")
        seen.until("web:a.py", "web:lib/b.py")
        write(tmp_path / "v2/repo/a.py", "an edit of v2")
        seen.until("web:a.py")
        (tmp_path / "v2").rename(tmp_path / "v3")
        seen.notices.clear()
        seen.until_notice(Gone)


def test_a_folder_that_is_not_there_yet_is_waited_for(kind: str, tmp_path: Path) -> None:
    with Watch([Watched("web", str(tmp_path / "later"))], EVENTS[kind]()) as watch:
        seen = Seen(watch)
        seen.until_notice(Gone)
        assert watch.gone == {"web"}
        write(tmp_path / "later/a.py")
        seen.until("web:a.py")
        assert not watch.gone


def test_folders_can_be_added_and_taken_away(kind: str, repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "lib2/a.py")
    with Watch([Watched("web", str(repo))], EVENTS[kind]()) as watch:
        seen = Seen(watch)
        watch.set(
            [Watched("web", str(repo)), Watched("lib", str(tmp_path / "lib2")), Watched("below", str(repo / "lib"))]
        )
        write(tmp_path / "lib2/a.py", "longer")
        write(repo / "lib/b.py", "watched twice")
        seen.until("lib:a.py", "web:lib/b.py", "below:b.py")
        watch.set([Watched("below", str(repo / "lib"))])
        write(repo / "lib/b.py", "watched once, still")
        write(tmp_path / "lib2/a.py", "no more")
        seen.until("below:b.py")
        seen.take(0.5)
        assert not seen.paths


@pytest.mark.parametrize("kind", ["inotify", "none"])
def test_any_name_will_do(kind: str, repo: Path) -> None:
    """Not those of NativeEvents: file systems of macOS have no others than UTF-8."""
    with Watch([Watched("web", str(repo))], EVENTS[kind]()) as watch:
        seen = Seen(watch)
        odd = b"caf\xe9\n\x1b[31m"
        os.mkdir(os.fsencode(repo) + b"/" + odd)
        with open(os.fsencode(repo) + b"/" + odd + b"/\xff", "w"):
            pass
        seen.until(os.fsdecode(b"web:" + odd + b"/\xff"))
        with open(os.fsencode(repo) + b"/" + odd + b"/\xff", "w") as file:
            file.write("edited")
        seen.until(os.fsdecode(b"web:" + odd + b"/\xff"))


def test_links_are_not_followed_and_excluded_folders_use_no_watches(repo: Path) -> None:
    (repo / "all").symlink_to("/")
    (repo / "self").symlink_to(".")
    for number in range(20):
        (repo / f"node_modules/m{number}").mkdir(parents=True)
        (repo / f".git/o{number}").mkdir(parents=True)
    events = Inotify()
    with Watch([Watched("web", str(repo), ("node_modules",))], events) as watch:
        assert watches(events) == 3
        watch.set([Watched("web", str(repo))])
        assert watches(events) == 3 + 21
        watch.set([])
        assert watches(events) == 0


def watches(events: Inotify) -> int:
    """By the kernel's own count."""
    return Path(f"/proc/self/fdinfo/{events._inotify.fileno()}").read_text().count("inotify wd:")


def test_a_burst_longer_than_the_kernels_queue_loses_nothing(repo: Path) -> None:
    events = Inotify()
    with Watch([Watched("web", str(repo))], events) as watch:
        seen, read, has_overflown = Seen(watch), events._inotify.read, []

        def noted(**named: int) -> list:
            found = read(**named)
            has_overflown.extend(event for event in found if event.wd == -1)
            return found

        events._inotify.read = noted
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        (repo / "lib").rename(repo / "moved")
        for _number in range(limit // 2 + 100):
            for mode in (0o600, 0o644):
                os.chmod(repo / "a.py", mode)  # not coalesced with one of another file between
                os.chmod(repo / "moved/b.py", mode)
        write(repo / "moved/deep/c.py", "the last of all")
        seen.until("web:moved/deep/c.py")
        assert has_overflown
        write(repo / "moved/deep/c.py", "in the folder whose move was lost")
        seen.until("web:moved/deep/c.py")


def test_a_batch_is_bounded(repo: Path) -> None:
    with Watch([Watched("web", str(repo))], Inotify()) as watch:
        for number in range(MOST_PATHS + 500):
            write(repo / f"many/f{number}")
        batch = watch.wait(PATIENCE)
        while "many/f0" not in batch.changed.get("web", ()) and batch.changed:
            batch = watch.wait(1)
        assert len(batch.changed["web"]) <= MOST_PATHS


def test_what_no_event_tells_is_found_by_a_look_now_and_then(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "COVERED", 0.2)
    os.link(repo / "a.py", tmp_path / "elsewhere")
    with Watch([Watched("web", str(repo))], Inotify()) as watch:
        seen = Seen(watch)
        (tmp_path / "elsewhere").write_text("through another name of the same file")
        seen.until("web:a.py")


def test_nothing_is_told_where_nothing_changed(repo: Path) -> None:
    with Watch([Watched("web", str(repo))], Inotify()) as watch:
        (repo / "tmp").write_text("")
        (repo / "tmp").unlink()
        batch = watch.wait(1)
        assert not batch.changed and not batch.notices
        # Who writes a file of equal size and sets its time back cannot be told from this: contents are to be compared.
        state = (repo / "a.py").stat()
        os.utime(repo / "a.py", ns=(1, state.st_mtime_ns))
        assert set(watch.wait(1).changed.get("web", ())) <= {"."}


def in_namespace(*flags: str, script: str, folder: Path) -> str:
    """What a Python script prints that has namespaces of its own; skips where that is not allowed."""
    if subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode:
        pytest.skip(f"unshare {' '.join(flags)} is not allowed here")
    code = f"import os, subprocess, sys\nfrom pathlib import Path\nrepo = Path({str(folder)!r})\n{HELP}\n{script}"
    done = subprocess.run(
        ["unshare", *flags, sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


HELP = """
from dusty_tasks.core.code import watching
from dusty_tasks.effects.watch import folders as module
from dusty_tasks.effects.watch.folders import Watch, Watched
watching.BLIND = module.GLANCE = 0.1
def told(watch, path):
    for _ in range(100):
        batch = watch.wait(0.3)
        for notice in batch.notices: print(notice)
        if path in batch.changed.get("web", ()): return print("told", path)
    sys.exit("nobody told of " + path)
"""
MAPPED = ("-U", "--map-root-user")


def test_without_a_watch_left_the_edit_is_found_all_the_same(repo: Path) -> None:
    said = in_namespace(
        *MAPPED,
        folder=repo,
        script="""
Path("/proc/sys/user/max_inotify_watches").write_text("2")
with Watch([Watched("web", str(repo))]) as watch:
    (repo / "lib/deep/c.py").write_text("edit")
    told(watch, "lib/deep/c.py")
""",
    )
    assert said.count("Blind") == 1 and "user.max_inotify_watches = 2" in said


def test_a_limit_that_is_reached_later_makes_nothing_deaf(repo: Path) -> None:
    said = in_namespace(
        *MAPPED,
        folder=repo,
        script="""
Path("/proc/sys/user/max_inotify_watches").write_text("5")
with Watch([Watched("web", str(repo))]) as watch:
    for name in "abcdef": (repo / name).mkdir()
    (repo / "f/x").write_text("")
    told(watch, "f/x")
    for name in "abcdef":
        (repo / name / "x").write_text("edit")
        told(watch, name + "/x")
""",
    )
    assert said.count("Blind") == 1 and "no inotify watches are left" in said


def test_without_an_instance_left_the_edit_is_found_all_the_same(repo: Path) -> None:
    said = in_namespace(
        *MAPPED,
        folder=repo,
        script="""
Path("/proc/sys/user/max_inotify_instances").write_text("0")
with Watch([Watched("web", str(repo)), Watched("api", str(repo))]) as watch:
    (repo / "a.py").write_text("edit")
    told(watch, "a.py")
""",
    )
    assert said.count("Blind") == 2 and "no inotify instances are left" in said


def test_what_is_mounted_and_unmounted_is_followed(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "other/deep/c.py")
    said = in_namespace(
        "-m",
        *MAPPED,
        folder=repo,
        script=f"""
other = Path({str(tmp_path / "other")!r})
def run(*words): subprocess.run([*map(str, words)], check=True)
with Watch([Watched("web", str(repo))]) as watch:
    run("mount", "--bind", other, repo / "lib")
    told(watch, "lib/b.py")
    (other / "deep/c.py").write_text("an edit in what is mounted")
    told(watch, "lib/deep/c.py")
    run("umount", repo / "lib")
    told(watch, "lib/b.py")
    (repo / "lib/b.py").write_text("an edit of what was hidden")
    told(watch, "lib/b.py")
    run("mount", "-t", "tmpfs", "tmpfs", repo)
    told(watch, "a.py")
    (repo / "t").write_text("an edit in the new root")
    told(watch, "t")
    run("umount", repo)
    told(watch, "a.py")
    (repo / "a.py").write_text("an edit in the old root")
    told(watch, "a.py")
""",
    )
    assert said.count("told") == 8 and "Gone" not in said


def test_an_error_of_the_kernel_that_is_no_limit_is_said_as_it_is(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Inotify()

    def refuse(_path: bytes, _mask: int) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    events._inotify.add_watch = refuse
    with pytest.raises(CannotWatch, match=r"inotify does not work here \(Invalid argument\)"):
        events.cover("web", str(repo), [b"/"], True)
    with Watch([Watched("web", str(repo))], events) as watch:
        assert [type(notice) for notice in watch.wait(0).notices] == [Blind]


def test_it_says_at_once_that_something_happened(repo: Path) -> None:
    said: list[bool] = []
    with Watch([Watched("web", str(repo))]) as watch:
        watch.wait(0)
        watch.on_woken = lambda: said.append("new" in str(watch._trees["web"].seen))
        watch.wait(0.05)
        assert not said
        (repo / "new").write_text("edit")
        assert "new" in watch.wait(5).changed["web"]
    assert said[0] is False  # before the look
