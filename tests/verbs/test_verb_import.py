"""`dusty import`: what it writes and when it does not, its exit codes, its JSON, git checkouts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
from chosen import Chosen

from dusty_tasks import resources
from dusty_tasks.core.importing import converting

COMPOSE = "services:\n  web:\n    image: web:${TAG}\n    volumes: ['./code:/srv']\n  db: {image: db}\n"


def project(folder: Path, text: str = COMPOSE) -> Path:
    """A Compose project in a folder of its own, which becomes the current one."""
    folder = folder / "shop"
    folder.mkdir()
    os.chdir(folder)
    (folder / "compose.yml").write_text(text)
    (folder / ".env").write_text("TAG=v1\n")
    return folder


def checkout(folder: Path, remote: str = "git@github.com:org/web.git") -> None:
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=folder, check=True)


def test_a_project_becomes_specs_that_are_fine(dusty: Chosen) -> None:
    here = project(Path.cwd())
    checkout(here / "code")
    ended = dusty("import")
    assert (ended.code, ended.err) == (0, "")
    assert "compose.yml:3: web.image: own way (variables)" in ended.out
    assert "compose.yml:5: db.image: same" in ended.out
    assert (here / "specs/apps/web.yml").read_text().startswith("repo: github.com/org/web\nmount: /srv\n")
    assert dusty("validate", "specs").code == 0
    again = dusty("import")
    assert again.code == 0 and "nothing changed" in again.out


def test_check_writes_nothing(dusty: Chosen) -> None:
    here = project(Path.cwd())
    ended = dusty("import", "--check")
    assert ended.code == 0 and "would write" in ended.out
    assert not (here / "specs").exists()


def test_a_file_that_differs_is_not_replaced_without_a_word(dusty: Chosen) -> None:
    here = project(Path.cwd())
    dusty("import")
    (here / "specs/services/db.yml").write_text("image: mine\n")
    ended = dusty("import")
    assert ended.code == 1 and "services/db.yml exists and differs" in ended.err
    assert (here / "specs/services/db.yml").read_text() == "image: mine\n"
    assert dusty("import", "--yes").code == 0
    assert (here / "specs/services/db.yml").read_text() == "image: db\n"


def test_a_loss_ends_with_ten_and_says_what_to_write(dusty: Chosen) -> None:
    project(Path.cwd(), "services: {web: {image: web, networks: {n: {ipv4_address: 10.1.0.2}}}}\n")
    ended = dusty("import")
    assert ended.code == 10
    assert "compose.yml:1: web.networks: lost (network): ipv4_address in the network n" in ended.out


def test_a_proof_that_fails_ends_with_three_and_writes_nothing(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    here = project(Path.cwd(), "services: {web: {image: web, restart: always}}\n")
    monkeypatch.setitem(converting._RULES, "restart", lambda conversion, node: None)
    for verb in ("import", "init"):
        ended = dusty(verb, "--yes")
        assert ended.code == 3 and "this is a bug in Dusty" in ended.err
        assert "web.restart: 'always' became None" in ended.err
    assert not (here / "specs").exists()
    told = json.loads(dusty("import", "--json").out)
    assert told["ok"] is False and told["written"] is False and told["unproven"]


def test_init_ends_with_ten_where_something_is_lost(dusty: Chosen) -> None:
    here = project(Path.cwd(), "services: {web: {image: web, networks: {n: {ipv4_address: 10.1.0.2}}}}\n")
    ended = dusty("init", "--yes")
    assert ended.code == 10 and "compose.yml:1: web.networks: lost (network): ipv4_address" in ended.out
    assert (here / "specs/services/web.yml").exists()


def test_a_copied_script_can_still_be_executed(dusty: Chosen) -> None:
    here = project(Path.cwd(), "services: {web: {image: web, volumes: ['./run.sh:/run.sh', './conf:/conf']}}\n")
    (here / "conf").mkdir()
    for name, mode in (("run.sh", 0o755), ("conf/start.sh", 0o700), ("conf/plain", 0o644)):
        (here / name).write_text("x")
        (here / name).chmod(mode)
    assert dusty("import").code == 0
    modes = [(here / "specs/files" / name).stat().st_mode & 0o111 for name in ("run.sh", "conf/start.sh", "conf/plain")]
    assert modes == [0o111, 0o111, 0]


def test_an_error_in_a_file_shows_its_line_with_a_caret(dusty: Chosen) -> None:
    project(Path.cwd(), "services:\n  web:\n    image: '${'\n")
    assert dusty("import").err.splitlines()[:3] == [
        'compose.yml:3:5: "${" uses $ for something that is not a variable',
        "    3 |     image: '${'",
        "      |     ^",
    ]


def test_the_json_follows_its_schema(dusty: Chosen) -> None:
    project(Path.cwd())
    ended = dusty("import", "--json", "--into", "elsewhere")
    found = json.loads(ended.out)
    jsonschema.validate(found, json.loads((resources.folder("schemas") / "output/import.json").read_text()))
    assert found["written"] and found["counts"]["lost"] == 0
    assert {file["state"] for file in found["files"]} == {"new"}
    assert json.loads(dusty("import", "--json", "--into", "elsewhere", "--check").out)["files"][0]["state"] == "same"


def test_own_and_own_from(dusty: Chosen) -> None:
    here = project(Path.cwd(), "services: {web: {image: web, volumes: ['${W}/web:/srv']}}\n")
    checkout(here / "all/web", "https://user:pass@git.test/org/web.git")
    assert dusty("import", "--own-from", "all").code == 0
    spec = (here / "specs/apps/web.yml").read_text()
    assert "mount: /srv" in spec and "git.test/org/web" in spec and "pass" not in spec
    assert dusty("import", "--own", "web=github.com/me/web:/srv", "--into", "two").code == 0
    assert "repo: github.com/me/web" in (here / "two/apps/web.yml").read_text()
    assert "is not NAME=REPO:MOUNT" in dusty("import", "--own", "web").err
    assert "not a service of the project" in dusty("import", "--own", "wob=github.com/me/web:/srv").err


def test_values_of_this_machine_are_not_baked_in(dusty: Chosen) -> None:
    here = project(Path.cwd(), "services: {web: {image: 'web:${TAG}', environment: {A: '${USER}', HOME: }}}\n")
    assert dusty("import").code == 0
    variables = (here / "specs/vars.yml").read_text()
    assert variables == "TAG: {default: v1}\nUSER: {}\n"


def test_files_that_compose_refuses_are_named_with_their_place(dusty: Chosen) -> None:
    project(Path.cwd(), "services:\n  web:\n    image: '${'\n")
    ended = dusty("import")
    assert ended.code == 1 and "compose.yml:3:5: " in ended.err and "hint: $$ stands for one $" in ended.err
    assert "there is no such file" in dusty("import", "-f", "gone.yml").err
