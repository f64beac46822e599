"""Edits sent alone: after any sequence of them the receipt and the copy are what a sync of everything would have made."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.fingerprint import read_source
from dusty_tasks.effects.code.line import Session
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.doors.lock import last_taken
from dusty_tasks.effects.watch.folders import Watch, Watched
from dusty_tasks.operations.code.sources import Looked, lock_of, rules_at
from dusty_tasks.operations.code.sync import How, Known, sync_repos
from dusty_tasks.operations.code.sync_outcome import FAILED, SYNCED, SyncOutcome
from dusty_tasks.operations.code.watching import Watching
from tests.operations.sync_room import Room, play_ssh, write

PATHS = ["a", "b", "d", "d/a", "d/e", "d/e/f", "x.log", "d/x.log", "with blank ü", "#h"]
paths = st.sampled_from(PATHS)
edits = st.one_of(
    st.tuples(st.just("write"), paths, st.binary(max_size=8)),
    st.tuples(st.just("remove"), paths),
    st.tuples(st.just("folder"), paths),
    st.tuples(st.just("link"), paths, paths),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("mode"), paths, st.sampled_from([0o644, 0o755, 0o600])),
    st.tuples(st.just("rules"), st.sampled_from(["", "*.log\n", "/d/e\n", "*.log\n/b\n"])),
    st.tuples(st.just("ignored"), st.sampled_from(["", "*.log\n", "made\n"])),
    st.tuples(st.just("made there"), st.sampled_from(["made", "d/made"])),
)


class Live:
    """A repo, what watches it, and the syncs that follow it."""

    watching: Watching

    def __init__(self, folder: Path) -> None:
        self.room = Room(folder)
        self.source = self.room.repo("web", {"a": "1", "d/a": "2", "d/e/f": "3", "x.log": "4"})
        self.room.sync()
        self.entry: RepoEntry = self.room.entries[0]
        self.taken = last_taken(lock_of(self.entry.id), self.room.settings.home)
        self.watch = Watch([Watched(self.entry.id, str(self.source))])
        self.watch.wait(0)

    def follow(self) -> list[SyncOutcome]:
        """Send what was noticed, until nothing more is."""
        outcomes: list[SyncOutcome] = []
        while (batch := self.watch.wait(0.15)).changed:
            looked = {key: Looked(source, self.taken) for key, source in batch.sources.items()}
            outcomes += sync_repos(
                self.room.entries,
                self.room.host,
                self.room.settings,
                How(lambda _line: None, allow_empty=True, is_live=True),
                known=Known(looked=looked),
            )
            self.taken = last_taken(lock_of(self.entry.id), self.room.settings.home)
        assert not any(outcome.failure for outcome in outcomes), [str(outcome) for outcome in outcomes]
        return outcomes

    def send(self) -> list[SyncOutcome]:
        """The same as dev does it."""
        batch = self.watch.wait(0.3)
        outcomes, failure = self.watching.sync({self.entry.id}, batch.sources, allow_empty=True, is_live=True)
        assert failure is None
        return outcomes

    def check_far(self) -> None:
        """Nothing is left to send, times and contents compared."""
        assert not self.room.stale()
        rules = rules_at(str(self.source), self.room.settings)
        assert not rsync.differences(self.room.host, str(self.source), str(self.room.copy("web")), rules).changed

    def check(self) -> None:
        """A full look equals the receipt, and the copy the source, but for what containers made."""
        rules = rules_at(str(self.source), self.room.settings)
        assert (
            self.room.receipt("web")["fingerprint"].partition("+")[0]
            == read_source(str(self.source), rules).fingerprint
        )
        found = rsync.differences(self.room.host, str(self.source), str(self.room.copy("web")), rules)
        assert not found.changed
        # What git ignores by now stays in the copy, also where the source has it no more.
        ignored = self.source / ".gitignore"
        has_logs = ignored.is_file() and "*.log" in ignored.read_text()
        assert {Path(name).name for name in found.deleted} <= {"made", *(["x.log"] if has_logs else [])}


def apply(root: Path, copy: Path, edit: tuple) -> None:
    """One edit, as far as it can be made."""
    kind, *words = edit
    path = root / words[0]
    try:
        if kind == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(words[1])
        elif kind == "remove":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        elif kind == "folder":
            path.mkdir(parents=True)
        elif kind == "link":
            path.symlink_to(words[1])
        elif kind == "rename":
            path.rename(root / words[1])
        elif kind == "mode":
            if not stat.S_ISLNK(path.lstat().st_mode):
                path.chmod(words[1] | (0o111 if path.is_dir() else 0))
        elif kind == "rules":
            (root / ".dustyignore").write_text(words[0])
        elif kind == "ignored":
            (root / ".gitignore").write_text(words[0])
        else:
            (copy / words[0]).write_text("by a container")
    except OSError:
        pass


def follows_any_edits(rounds: list[list[tuple]]) -> None:
    with tempfile.TemporaryDirectory(prefix="dusty-live-") as folder:
        live = Live(Path(folder))
        with live.watch:
            for one in rounds:
                for edit in one:
                    apply(live.source, live.room.copy("web"), edit)
                live.follow()
                live.check()


rounds_of_edits = st.lists(st.lists(edits, min_size=1, max_size=4), min_size=1, max_size=4)
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=12, deadline=None, suppress_health_check=CHECKS)
@given(rounds_of_edits)
def test_after_any_edits_the_receipt_is_what_a_full_look_says(rounds: list[list[tuple]]) -> None:
    follows_any_edits(rounds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=2000, deadline=None, suppress_health_check=CHECKS)
@given(rounds_of_edits)
def test_ten_thousand_edits_leave_no_difference(rounds: list[list[tuple]]) -> None:
    follows_any_edits(rounds)


@pytest.fixture
def live(tmp_path: Path):
    found = Live(tmp_path)
    with found.watch:
        yield found


def test_a_small_edit_is_sent_alone_and_names_itself(live: Live) -> None:
    write(live.room.copy("web") / "made-there", "by a container")
    write(live.source / "d/a", "longer")
    (outcome,) = live.follow()
    assert outcome.status == SYNCED and outcome.paths == {b"d/a"} and outcome.sent_at
    assert (live.room.copy("web") / "made-there").exists()  # a sync of everything would have kept it aside
    live.room.sync()
    assert not live.room.said


def test_what_a_container_changed_is_kept_when_an_edit_replaces_it(live: Live) -> None:
    write(live.room.copy("web") / "a", "changed by a container")
    write(live.source / "a", "edited")
    (outcome,) = live.follow()
    assert [file.path for kept in outcome.kept for file in kept.files] == [b"a"]
    assert (live.room.copy("web") / "a").read_text() == "edited"


def test_a_folder_that_is_gone_keeps_what_git_ignores(live: Live) -> None:
    write(live.source / ".gitignore", "*.pyc\n")
    live.follow()
    write(live.room.copy("web") / "d/e/x.pyc", "cache")
    shutil.rmtree(live.source / "d")
    live.follow()
    copy = live.room.copy("web")
    assert (copy / "d/e/x.pyc").exists() and not (copy / "d/a").exists()


def test_a_link_that_a_container_put_on_the_way_is_not_followed(live: Live, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "a", "precious")
    copy = live.room.copy("web")
    shutil.rmtree(copy / "d")
    (copy / "d").symlink_to(elsewhere)
    (live.source / "d/a").unlink()
    write(live.source / "d/b", "new")
    live.follow()
    assert (elsewhere / "a").read_text() == "precious" and os.listdir(elsewhere) == ["a"]
    live.check()


def test_another_sync_in_between_is_noticed(live: Live) -> None:
    write(live.source / "a", "one")
    live.room.sync()
    write(live.source / "b", "two")
    assert not any(outcome.status == FAILED for outcome in live.follow())
    live.check()


@pytest.fixture
def far(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same with a Docker host behind ssh, and edits that go by a line opened before."""
    play_ssh(live.room, tmp_path / "played", monkeypatch)
    write(live.source / "first", "sent whole: nobody remembers what this host has")
    live.watching = Watching(tuple(live.room.entries), tuple(live.room.entries), live.room.settings, live.room.host)
    assert live.watching.line
    live.send()
    yield live
    live.watching.close_line()


