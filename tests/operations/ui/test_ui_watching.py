"""What a button begins: told line by line for as long as it takes, masked, and ended with the server."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dusty_tasks.core.of_verbs.redaction import Redactor
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.home.worlds import write_world
from dusty_tasks.operations.ui import watching
from dusty_tasks.operations.ui.feed import Feed

PROGRAM = """
import os, pathlib, signal, sys, time
def end(*_):
    print("ending", flush=True)
    time.sleep(0.3)
    pathlib.Path(sys.argv[1]).write_text("ended in peace")
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("with hunter2-hunter2", flush=True)
print("and an error", file=sys.stderr, flush=True)
assert sys.stdin.read() == ""
while "slow" in sys.argv: time.sleep(0.05)
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> watching.Watching:
    """Watching whose commands are that program; nothing else of it is begun."""
    monkeypatch.setattr(watching, "dusty", lambda: [sys.executable, "-c", PROGRAM, str(tmp_path / "end")])
    return watching.Watching(str(tmp_path), Feed())


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def told(feed: Feed) -> list[object]:
    return [each.get("code", each.get("text")) for each in feed.listen().take().get("run", [])]


def test_nothing_is_told_before_it_is_known_what_to_mask(made: watching.Watching) -> None:
    made.run(["up"], "base")
    time.sleep(0.2)
    assert told(made.feed) == []
    made.feed.mask = Redactor(["hunter2-hunter2"], []).text
    made._knows_secrets.set()
    until(lambda: 0 in told(made.feed))
    assert sorted(map(str, told(made.feed)[1:-1])) == ["and an error", "with <redacted>"]


def test_a_command_that_takes_long_ends_with_the_server_and_not_before(made: watching.Watching, tmp_path: Path) -> None:
    made._knows_secrets.set()
    made.run(["slow"], "base")
    until(lambda: "and an error" in told(made.feed))
    with pytest.raises(watching.Busy):
        made.run(["slow"], "base")
    question = threading.Thread(target=made.ask, args=(["slow"],), daemon=True)
    question.start()
    until(lambda: len(made._children) == 2)
    made.close()
    assert (tmp_path / "end").read_text() == "ended in peace" and not made._children
    question.join(10)
    assert not question.is_alive()
    assert "trouble" in made.ask(["slow"]), "what is begun after the end ends at once"


def test_a_command_can_be_cancelled_and_another_one_begun(made: watching.Watching, tmp_path: Path) -> None:
    made._knows_secrets.set()
    made.cancel()
    made.run(["slow"], "base")
    until(lambda: "and an error" in told(made.feed))
    made.cancel()
    until(lambda: 143 in told(made.feed))
    made.run(["up"], "base")
    until(lambda: 0 in told(made.feed))
    made.close()


def test_it_shows_the_base_or_a_world_and_acts_on_what_is_shown(
    made: watching.Watching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_env = "import os, sys; print(os.environ['DUSTY_HOME'], os.environ['DUSTY_WORLD'], *sys.argv[1:])"
    monkeypatch.setattr(watching, "dusty", lambda: [sys.executable, "-c", told_env])
    with pytest.raises(ValueError, match='no world named "fix"'):
        made.switch("fix")
    (tmp_path / "worlds/fix").mkdir(parents=True)
    write_world(str(tmp_path / "worlds/fix"), World("fix", "127.77.0.1"))
    made._knows_secrets.set()
    made.feed.tell("line", {"text": "of the base"})
    assert made._state(made.home)["shown"] == "base" and made._state(made.home)["worlds"] == ["fix"]
    made.switch("fix")
    assert made.feed.listen().take() == {} and not made._knows_secrets.is_set(), "nothing of the base is left"
    made.feed.tell("state", made._state(made.home))
    assert made._knows_secrets.is_set() and made.feed.listen().take()["state"][0]["shown"] == "fix"
    with pytest.raises(watching.Busy, match="the page shows base, and the server fix"):
        made.run(["restart", "web"], "base")
    assert made.run(["restart", "web"], "fix")["command"] == "dusty restart --world fix web"
    until(lambda: 0 in told(made.feed))
    assert f"{tmp_path} fix restart --world fix web" in told(made.feed)
    until(lambda: not made._running.locked())
    made.switch("base")
    assert made.home == str(tmp_path)
    assert watching.Watching(str(tmp_path / "worlds/fix"), Feed()).world == "fix"
