"""The journal on the Docker host: several writers, kill -9, a bounded size, nothing through a link; the script of ssh hosts does the same."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dusty_tasks.core.history import journal
from dusty_tasks.core.history.events import Event
from dusty_tasks.core.history.journal import FORMER, FULL, JOURNAL, line_of
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.docker_host.local import LocalHost
from dusty_tasks.effects.docker_host.over_ssh import SshHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import happened
from dusty_tasks.effects.engine.happened import append_events, read_journal


class ByScript(SshHost):
    """An ssh Docker host whose commands run here."""

    def run(self, argv, *, check=False, as_root=False, **options):
        return process.run(argv, check=check, **options)


@pytest.fixture(params=[LocalHost, ByScript], ids=["local", "by script"])
def host(request, tmp_path):
    return request.param(Settings(home=str(tmp_path / "home"), host=HostSettings(root=str(tmp_path / "root"))))


def event(number, **fields):
    return Event(float(number), "die", "web", status=number % 256, **fields)


def test_events_are_added_and_read_in_order(host):
    assert read_journal(host) == []
    append_events(host, [event(2), event(1)])
    append_events(host, [])
    append_events(host, [event(3, text="ünd 'quotes' \\ %s")])
    assert read_journal(host) == [event(1), event(2), event(3, text="ünd 'quotes' \\ %s")]
    assert Path(host.path(JOURNAL)).stat().st_mode & 0o777 == 0o600


def test_a_full_journal_takes_the_place_of_the_former_one(host, monkeypatch):
    monkeypatch.setattr(journal, "FULL", 3000)
    for first in range(0, 200, 20):
        append_events(host, [event(number, text="x" * 60) for number in range(first, first + 20)])
    sizes = [Path(host.path(path)).stat().st_size for path in (FORMER, JOURNAL)]
    assert all(size < 3000 + 20 * 200 for size in sizes)
    found = [round(event.at) for event in read_journal(host)]
    assert found == list(range(found[0], 200)) and len(found) >= 40


def test_what_is_no_file_is_replaced_and_nothing_is_written_through_a_link(host, tmp_path):
    append_events(host, [event(1)])
    other = tmp_path / "other"
    other.write_text("mine")
    journal = Path(host.path(JOURNAL))
    journal.unlink()
    journal.symlink_to(other)
    assert read_journal(host) == []
    append_events(host, [event(2)])
    assert (read_journal(host), other.read_text(), journal.is_symlink()) == ([event(2)], "mine", False)
    journal.unlink()
    os.mkfifo(journal)
    assert read_journal(host) == []
    append_events(host, [event(3)])
    assert read_journal(host) == [event(3)]
    folder = journal.parent
    folder.rename(tmp_path / "aside")
    folder.symlink_to(tmp_path / "aside")
    with pytest.raises(Failure, match="is a link"):
        append_events(host, [event(4)])


def test_a_journal_that_somebody_blew_up_is_read_by_its_end(host, monkeypatch):
    monkeypatch.setattr(happened, "MOST_READ", 2000)
    append_events(host, [event(1)])
    with open(host.path(JOURNAL), "ab") as file:
        file.write(b"x" * 100_000)
    append_events(host, [event(2)])
    assert read_journal(host) == [event(2)]


WRITER = """
import sys
sys.path.insert(0, {root!r})
sys.path.insert(0, {tests!r})
import test_journal_file as it
from dusty_tasks.core.settings.model import HostSettings, Settings
host = getattr(it, {kind!r})(Settings(home={home!r}, host=HostSettings(root={there!r})))
print("ready", flush=True)
for number in range({count}):
    it.append_events(host, [it.Event(float(number), "die", {name!r}, text="y" * 300)])
print("done", flush=True)
"""


def writer(host, name, count):
    text = textwrap.dedent(WRITER).format(
        root=str(Path(__file__).parents[3]),
        tests=str(Path(__file__).parent),
        home=host.home,
        kind=type(host).__name__,
        there=host.root,
        name=name,
        count=count,
    )
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


def test_lines_of_several_writers_are_whole_and_a_killed_one_takes_no_lock_along(host):
    count = 60 if isinstance(host, ByScript) else 250
    writers = [writer(host, name, count) for name in ("a", "b", "c")]
    doomed = writer(host, "doomed", 10**6)
    for each in (*writers, doomed):
        assert each.stdout.readline() == "ready\n"
    while not any(found.name == "doomed" for found in read_journal(host)):
        pass
    doomed.send_signal(signal.SIGKILL)
    doomed.wait(60)
    for each in writers:
        assert each.stdout.read() == "done\n" and each.wait(60) == 0
    append_events(host, [event(7)])
    sizes = [Path(host.path(path)).stat().st_size for path in (FORMER, JOURNAL) if Path(host.path(path)).exists()]
    assert sum(sizes) <= 2 * (FULL + 2000)
    found = read_journal(host)
    by_name = {name: [round(e.at) for e in found if e.name == name] for name in ("a", "b", "c")}
    if len(sizes) == 1:
        assert all(numbers == list(range(count)) for numbers in by_name.values())
    for numbers in by_name.values():
        assert numbers == list(range(count - len(numbers), count)), "what is left has no gaps"
    assert found.count(event(7)) == 1


def test_a_line_after_a_torn_one_is_whole(host):
    append_events(host, [event(1)])
    with open(host.path(JOURNAL), "ab") as file:
        file.write(line_of(event(2))[:-9])
    append_events(host, [event(3)])
    assert read_journal(host) == [event(1), event(3)]
