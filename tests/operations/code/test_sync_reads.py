"""What was seen of a source a moment ago is not read again, and a receipt tells what was sent all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.fingerprint import read_rules, read_source
from dusty_tasks.effects.code.receipts import read_receipts
from dusty_tasks.operations.code import sources, sync
from dusty_tasks.operations.code.sources import Looks
from dusty_tasks.operations.code.stale import stale_repos
from dusty_tasks.operations.code.sync import How, Known, sync_repos
from dusty_tasks.operations.code.sync_outcome import SyncOutcome
from dusty_tasks.verbs import restart
from tests.operations.sync_room import Room, play_ssh, write


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path / "home"))
    return Room(tmp_path)


class Reads:
    """How often sources and receipts were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources = self.receipts = 0

        def read(*words: Any) -> Any:
            self.sources += 1
            return read_source(*words)

        def read_all(*words: Any) -> Any:
            self.receipts += 1
            return read_receipts(*words)

        monkeypatch.setattr(sources, "read_source", read)
        monkeypatch.setattr(sync, "read_receipts", read_all)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    yield Reads(monkeypatch)


def looked(room: Room) -> Known:
    """As `up` looks: at receipts and sources, and then at what is stale."""
    receipts, looks = read_receipts(room.host, [entry.id for entry in room.entries]), Looks(room.settings)
    found = stale_repos(room.entries, receipts, room.settings, room.host, looks)
    return Known(receipts, looks.kept(entry.id for entry, _reason in found))


def synced(room: Room, known: Known) -> SyncOutcome:
    """As `up` syncs what it looked at."""
    (outcome,) = sync_repos(room.entries, room.host, room.settings, How(print, "up"), room.entries, known)
    assert outcome.failure is None
    return outcome


def assert_equal(room: Room, source: Path) -> None:
    """The copy holds what the source holds, the receipt says so, and nothing is left to do."""
    copy = room.copy(source.name)
    assert {path.name: path.read_text() for path in copy.iterdir()} == {
        path.name: path.read_text() for path in source.iterdir()
    }
    rules = read_rules(str(source), room.settings.sync_exclude)
    assert room.receipt(source.name)["fingerprint"] == read_source(str(source), rules).fingerprint
    assert room.stale() == {}


def test_an_edit_is_looked_at_once_by_plan_and_sync(room: Room, reads: Reads) -> None:
    source = room.repo("web")
    room.sync()
    write(source / "a.py", "edited")
    reads.sources = reads.receipts = 0
    known = looked(room)
    assert reads.sources == 1
    assert synced(room, known).changed == ("a.py",)
    assert (reads.sources, reads.receipts) == (1, 0)
    assert_equal(room, source)


def test_a_repo_that_was_never_synced_is_looked_at_once(room: Room, reads: Reads) -> None:
    source = room.repo("web")
    synced(room, looked(room))
    assert (reads.sources, reads.receipts) == (1, 0)
    assert_equal(room, source)


def in_between(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object], after: Callable[[], object]) -> None:
    """Do this just before, and that just after each time that rsync sends."""
    send = rsync.send_folder

    def sent(*words: Any, **named: Any) -> rsync.Copied:
        before()
        copied = send(*words, **named)
        after()
        return copied

    monkeypatch.setattr(rsync, "send_folder", sent)


def nothing() -> None:
    pass


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_what_is_edited_after_the_look_is_in_the_receipt(
    room: Room, reads: Reads, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = room.repo("web")
    room.sync()
    copy_id = room.receipt("web")["copy"]
    write(source / "b.py", "edited")
    known = looked(room)
    in_between(monkeypatch, lambda: write(source / name, "once more") if reads.sources < 3 else None, nothing)
    outcome = synced(room, known)
    assert set(outcome.changed) == {"b.py", name}
    assert outcome.paths == {b"b.py", name.encode()}
    assert_equal(room, source)
    assert room.receipt("web")["copy"] == copy_id, "it is the same copy, sent to twice"


def test_what_comes_and_goes_while_it_is_sent_does_not_stay_in_the_copy(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = room.repo("web")
    room.sync()
    write(source / "b.py", "edited")
    known = looked(room)
    times = iter([True])
    passing = source / "passing.py"
    in_between(monkeypatch, lambda: next(times, False) and write(passing, "x"), lambda: passing.unlink(missing_ok=True))
    outcome = synced(room, known)
    assert "passing.py" in outcome.deleted
    assert_equal(room, source)


def test_what_is_edited_all_the_time_is_synced_again_by_the_next_run(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = room.repo("web")
    room.sync()
    write(source / "b.py", "edited")
    known = looked(room)
    texts = iter(["one", "two and", "three and then"])
    in_between(monkeypatch, lambda: write(source / "a.py", next(texts)), nothing)
    synced(room, known)
    monkeypatch.undo()
    # Nobody edits any more, and the last edit came after the last look: it is found, and named.
    assert room.stale() == {"web": "a.py changed"}
    room.sync()
    assert_equal(room, source)


def test_a_link_that_leads_elsewhere_now_counts_as_an_edit(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    source = room.repo("web")
    (source / "link").symlink_to("a.py")
    room.sync()
    write(source / "b.py", "edited")
    known = looked(room)

    def turn() -> None:
        (source / "link").unlink()
        (source / "link").symlink_to("b.py")

    times = iter([turn])
    in_between(monkeypatch, lambda: next(times, nothing)(), nothing)
    synced(room, known)
    assert (room.copy("web") / "link").readlink() == Path("b.py")
    assert room.stale() == {}


def test_a_look_is_worth_nothing_after_a_sync_of_somebody_else(room: Room, reads: Reads) -> None:
    source = room.repo("web")
    room.sync()
    write(source / "b.py", "edited")
    known = looked(room)
    write(source / "b.py", "edited again, and synced by another run")
    room.sync()
    reads.sources = 0
    synced(room, known)
    assert reads.sources == 1
    assert_equal(room, source)


def test_restart_reads_receipts_once(room: Room, reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _other = room.repo("web"), room.repo("lib")
    room.sync()
    room.compiled()
    monkeypatch.setattr(restart.session, "settings", lambda: room.settings)
    monkeypatch.setattr(restart.session, "docker_host", lambda: room.host)
    monkeypatch.setattr(restart, "read_receipts", sync.read_receipts)
    write(source / "a.py", "edited")
    for chosen, is_left_out in ((None, False), (None, True), ([], False)):
        reads.receipts = 0
        found = restart.sync(restart.session.wanted(), chosen, is_left_out)
        assert reads.receipts == 1
        assert found == read_receipts(room.host, [entry.id for entry in room.entries])
    assert_equal(room, source)


def test_over_ssh_it_saves_a_round_trip(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = room.repo("web")
    play_ssh(room, tmp_path, monkeypatch)
    room.sync()

    def trips(text: str, *, is_known: bool) -> int:
        write(source / "a.py", text)
        known, host = looked(room) if is_known else Known(), room.host
        sync_repos(room.entries, host, room.settings, How(print), room.entries, known)
        assert_equal(room, source)
        return host.round_trips

    assert trips("edited again", is_known=True) == trips("edited", is_known=False) - 1
