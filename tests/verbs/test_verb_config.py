"""`dusty config`: every key listed with what it may be, every change checked, recorded and undone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from chosen import Chosen

ROOT = Path(__file__).resolve().parents[2]


def test_list_marks_the_present_value_and_says_where_it_comes_from(dusty: Chosen) -> None:
    dusty("config", "set", "routing", "network")
    text = dusty("config", "list", "-v").out
    assert (
        """\
*  routing = network
   How nginx reaches an app's container.
     published: a port from 65000 up on the engine's bridge address
 > network: the Compose network itself; no published ports
   (config.yml:2:10)
"""
        in text
    )
    assert "*  bridge_ip = 172.17.0.1\n" in text and "   (default)\n" in text
    assert dusty("config", "--verbose").out == text


def test_list_is_a_table_with_what_was_changed_first(dusty: Chosen) -> None:
    dusty("config", "set", "routing", "network")
    dusty("config", "set", "up.wait", "90")
    text = dusty("config").out
    changed, others, _hint = (part.splitlines() for part in text.split("\n\n"))
    assert [line.split()[:2] for line in changed[1:] if line.split()[0] in ("routing", "up.wait")] == [
        ["routing", "network"],
        ["up.wait", "90"],
    ]
    assert others[0] == "as they are by default:" and not any(line.startswith("routing ") for line in others)
    assert len(changed) + len(others) - 2 == len(json.loads(dusty("config", "list", "--json").out))
    assert dusty("config", "list").out == text


def test_json_lists_every_key_with_its_present_value(dusty: Chosen) -> None:
    from dusty_tasks.core.settings.keys import KEYS

    rows = {row["key"]: row for row in json.loads(dusty("config", "list", "--json").out)}
    assert list(rows) == list(KEYS)
    assert rows["specs_repo"]["source"] == "config.yml:1:13" and rows["sync.jobs"]["value"] == 4
    assert rows["host.root"]["value"] == f"{dusty.home}/host" and rows["host.ssh"]["value"] is None


@pytest.mark.parametrize(
    ("key", "word", "got", "stored"),
    [
        ("routing", "network", "network", "routing: network"),
        ("host.wait", "30", "30", "host:\n  wait: 30"),
        ("host.wait", "0.5", "0.5", "host:\n  wait: 0.5"),
        ("external_bind", "true", "true", "external_bind: true"),
        ("external_bind", "yes", "true", "external_bind: true"),
        (
            "sync.exclude",
            "[node_modules/, '*.log']",
            '["node_modules/", "*.log"]',
            "sync:\n  exclude:\n    - node_modules/\n    - '*.log'",
        ),
        ("sync.exclude", "\n- a b\n- c", '["a b", "c"]', "sync:\n  exclude:\n    - a b\n    - c"),
        ("sync.exclude", '["1", "true"]', '["1", "true"]', "sync:\n  exclude:\n    - '1'\n    - 'true'"),
        (
            "host.start",
            "[limactl, start, dusty]",
            '["limactl", "start", "dusty"]',
            "host:\n  start:\n    - limactl\n    - start\n    - dusty",
        ),
        ("specs_repo", "github.com/org/specs", "github.com/org/specs", "specs_repo: github.com/org/specs"),
    ],
    ids=str,
)
def test_set_stores_the_value_and_get_prints_it(dusty: Chosen, key: str, word: str, got: str, stored: str) -> None:
    ended = dusty("config", "set", key, word)
    assert (ended.code, ended.out, ended.err) == (0, f"{key} = {got}\n", "")
    assert dusty("config", "get", key).out == f"{got}\n"
    assert stored in dusty.config.read_text()


def test_a_daemon_file_comes_from_a_file_or_stdin(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("daemon.json").write_text('{"debug": true, "mtu": 1400, "hosts": ["unix://"]}\n')
    dusty("config", "set", "host.kind", "ssh")
    assert dusty("config", "set", "host.daemon", "@daemon.json").code == 0
    assert json.loads(dusty("config", "get", "host.daemon").out) == {"debug": True, "mtu": 1400, "hosts": ["unix://"]}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"debug: false\n")))
    assert dusty("config", "set", "host.daemon", "-").out == 'host.daemon = {"debug": false}\n'
    assert json.loads(dusty("config", "get", "host.daemon").out) == {"debug": False}


def test_a_folder_of_specs_is_stored_as_an_absolute_path(
    dusty: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert dusty("config", "set", "specs_repo", "./mine/").out == f"specs_repo = {tmp_path}/mine\n"
    assert dusty("config", "set", "specs_repo", "~/specs").out == "specs_repo = /home/me/specs\n"


def test_what_get_prints_set_takes(dusty: Chosen) -> None:
    dusty("config", "set", "sync.exclude", "[a, 'b c', \"d'e\"]")
    printed = dusty("config", "get", "sync.exclude").out.rstrip("\n")
    dusty("config", "unset", "sync.exclude")
    dusty("config", "set", "sync.exclude", printed)
    assert dusty("config", "get", "sync.exclude").out.rstrip("\n") == printed


def test_unset_returns_to_the_default_and_leaves_the_rest(dusty: Chosen) -> None:
    before = dusty.config.read_text()
    dusty("config", "set", "host.wait", "30")
    assert dusty("config", "unset", "host.wait").out == "host.wait: back to its default\n"
    assert dusty("config", "get", "host.wait").out == "120\n" and dusty.config.read_text() == before
    assert dusty("config", "unset", "host.wait") == (0, "host.wait: back to its default (no change)\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["set", "routing", "netwrk"],
            'routing: "netwrk" is not one of published, network\n    hint: did you mean "network"?',
        ),
        (["set", "routnig", "network"], 'unknown key "routnig"\n    hint: did you mean "routing"?'),
        (["get", "routnig"], 'did you mean "routing"?'),
        (["unset", "routnig"], 'did you mean "routing"?'),
        (["set", "host", "x"], "host is a group: host.kind, "),
        (["set", "", "x"], 'unknown key ""'),
        (["set", "bundles", "[a]"], "dusty bundles does"),
        (["set", "env", "{}"], "dusty env does"),
        (["set", "repo_overrides", "{}"], "dusty repos does"),
        (["unset", "repo_branches"], "dusty repos does"),
        (["set", "host.wait", "soon"], "host.wait: must be a number"),
        (["set", "sync.jobs", "0"], "out of range"),
        (["set", "sync.jobs", "1.5"], "sync.jobs: must be a whole number"),
        (["set", "external_bind", "maybe"], "must be true or false"),
        (
            ["set", "sync.exclude", "*.log"],
            'must be a list of strings, not "*.log"\n    hint: dusty config set sync.exclude \'["*.log"]\'\n',
        ),
        (["set", "sync.exclude", "[a"], "sync.exclude: not YAML: "),
        (
            ["set", "sync.exclude", "[*.log]"],
            'hint: in YAML, text that begins with * & ! @ ` or % must be quoted, for example "*.log"\n',
        ),
        (["set", "host.daemon", "[1]"], "must be a mapping"),
        (["set", "host.daemon", "{a: 1, a: 2}"], 'duplicate key "a"'),
        (["set", "bridge_ip", "fe80::1"], "is not an IPv4 address"),
        (["set", "specs_repo", ""], "specs_repo: "),
        (["set", "specs_repo", "a\x00b"], "specs_repo: "),
        (["set", "nginx_image", "x" * 100_000 + " "], "nginx_image: "),
        (["set", "host.root", "@/nosuch"], "/nosuch: No such file or directory"),
        (["set", "host.root", "@/"], "/: Is a directory"),
        (["set", "routing"], "config set needs a value"),
        (["set", "routing", "a", "b"], 'unexpected argument "b"'),
        (["get"], "config get needs a key"),
        (["undo", "nosuch"], 'no change with the id "nosuch"'),
        (["undo"], "no change to undo"),
        (["undo", "a", "b"], "unexpected argument"),
        (["lgo"], 'did you mean "log"?'),
        (["list", "x"], "unexpected argument"),
        (["log", "x"], "unexpected argument"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_input_is_named_and_changes_nothing(dusty: Chosen, words: list[str], said: str) -> None:
    before = dusty.config.read_bytes()
    ended = dusty("config", *words)
    assert ended.code == 1 and ended.out == "" and said in ended.err, ended.err
    assert dusty.config.read_bytes() == before


def test_another_machine_may_have_another_address(dusty: Chosen) -> None:
    assert dusty("config", "set", "host.ssh", "dev@box").err == ""
    dusty("config", "set", "host.address", "10.0.0.1")
    assert "host.address is still 10.0.0.1" in dusty("config", "set", "host.ssh", "dev@other").err


def test_text_that_is_not_utf8_is_refused(dusty: Chosen) -> None:
    Path("latin1").write_bytes(b"caf\xe9")
    assert "not UTF-8 text (byte 4)" in dusty("config", "set", "host.root", "@latin1").err


def test_a_change_that_clashes_with_another_key_is_refused(dusty: Chosen) -> None:
    dusty("config", "set", "host.kind", "ssh")
    ended = dusty("config", "set", "sync.mode", "bind")
    assert ended.code == 1 and "sync.mode" in ended.err and "bind" not in dusty.config.read_text()


def test_a_broken_file_is_named_by_every_word(dusty: Chosen) -> None:
    dusty.config.write_text("routing: netwrk\nnosuch: 1\n")
    for words in (["list"], ["get", "routing"], ["set", "host.wait", "3"]):
        ended = dusty("config", *words)
        assert ended.code == 1 and "config.yml:1:10: routing:" in ended.err and 'unknown key "nosuch"' in ended.err
    dusty.config.write_text("routing: netwrk\n")
    assert dusty("config", "set", "routing", "network").code == 0, "set mends the one wrong value"


def test_log_and_undo(dusty: Chosen) -> None:
    assert dusty("config", "log").out == "no changes yet\n"
    dusty("config", "set", "routing", "network")
    dusty("config", "set", "host.wait", "30")
    assert dusty.log() == ["config set host.wait 30", "config set routing network", "config.yml as it was found"]
    first_id = json.loads(dusty("config", "log", "--json").out)[0]["id"]
    assert dusty("config", "log").out.splitlines()[1].startswith(first_id)
    assert dusty("config", "undo").out == f"undone: {first_id} config set host.wait 30\n"
    assert dusty("config", "get", "host.wait").out == "120\n" and dusty("config", "get", "routing").out == "network\n"
    assert dusty("config", "undo", first_id).out.startswith(f"restored the state before {first_id}")
    dusty("config", "undo", dusty_id(dusty, "undo"))
    assert dusty.log()[0].startswith("undo ")


def dusty_id(dusty: Chosen, what: str) -> str:
    """The id of the newest change whose text begins with `what`."""
    found: str = next(
        entry["id"] for entry in json.loads(dusty("config", "log", "--json").out) if entry["what"].startswith(what)
    )
    return found


def test_a_home_that_cannot_be_written_is_named(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUSTY_HOME", f"{dusty.config}/home")
    ended = dusty("config", "set", "routing", "network")
    assert ended.code == 2 and "cannot be written" in ended.err


def test_a_pipe_closed_early_ends_in_silence(dusty: Chosen) -> None:
    command = (
        f'for i in 1 2 3; do {sys.executable} -m dusty_tasks config list --json | true; echo "${{PIPESTATUS[0]}}"; done'
    )
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stderr == "" and set(ended.stdout.split()) <= {"0", "141"}


def test_listing_needs_no_specs(dusty: Chosen) -> None:
    dusty.write("apps/web.yml", "image: [\n")
    assert dusty("config", "list").code == 0 and dusty("config", "set", "routing", "network").code == 0


def test_another_specs_repo_drops_the_bundles_of_the_former_with_a_word(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop", "Bücher & more")
    before = dusty.config.read_text()
    ended = dusty("config", "set", "specs_repo", "github.com/org/specs")
    assert ended.out == (
        "specs_repo = github.com/org/specs\nno longer active, because they belong to the previous specs repo: shop, Bücher & more\n"
        "    hint: dusty bundles activate <name>\n"
    )
    assert "bundles" not in dusty.config.read_text()
    dusty("config", "undo")
    assert dusty.config.read_text() == before, "one change, with its bundles"
    for same in (f"file://{dusty.specs}", f"{dusty.specs}/"):
        assert "no longer" not in dusty("config", "set", "specs_repo", same).out and "shop" in dusty.config.read_text()
    assert "no longer active" in dusty("config", "unset", "specs_repo").out
    assert "no longer" not in dusty("config", "set", "specs_repo", "github.com/org/specs").out
