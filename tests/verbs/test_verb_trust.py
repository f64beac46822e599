"""`dusty trust`, and how CI and validate see what needs consent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from chosen import Chosen

from dusty_tasks.effects.home import certificates, signing

DB = "image: busybox:1\nprivileged: true\nvolumes: ['/etc:/etc-of-the-host:ro']\n"


@pytest.fixture
def asking(dusty: Chosen) -> Chosen:
    """The specs of `dusty` with a service that asks for two powers, active."""
    dusty.write("services/db.yml", DB)
    dusty.write("bundles/db.yml", "services: [db]\n")
    dusty("bundles", "activate", "db")
    return dusty


def listed(dusty: Chosen) -> dict:
    return json.loads(dusty("trust", "specs", "list", "--json").out)


def states(dusty: Chosen) -> dict[str, bool]:
    return {power["key"]: power["allowed"] for power in listed(dusty)["powers"]}


def test_list_names_place_meaning_and_the_command(asking: Chosen) -> None:
    lines = asking("trust", "specs").out.splitlines()
    assert lines[:2] == [
        "NOT ALLOWED  services/db.yml:2:13: service db: privileged: true",
        "    runs with full rights on the Docker host: as good as root there",
    ]
    assert lines[2].startswith("NOT ALLOWED  services/db.yml:3:11: service db: volumes: /etc:/etc-of-the-host:ro")
    assert f"dusty trust specs allow {listed(asking)['digest']}" in lines[-1]


def test_allow_is_for_exactly_the_list_that_was_read(asking: Chosen) -> None:
    digest = listed(asking)["digest"]
    asking.write("services/db.yml", DB + "pid: host\n")
    refused = asking("trust", "specs", "allow", digest)
    assert (
        refused.code == 1
        and "now ask for something else" in refused.err
        and states(asking) == {"privileged": False, "volumes": False, "pid": False}
    )
    assert asking("trust", "specs", "allow", listed(asking)["digest"]).code == 0
    assert all(states(asking).values())


def test_consent_is_kept_in_the_history_and_only_new_powers_ask_again(asking: Chosen) -> None:
    digest = listed(asking)["digest"]
    asking("trust", "specs", "allow")
    assert asking.log()[0].startswith(f"trust specs allow {digest}")
    assert yaml.safe_load(asking.config.read_text())["trust"] == {
        str(asking.specs): ["service db: privileged: true", "service db: volumes: /etc:/etc-of-the-host:ro"]
    }
    asking.write("services/db.yml", f"# a comment\n{DB}cap_add: [SYS_ADMIN]\n")
    assert states(asking) == {"privileged": True, "volumes": True, "cap_add": False}
    asking.write("services/db.yml", "image: busybox:1\nprivileged: true\n")
    assert states(asking) == {"privileged": True} and listed(asking)["gone"] == [
        "service db: volumes: /etc:/etc-of-the-host:ro"
    ]


def test_revoke_and_undo(asking: Chosen) -> None:
    assert "nothing was allowed" in asking("trust", "specs", "revoke").out
    asking("trust", "specs", "allow")
    assert asking("trust", "specs", "revoke").code == 0 and not any(states(asking).values())
    asking("config", "undo")
    assert all(states(asking).values())


def test_specs_without_powers_have_nothing_to_allow(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    assert (
        "ask for no power" in dusty("trust", "specs", "list").out
        and "ask for no power" in dusty("trust", "specs", "allow").out
    )
    assert "trust" not in dusty.config.read_text()


def test_image_without_a_version_is_a_note(dusty: Chosen) -> None:
    dusty.write("services/redis.yml", "image: redis\n")
    dusty("bundles", "activate", "shop")
    assert "note: redis runs redis, a name that may mean another image tomorrow" in dusty("trust", "specs").out


@pytest.mark.parametrize(
    "words", [("images",), ("specs", "allow", "a", "b"), ("specs", "forget"), ("specs", "list", "x")]
)
def test_wrong_words_are_refused_with_the_usage(dusty: Chosen, words: tuple[str, ...]) -> None:
    ended = dusty("trust", *words)
    assert (
        ended.code == 1
        and "usage: " in ended.err
        and "trust [specs [list | allow [DIGEST] | revoke] | status" in ended.err
    )


def test_dry_run_prints_powers_and_can_deny_them(asking: Chosen) -> None:
    ended = asking("compile", "--dry-run")
    assert ended.code == 0 and "services/db.yml:2:13: privileged: warning: needs consent: service db" in ended.err
    for options in (["--dry-run"], ["--check"], ["--all-bundles"]):
        denied = asking("compile", *options, "--deny-powers")
        assert denied.code == 1 and "services/db.yml:3:11: volumes[0]: needs consent" in denied.err, options
    assert len(json.loads(asking("compile", "--dry-run", "--json").out)["powers"]) == 2
    assert json.loads(asking("compile", "--dry-run", "--deny-powers", "--json").out)["ok"] is False
    assert asking("compile", "--deny-powers").code == 1


def test_link_out_of_the_specs_repo_is_an_error(asking: Chosen, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("A=1\n")
    (asking.specs / "env").mkdir()
    os.symlink(tmp_path / "secret", asking.specs / "env/x.env")
    (asking.specs / "outside").symlink_to(tmp_path)
    asking.write(
        "services/db.yml",
        "build: {context: outside/ctx, additional_contexts: {a: outside}}\nenv_file: [env/x.env]\nlabel_file: [outside/labels]\n",
    )
    for words in (["validate"], ["validate", str(asking.specs)], ["compile", "--dry-run"]):
        ended = asking(*words)
        assert ended.code == 1
        said = ended.out + ended.err
        assert f'env_file[0]: "env/x.env" is a link that points outside the specs repo, to {tmp_path}/secret' in said
        assert said.count("is a link that points outside the specs repo") == 4, said


ENDLESS = {
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
    "huge": lambda path: path.open("wb").truncate(1 << 28),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize(
    "spec",
    [
        "image: busybox:1\nenv_file: [x.env]\n",
        "image: busybox:1\nlabel_file: x.env\n",
        "build: {context: ., dockerfile: x.env}\n",
    ],
    ids=["env_file", "label_file", "dockerfile"],
)
def test_file_without_an_end_holds_nobody_up_and_is_named(asking: Chosen, spec: str, kind: str) -> None:
    asking.write("services/db.yml", spec)
    (asking.specs / "x.env").write_text("A=1\n")
    assert asking("compile").code == 0
    (asking.specs / "x.env").unlink()
    ENDLESS[kind](asking.specs / "x.env")
    why = {
        "pipe": "it is not a regular file",
        "device": "is a link that points outside the specs",
        "folder": "it is a folder",
        "huge": "it is larger than 1024 KiB",
    }[kind]
    for words in (["validate"], ["compile", "--dry-run"]):
        ended = asking(*words)
        assert ended.code == 1 and "x.env" in ended.out + ended.err and why in ended.out + ended.err, words
    for words in (["compile"], ["plan"], ["trust", "specs", "list"], ["status"]):
        asking(*words)  # from what was compiled before, or not at all: but they end
    # Nothing of the specs themselves changed, so `up` compiles nothing, and looks all the same.
    ended = run_up(asking.home, asking.specs)
    assert (
        ended.returncode == 1 and why in ended.stderr and "x.env" in ended.stderr and "Traceback" not in ended.stderr
    ), ended.stderr


def test_link_inside_the_specs_repo_is_fine(asking: Chosen) -> None:
    (asking.specs / "real.env").write_text("A=1\n")
    (asking.specs / "link.env").symlink_to("real.env")
    asking.write("services/db.yml", "image: busybox:1\nenv_file: [link.env, {path: missing.env, required: false}]\n")
    assert asking("validate").code == 0


def run_up(home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`up` without a terminal, which ends before it asks any engine."""
    env = {**os.environ, "DUSTY_HOME": str(home), "DOCKER_HOST": "unix:///nothing-here.sock"}
    return subprocess.run(
        [str(Path(__file__).resolve().parents[2] / "dusty"), "up", "--no-pull", "--yes"],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_up_without_a_terminal_stops_with_the_command(asking: Chosen, tmp_path: Path) -> None:
    asking.write("services/db.yml", DB)
    ended = run_up(asking.home, tmp_path)
    assert ended.returncode == 1
    assert (
        "services/db.yml:2:13: service db: privileged: true" in ended.stderr
        and "no container was touched" in ended.stderr
    )
    assert f"trust specs allow {listed(asking)['digest']}" in ended.stderr
    asking("trust", "specs", "allow")
    assert "trust specs" not in run_up(asking.home, tmp_path).stderr


def test_specs_of_the_folder_do_not_replace_the_configured_ones_unasked(dusty: Chosen, tmp_path: Path) -> None:
    dusty("bundles", "activate", "shop")
    strange = tmp_path / "strange"
    for name, text in {
        "bundles/shop.yml": "services: [x]\n",
        "services/x.yml": "image: busybox:1\n",
        "dodo.py": "",
    }.items():
        (strange / name).parent.mkdir(parents=True, exist_ok=True)
        (strange / name).write_text(text)
    ended = run_up(dusty.home, strange)
    assert (
        ended.returncode == 1
        and f"specs: folder: {strange}" in ended.stderr
        and f"take the place of {dusty.specs}" in ended.stderr
    )
    (dusty.specs / "dodo.py").write_text("")
    assert "trust specs" not in run_up(dusty.home, dusty.specs).stderr
    dusty.config.write_text("bundles: [shop]\n")
    assert "trust specs" not in run_up(dusty.home, strange).stderr


def typed_at_a_terminal(home: Path, answer: str) -> str:
    """What `up` shows at a terminal at which `answer` is typed."""
    env = {**os.environ, "DUSTY_HOME": str(home), "DOCKER_HOST": "unix:///nothing-here.sock"}
    command = f"{Path(__file__).resolve().parents[2] / 'dusty'} up --no-pull --yes"
    return subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        env=env,
        input=f"{answer}\n",
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_a_person_at_a_terminal_is_asked_once(asking: Chosen) -> None:
    said = typed_at_a_terminal(asking.home, "n")
    assert (
        "Allow this on this machine? [y/N]" in said
        and "no container was touched" in said
        and not any(states(asking).values())
    )
    assert "Allow this on this machine? [y/N]" in typed_at_a_terminal(asking.home, "y") and all(states(asking).values())
    assert "Allow this on this machine?" not in typed_at_a_terminal(asking.home, "n")
    asking.write("services/db.yml", "image: busybox:1\nprivileged: true\ncap_add: [NET_ADMIN]\n")
    said = typed_at_a_terminal(asking.home, "n")
    assert (
        "cap_add: NET_ADMIN" in said
        and "no longer asked for: service db: volumes" in said
        and "db: privileged" not in said
    )


def test_status_of_the_authority_as_text_and_json(dusty: Chosen) -> None:
    assert "no certificate authority yet" in dusty("trust", "status", "--json").out + dusty("trust", "status").err
    folder = str(dusty.home / "https")
    made = signing.make_authority(folder, ("localhost", "test"))
    certificates.write_notes(folder, certificates.Notes(made))
    said = json.loads(dusty("trust", "status", "--json").out)
    assert said["names"] == ["localhost", "test"] and said["sha256"] == made.fingerprint
    assert said["certificate"] == f"{folder}/ca.pem" and all(store["state"] != "trusted" for store in said["stores"])
    shown = dusty("trust", "status").out
    assert f"until {said['until']}" in shown and all(store["title"] in shown for store in said["stores"])
    refused = dusty("trust", "install", "--json")
    assert refused.code == 1 and "--json goes with specs list and status, not with install" in refused.err + refused.out