def commands_of(live: Live, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What rsync was asked to send, from now on."""
    sent: list[str] = []
    real = rsync.run_rsync

    def noted(host, way, *rest):
        sent.append(way.destination)
        return real(host, way, *rest)

    monkeypatch.setattr(rsync, "run_rsync", noted)
    return sent


def test_a_small_edit_goes_to_a_far_host_by_the_line(far: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = commands_of(far, monkeypatch)
    before = far.watching.host.round_trips
    write(far.source / "d/a", "edited")
    write(far.source / "with blank ü", "new")
    (far.source / "a").chmod(0o755)
    (outcome,) = far.send()
    assert not sent and outcome.paths == {b"d/a", "with blank ü".encode(), b"a"} and not outcome.kept
    assert far.watching.host.round_trips - before <= 2  # the spare records, as there are no others, and the next line
    far.check_far()


def test_what_a_container_changed_is_kept_when_the_line_replaces_it(far: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = commands_of(far, monkeypatch)
    write(far.room.copy("web") / "a", "changed by a container")
    write(far.source / "a", "edited")
    (outcome,) = far.send()
    assert not sent and [file.path for kept in outcome.kept for file in kept.files] == [b"a"]
    assert (far.room.copy("web") / "a").read_text() == "edited"


def test_the_line_follows_no_link_that_a_container_put_on_the_way(far: Live, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "a", "precious")
    copy = far.room.copy("web")
    shutil.rmtree(copy / "d")
    (copy / "d").symlink_to(elsewhere)
    write(far.source / "d/a", "edited")
    far.send()
    assert (elsewhere / "a").read_text() == "precious" and os.listdir(elsewhere) == ["a"]


def test_an_edit_goes_another_way_when_the_line_is_dead(far: Live) -> None:
    session = far.watching.line.take()
    session._piped.input.close()
    far.watching.line._next = session
    write(far.source / "a", "edited")
    (outcome,) = far.send()
    assert outcome.status == SYNCED and (far.room.copy("web") / "a").read_text() == "edited"


def test_another_sync_in_between_is_noticed_by_the_line(far: Live) -> None:
    write(far.source / "a", "one")
    far.room.sync()
    write(far.source / "b", "two")
    assert not any(outcome.failure for outcome in far.send())
    far.check_far()


def written_while_it_is_sent(live: Live, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Of the next sendings, let each find files that grew since the look, and that grow again before anybody looks."""
    texts = list(more)

    def while_it_goes(real):
        def sent(*words, **named):
            if texts:
                write(live.source / "d/a", texts.pop(0))
            try:
                return real(*words, **named)
            finally:
                if texts:
                    write(live.source / "d/a", texts.pop(0))

        return sent

    for name in ("send_paths", "send_folder"):
        monkeypatch.setattr(rsync, name, while_it_goes(getattr(rsync, name)))
    monkeypatch.setattr(Session, "send", while_it_goes(Session.send))


GROWING = ["half", "more than half", "nearly all of it", "nearly all of it."]


def test_what_is_written_while_it_is_copied_is_copied_again_and_nobody_elses(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_while_it_is_sent(live, monkeypatch, *GROWING)
    write(live.source / "d/a", "h")
    outcomes = live.follow()
    write(live.source / "d/a", "all of it.")
    outcomes += live.follow()
    assert [outcome.kept for outcome in outcomes if outcome.kept] == []
    assert (live.room.copy("web") / "d/a").read_text() == "all of it."
    live.check()


def test_what_is_written_again_and_again_is_sent_alone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    write(live.source / "d/a", "h")
    live.follow()
    written_while_it_is_sent(live, monkeypatch, *GROWING, "a", "an", "and", "and so", "and so on", "and so on.")
    everything = []
    real = rsync.send_folder
    monkeypatch.setattr(rsync, "send_folder", lambda *words, **named: everything.append(words) or real(*words, **named))
    write(live.source / "d/a", "ha")
    outcomes = live.follow()
    assert len(outcomes) > 1 and not everything
    assert [outcome.kept for outcome in outcomes if outcome.kept] == []
    assert (live.room.copy("web") / "d/a").read_text() == "and so on."
    live.check()


def test_what_is_written_while_the_line_has_it_is_copied_again_and_nobody_elses(
    far: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_while_it_is_sent(far, monkeypatch, *GROWING)
    write(far.source / "d/a", "h")
    outcomes = far.send()
    write(far.source / "d/a", "all of it.")
    outcomes += far.send()
    assert [outcome.kept for outcome in outcomes if outcome.kept] == []
    assert (far.room.copy("web") / "d/a").read_text() == "all of it."
    far.check_far()


def test_a_file_that_goes_while_it_is_copied_goes_there_too(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rsync.send_paths

    def sent(*words, **named):
        write(live.source / "d/a", "half")
        try:
            return real(*words, **named)
        finally:
            (live.source / "d/a").unlink(missing_ok=True)

    monkeypatch.setattr(rsync, "send_paths", sent)
    write(live.source / "d/a", "h")
    outcomes = live.follow()
    assert [outcome.kept for outcome in outcomes if outcome.kept] == []
    assert not (live.room.copy("web") / "d/a").exists()
    live.check()


def test_a_folder_that_becomes_a_file_while_everything_is_copied_fails_nothing(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rsync.send_folder

    def sent(*words, **named):
        monkeypatch.setattr(rsync, "send_folder", real)
        write(live.source / "a", "edited since the look, and sent before rsync fails")
        shutil.rmtree(live.source / "d")
        write(live.source / "d", "a file now")
        try:
            return real(*words, **named)
        finally:
            write(live.source / "a", "edited again before anybody looks")

    monkeypatch.setattr(rsync, "send_folder", sent)
    write(live.source / ".gitignore", "made\n")
    outcomes = live.follow()
    write(live.source / "a", "edited once more")
    outcomes += live.follow()
    assert rsync.send_folder is real
    assert [outcome.kept for outcome in outcomes if outcome.kept] == []
    assert (live.room.copy("web") / "d").read_text() == "a file now"
    live.check()


def test_the_sync_after_one_that_failed_tells_what_changed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words, **_named):
        raise ToolFailed(["rsync"], 12, "the line was cut")

    live.watching = Watching(tuple(live.room.entries), tuple(live.room.entries), live.room.settings, live.room.host)
    before = live.room.receipt("web")["fingerprint"]
    write(live.source / "d/a", "edited")
    batch = live.watch.wait(0.3)
    with monkeypatch.context() as failing:
        failing.setattr(rsync, "send_paths", fail)
        failing.setattr(rsync, "send_folder", fail)
        _outcomes, failure = live.watching.sync({live.entry.id}, batch.sources, allow_empty=True, is_live=True)
        assert failure
    (outcome,) = live.watching.sync({live.entry.id}, {}, allow_empty=True, is_live=True)[0]
    assert (outcome.before, outcome.paths) == (before, {b"d/a"})
