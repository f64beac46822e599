"""`dusty validate`: problems or the counts, for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs import validate

CASES = Path(__file__).parent.parent / "cases"


@pytest.fixture(autouse=True)
def fresh_session() -> None:
    session.forget()


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    (tmp_path / "specs/bundles").mkdir(parents=True)
    (tmp_path / "specs/bundles/main.yml").write_text("services: [redis]\n")
    (tmp_path / "specs/services").mkdir()
    (tmp_path / "specs/services/redis.yml").write_text("image: redis\n")
    return tmp_path / "specs"


def test_fine(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.run([str(specs)]) == 0
    assert capsys.readouterr().out == "specs are fine: 1 bundle, 0 apps, 0 libs, 1 service\n"


def test_warnings_are_printed_and_do_not_fail(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (specs / "services/redis.yml").write_text("image: redis\ncontainer_name: x\n")
    assert validate.run([str(specs)]) == 0
    assert capsys.readouterr().out == (
        "services/redis.yml:2:1: container_name: warning: ignored: Dusty sets container_name itself [D101]\n"
        "    2 | container_name: x\n      | ^\n"
        "    hint: Dusty names containers dusty_<name>_1\nspecs are fine: 1 bundle, 0 apps, 0 libs, 1 service\n"
    )


def test_problems(capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES / "problems_unknown_keys"
    assert validate.run([str(case / "specs")]) == 1
    assert capsys.readouterr().out == (case / "problems.txt").read_text()


def test_json(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (specs / "services/redis.yml").write_text("image: 'a b'\n")
    assert validate.run([str(specs)], json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["services"]) == (False, 1)
    assert found["problems"] == [
        {
            "file": "services/redis.yml",
            "line": 1,
            "column": 8,
            "path": "image",
            "code": "D043",
            "what": '"a b" contains a blank',
            "hint": "for example python:3.12-slim",
            "warning": False,
        }
    ]


@pytest.mark.parametrize("kind", validate.SCHEMAS)
def test_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.run([], schema=kind) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")


def test_wrong_use(specs: Path) -> None:
    with pytest.raises(Failure, match="there is no folder"):
        validate.run([str(specs / "nowhere")])
    with pytest.raises(Failure, match="unexpected argument"):
        validate.run([str(specs), "more"])
    with pytest.raises(Failure, match='no schema named "ap"'):
        validate.run([], schema="ap")


def test_the_specs_in_use_are_checked_from_the_folder_of_a_specs_repo(
    specs: Path, dusty_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (specs / "dodo.py").write_text("from dusty_tasks.dodo import *\n")
    monkeypatch.chdir(specs)
    assert validate.run([]) == 0
    assert capsys.readouterr().out.startswith("specs are fine")
    assert not (specs / "state").exists()


def test_without_specs_it_says_which_setting_is_missing(
    dusty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match=r"no specs repo is configured\n.*dusty up, which takes the example specs"):
        validate.run([])
    session.forget()
    dusty_home.mkdir(exist_ok=True)
    (dusty_home / "config.yml").write_text("bundles: []\n")
    with pytest.raises(Failure, match=r"no specs repo is configured\n.*a config.yml with specs_repo"):
        validate.run([])


def test_schemas_are_written_for_editors_and_nothing_else_is_overwritten(dusty: Chosen, tmp_path: Path) -> None:
    ended = dusty("validate", "--schema", "app", "--write", ".schemas")
    assert ended.code == 0 and "# yaml-language-server: $schema=../.schemas/app.json" in ended.out
    assert [path.name for path in (tmp_path / ".schemas").iterdir()] == ["app.json"]
    assert json.loads((tmp_path / ".schemas/app.json").read_text()) == json.loads(
        dusty("validate", "--schema", "app").out
    )
    assert dusty("validate", "--write", ".schemas").out.count("wrote ") == 4
    assert "up to date" in dusty("validate", "--write", ".schemas").out
    (tmp_path / ".schemas/lib.json").write_text("mine")
    refused = dusty("validate", "--write", ".schemas")
    assert refused.code == 1 and "lib.json is not a JSON Schema" in refused.err
    assert (tmp_path / ".schemas/lib.json").read_text() == "mine"
    assert "did you mean app?" in dusty("validate", "--write", "x", "--schema", "ap").err.replace('"', "")
