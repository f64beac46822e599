"""config.yml has one writer at a time, a check before each write, and a history that forgets nothing."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks.core.settings.history import AS_FOUND, BY_HAND, REMOVED_BY_HAND
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import state_of
from dusty_tasks.effects.home import config as store

ROOT = Path(__file__).resolve().parents[3]


def put(home: Path, **keys: object) -> bool:
    return store.change_config(str(home), f"set {' '.join(keys)}", lambda config: config.update(keys))


def whats(home: Path) -> list[str]:
    return [entry.what for entry in store.log(str(home))]


def test_a_first_change_makes_the_file_and_its_history(dusty_home: Path) -> None:
    assert put(dusty_home, routing="network")
    assert (dusty_home / "config.yml").read_text() == "routing: network\n"
    assert stat.S_IMODE((dusty_home / "config.yml").stat().st_mode) == 0o600
    assert stat.S_IMODE((dusty_home / "config.git").stat().st_mode) == 0o700
    assert whats(dusty_home) == ["set routing"]


def test_an_entry_says_who_and_when(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    [entry] = store.log(str(dusty_home))
    assert len(entry.id) == 8 and "@" in entry.who and entry.time.startswith("2") and "T" in entry.time


def test_an_equal_value_is_no_change(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    before = state_of((dusty_home / "config.yml").stat())
    assert not put(dusty_home, routing="network")
    assert state_of((dusty_home / "config.yml").stat()) == before and whats(dusty_home) == ["set routing"]


def test_a_file_written_by_hand_keeps_its_comments_mode_and_place(dusty_home: Path, tmp_path: Path) -> None:
    dusty_home.mkdir()
    real = tmp_path / "dotfiles.yml"
    real.write_text("# mine\nspecs_repo: /src/specs # the team's\n")
    real.chmod(0o640)
    (dusty_home / "config.yml").symlink_to(real)
    put(dusty_home, routing="network")
    assert real.read_text() == "# mine\nspecs_repo: /src/specs # the team's\nrouting: network\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640 and (dusty_home / "config.yml").is_symlink()
    assert whats(dusty_home) == ["set routing", AS_FOUND]


def test_an_edit_by_hand_is_recorded_before_the_next_change(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    with (dusty_home / "config.yml").open("a") as file:
        file.write("external_bind: true\n")
    put(dusty_home, routing="published")
    assert whats(dusty_home) == ["set routing", BY_HAND, "set routing"]
    store.undo(str(dusty_home))
    assert (dusty_home / "config.yml").read_text() == "routing: network\nexternal_bind: true\n"


def test_a_removed_file_is_recorded_too(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    (dusty_home / "config.yml").unlink()
    put(dusty_home, external_bind=True)
    assert whats(dusty_home) == ["set external_bind", REMOVED_BY_HAND, "set routing"]


def test_comments_that_cannot_stay_are_said_and_kept_aside_once(dusty_home: Path) -> None:
    dusty_home.mkdir()
    (dusty_home / "config.yml").write_text("{bundles: [a]} # short\n")
    said: list[str] = []
    store.change_config(str(dusty_home), "x", lambda config: config.update(bundles=["b"]), said.append)
    assert "# short" in said[0] and "config.yml.orig" in said[0]
    assert (dusty_home / "config.yml.orig").read_text() == "{bundles: [a]} # short\n"
    (dusty_home / "config.yml").write_text("{bundles: [a]} # again\n")
    store.change_config(str(dusty_home), "x", lambda config: config.update(bundles=["b"]), said.append)
    assert (dusty_home / "config.yml.orig").read_text() == "{bundles: [a]} # short\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"routnig": "network"}, "routing"),
        ({"routing": "netwrk"}, "network"),
        ({"bundles": "a"}, "list"),
        ({"host": {"kind": "vm"}}, "local"),
        ({"sync": {"jobs": "many"}}, "sync.jobs"),
        ({"env": {"web": {"A": ["x"]}}}, "env.web.A"),
    ],
)
def test_a_bad_value_changes_nothing(dusty_home: Path, change: dict[str, object], said: str) -> None:
    put(dusty_home, routing="network")
    before = (dusty_home / "config.yml").read_bytes()
    with pytest.raises(Failure) as failure:
        put(dusty_home, **change)
    assert said in str(failure.value) and failure.value.code == 1
    assert (dusty_home / "config.yml").read_bytes() == before and whats(dusty_home) == ["set routing"]


@pytest.mark.parametrize(
    "data",
    [b"routing: [", b"\xff\xfe", b"- a\n", b"a: 1\n---\nb: 1\n", b"a: " + b"[" * 20000, b"a: \x00", b"a: 1\na: 2\n"],
)
def test_a_broken_file_is_named_and_left_alone(dusty_home: Path, data: bytes) -> None:
    dusty_home.mkdir()
    (dusty_home / "config.yml").write_bytes(data)
    with pytest.raises(Failure, match=r"config\.yml:\d+:\d+: "):
        put(dusty_home, routing="network")
    assert (dusty_home / "config.yml").read_bytes() == data


def test_a_broken_edit_by_hand_can_be_undone(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    (dusty_home / "config.yml").write_bytes(b"\xff routing: [")
    assert store.undo(str(dusty_home)).what == BY_HAND
    assert (dusty_home / "config.yml").read_text() == "routing: network\n"


def bundles(home: Path) -> object:
    return store.read_config(str(home)).get("bundles")


def test_undo_goes_back_step_by_step_and_an_undo_can_be_undone(dusty_home: Path) -> None:
    home = str(dusty_home)
    for names in (["a"], ["a", "b"], ["c"]):
        put(dusty_home, bundles=names)
    store.undo(home)
    assert bundles(dusty_home) == ["a", "b"]
    redo_id = store.log(home)[0].id
    store.undo(home)
    assert bundles(dusty_home) == ["a"]
    put(dusty_home, bundles=["d"])
    store.undo(home)
    assert bundles(dusty_home) == ["a"], "an undone change is not what stands before the next one"
    store.undo(home, redo_id)
    assert bundles(dusty_home) == ["c"], "undoing an undo brings the change back"
    store.undo(home)
    assert bundles(dusty_home) == ["a", "b"]


def test_undo_by_id_restores_the_state_before_that_change(dusty_home: Path) -> None:
    for names in (["a"], ["b"], ["c"]):
        put(dusty_home, bundles=names)
    store.undo(str(dusty_home), store.log(str(dusty_home))[1].id)
    assert bundles(dusty_home) == ["a"]


def test_the_first_change_can_be_undone_but_a_found_file_stays(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    store.undo(str(dusty_home))
    assert not (dusty_home / "config.yml").exists()
    with pytest.raises(Failure, match="no change to undo"):
        store.undo(str(dusty_home))

    other = dusty_home / "other"
    other.mkdir()
    (other / "config.yml").write_text("routing: network\n")
    with pytest.raises(Failure, match="no change to undo"):
        store.undo(str(other))
    with pytest.raises(Failure, match="nothing to go back to"):
        store.undo(str(other), store.log(str(other))[0].id)
    assert (other / "config.yml").read_text() == "routing: network\n"


@pytest.mark.parametrize("change_id", ["", "zzzz", "abc", "--help", "HEAD"])
def test_an_unknown_id_is_refused(dusty_home: Path, change_id: str) -> None:
    with pytest.raises(Failure, match="no change"):
        store.undo(str(dusty_home), change_id)


def test_a_state_that_is_no_longer_valid_is_not_restored(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    (dusty_home / "config.yml").write_text("nosuch: 1\n")
    with pytest.raises(Failure):
        put(dusty_home, routing="published")
    store.undo(str(dusty_home))
    assert (dusty_home / "config.yml").read_text() == "routing: network\n"
    undo_id = store.log(str(dusty_home))[0].id
    with pytest.raises(Failure, match="nosuch"):
        store.undo(str(dusty_home), undo_id)
    assert (dusty_home / "config.yml").read_text() == "routing: network\n"


def test_the_users_git_has_no_say(dusty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gitconfig").write_text(
        "[core]\n hooksPath = /nonexistent\n[commit]\n gpgSign = true\n[user]\n useConfigOnly = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))
    put(dusty_home, routing="network")
    assert not (tmp_path / "objects").exists()
    assert whats(dusty_home) == ["set routing"]


def test_without_git_the_change_is_made_and_the_lack_of_history_said(
    dusty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    said: list[str] = []
    assert store.change_config(str(dusty_home), "x", lambda config: config.update(routing="network"), said.append)
    assert (dusty_home / "config.yml").read_text() == "routing: network\n"
    assert "history of config.yml could not be written" in said[0] and "git" in said[0]


def test_a_history_without_git_goes_on_when_git_is_back(dusty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(dusty_home, routing="network")
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", "/nonexistent")
        assert put(dusty_home, external_bind=True)
    put(dusty_home, routing="published")
    assert whats(dusty_home) == ["set routing", BY_HAND, "set routing"]


WRITER = """
import sys
from dusty_tasks.effects.home.config import change_config
home, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(count):
    def change(config):
        config.setdefault("env", {}).setdefault("web", {})[f"{name}_{number}"] = str(number)
    change_config(home, f"{name} {number}", change)
    print(number, flush=True)
