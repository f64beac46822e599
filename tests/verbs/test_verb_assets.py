"""`dusty assets`: a snapshot for its owner's eyes, in the log without its bytes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks.effects.doors.lock import held

ROOT = Path(__file__).resolve().parents[2]
SECRET = b"\x00\xffsecret\n"


@pytest.fixture
def key_file(dusty: Chosen) -> Path:
    path = Path("key").absolute()
    path.write_bytes(SECRET)
    path.chmod(0o644)
    return path


def test_set_keeps_a_snapshot_for_its_owner(dusty: Chosen, key_file: Path) -> None:
    ended = dusty("assets", "set", "WEB_KEY", "key")
    assert (ended.code, ended.err) == (0, "") and "WEB_KEY: 9 bytes" in ended.out
    kept = dusty.home / "assets/WEB_KEY"
    assert kept.read_bytes() == SECRET and stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    key_file.unlink()
    assert kept.read_bytes() == SECRET


def test_read_prints_the_bytes(dusty: Chosen, key_file: Path) -> None:
    dusty("assets", "set", "WEB_KEY", "key")
    ended = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", "assets", "read", "WEB_KEY"], cwd=ROOT, capture_output=True, check=True
    )
    assert (ended.stdout, ended.stderr) == (SECRET, b"")


def test_unset_forgets_it(dusty: Chosen, key_file: Path) -> None:
    dusty("assets", "set", "WEB_KEY", "key")
    assert dusty("assets", "unset", "WEB_KEY").out == "WEB_KEY: unset\n"
    assert not list((dusty.home / "assets").iterdir())
    assert dusty("assets", "unset", "WEB_KEY").code == 1


def test_unset_takes_what_killed_runs_left_of_it_too(dusty: Chosen, key_file: Path) -> None:
    dusty("assets", "set", "WEB_KEY", str(key_file))
    staging = dusty.home / "state/assets-x1y2z3"
    (staging / "web").mkdir(parents=True)
    for path in (staging / "web/WEB_KEY", dusty.home / "assets/.WEB_KEY.a1b2c3d4"):
        path.write_bytes(key_file.read_bytes())
    with held("up", home=str(dusty.home)):
        dusty("assets", "unset", "WEB_KEY")
    assert staging.exists(), "a push may be using it"
    assert list((dusty.home / "assets").iterdir()) == []
    dusty("assets", "set", "WEB_KEY", str(key_file))
    assert dusty("assets", "unset", "WEB_KEY").code == 0
    assert not staging.exists()


def test_list_of_a_target_has_those_of_its_libs(dusty: Chosen, key_file: Path) -> None:
    dusty("assets", "set", "BASE_KEY", "key")
    assert json.loads(dusty("assets", "list", "web", "--json").out) == [
        {"key": "BASE_KEY", "set": True, "required": True, "path": "/etc/base"},
        {"key": "MAYBE", "set": False, "required": False, "path": "/etc/maybe"},
        {"key": "WEB_KEY", "set": False, "required": True, "path": "/etc/key"},
    ]
    assert dusty("assets", "list", "base").out.splitlines() == [
        "asset     set  required  path in the container",
        "BASE_KEY  yes  yes       /etc/base",
    ]
    assert dusty("assets", "list", "api").out == "no assets for api\n"


def test_list_of_the_stack_says_who_needs_what(dusty: Chosen, key_file: Path) -> None:
    dusty("bundles", "activate", "shop")
    dusty("assets", "set", "OTHER", "key")
    rows = {row["key"]: row for row in json.loads(dusty("assets", "--json").out)}
    assert rows["WEB_KEY"] == {"key": "WEB_KEY", "set": False, "used_by": ["web"], "required_by": ["web"]}
    assert rows["MAYBE"]["required_by"] == [] and rows["BASE_KEY"]["used_by"] == ["base"]
    assert rows["OTHER"] == {"key": "OTHER", "set": True, "used_by": [], "required_by": []}


def test_a_key_that_no_spec_declares_is_kept_with_a_warning(dusty: Chosen, key_file: Path) -> None:
    ended = dusty("assets", "set", "WEB_KYE", "key")
    assert ended.code == 0 and ended.err == 'no spec declares the asset "WEB_KYE" (did you mean WEB_KEY?)\n'
    dusty.write("apps/web.yml", "image: [\n")
    assert dusty("assets", "set", "WEB_KEY", "key")[2] == "", "broken specs are no matter of the store"


def test_the_log_names_the_change_and_not_the_bytes(dusty: Chosen, key_file: Path) -> None:
    dusty("assets", "set", "WEB_KEY", "key")
    assert dusty.log()[0] == f"assets set WEB_KEY from {key_file}"
    found = [
        path for path in (dusty.home / "config.git").rglob("*") if path.is_file() and b"secret" in path.read_bytes()
    ]
    assert found == []


def test_a_pipe_is_a_source_too(dusty: Chosen) -> None:
    reader, writer = os.pipe()
    os.write(writer, SECRET)
    os.close(writer)
    assert dusty("assets", "set", "WEB_KEY", f"/dev/fd/{reader}").code == 0
    os.close(reader)
    assert (dusty.home / "assets/WEB_KEY").read_bytes() == SECRET


def test_the_home_folder_is_expanded(dusty: Chosen, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(key_file.parent))
    assert dusty("assets", "set", "WEB_KEY", "~/key").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "../KEY", "key"], '"../KEY" is not a name for an asset'),
        (["set", "1", "key"], "is not a name"),
        (["set", "", "key"], "is not a name"),
        (["set", "a/b", "key"], "is not a name"),
        (["set", "A\nB", "key"], "is not a name"),
        (["set", "É", "key"], "is not a name"),
        (["set", "WEB_KEY", "nosuch"], "No such file"),
        (["set", "WEB_KEY", "."], "Is a directory"),
        (["set", "WEB_KEY"], "needs the PATH"),
        (["set"], "needs a KEY"),
        (["set", "a", "b", "c"], "unexpected argument"),
        (["read"], "needs a KEY"),
        (["read", "WEB_KEY"], "is not set"),
        (["read", "../config.yml"], "is not set"),
        (["unset", "WEB_KEY"], "is not set"),
        (["list", "wbe"], 'did you mean "web"?'),
        (["list", "web", "x"], "unexpected argument"),
        (["lst"], 'did you mean "list"?'),
        (["set", "WEB_KEY", "x" * 5000], "File name too long"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_input_is_named_and_keeps_nothing(dusty: Chosen, key_file: Path, words: list[str], said: str) -> None:
    ended = dusty("assets", *words)
    assert ended.code == 1 and ended.out == "" and said in ended.err, ended.err
    assert not (dusty.home / "assets").exists() or not list((dusty.home / "assets").iterdir())


def test_what_may_have_no_end_is_no_asset(dusty: Chosen, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "huge").open("wb").truncate(5 << 30)
    for source, why in (
        ("/dev/zero", "not a regular file"),
        (str(tmp_path / "fifo"), "not a regular file"),
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "huge"), "larger than"),
    ):
        ended = dusty("assets", "set", "WEB_KEY", source)
        assert ended.code == 1 and why in ended.err and source in ended.err, source
    (dusty.home / "assets").mkdir(exist_ok=True)
    os.truncate(os.open(dusty.home / "assets/WEB_KEY", os.O_CREAT | os.O_WRONLY), 5 << 30)
    for words in (["assets", "read", "WEB_KEY"], ["plan"], ["status"]):
        ended = dusty(*words)
        assert ended.code in (1, 2) and "Traceback" not in ended.err, words
    assert "is larger than" in dusty("assets", "read", "WEB_KEY").err
    assert dusty("assets", "unset", "WEB_KEY").code == 0