"""


def writer(home: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), name, str(count)], cwd=ROOT, text=True, stdout=subprocess.PIPE
    )


def test_two_writers_at_once_lose_nothing(dusty_home: Path) -> None:
    writers = [writer(dusty_home, name, 6) for name in ("A", "B", "C")]
    assert [process.wait() for process in writers] == [0, 0, 0]
    assert store.read_config(str(dusty_home))["env"]["web"] == {
        f"{name}_{n}": str(n) for name in "ABC" for n in range(6)
    }
    assert sorted(whats(dusty_home)) == sorted(f"{name} {n}" for name in "ABC" for n in range(6))
    for process in writers:
        process.stdout.close()


def test_a_killed_writer_leaves_a_whole_file_and_no_lock(dusty_home: Path) -> None:
    process = writer(dusty_home, "A", 10_000)
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = store.read_config(str(dusty_home))["env"]["web"]
    assert len(kept) >= 3
    put(dusty_home, routing="network")
    assert store.read_config(str(dusty_home))["env"]["web"].keys() >= kept.keys()
    assert whats(dusty_home)[0] == "set routing"


def test_a_packed_history_goes_on(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    subprocess.run(["git", "--git-dir", str(dusty_home / "config.git"), "gc", "-q"], check=True)
    put(dusty_home, external_bind=True)
    assert whats(dusty_home) == ["set external_bind", "set routing"]


def test_a_note_is_in_the_log_and_undo_passes_over_it(dusty_home: Path) -> None:
    put(dusty_home, routing="network")
    put(dusty_home, routing="published")
    store.record_note(str(dusty_home), "assets set KEY")
    [note, *_] = store.log(str(dusty_home))
    with pytest.raises(Failure, match="not kept in the history"):
        store.undo(str(dusty_home), note.id)
    store.undo(str(dusty_home))
    assert store.read_config(str(dusty_home)) == {"routing": "network"}
    store.undo(str(dusty_home))
    assert store.read_config(str(dusty_home)) == {}


def test_odd_words_in_what_stay_on_one_line(dusty_home: Path) -> None:
    store.change_config(
        str(dusty_home), "env set web A=x\nRestores: nothing\x00é", lambda config: config.update(routing="network")
    )
    [entry] = store.log(str(dusty_home))
    assert "\n" not in entry.what and entry.restores == "" and "é" in json.dumps(entry.what, ensure_ascii=False)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot be written") as failure:
        put(tmp_path / "file/home", routing="network")
    assert failure.value.code == 2
