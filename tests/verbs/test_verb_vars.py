"""`dusty vars`, and what compile and validate say of variables."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import yaml
from chosen import Chosen

from dusty_tasks import session


def test_set_list_and_unset_and_what_is_compiled(dusty: Chosen) -> None:
    (dusty.specs / "vars.yml").write_text("TAG: {description: which}\nNAME: {default: shop}\n")
    dusty.write("services/db.yml", "image: db:${{TAG}}\nenvironment: {N: '${{NAME}}', L: '${HOME}'}\n")
    dusty.write("bundles/db.yml", "services: [db]\nvars: {NAME: of-bundle}\n")
    checked = dusty("validate")
    assert checked.code == 0 and "the variable TAG has no value" in checked.out
    dusty("bundles", "activate", "--only", "db")
    refused = dusty("compile")
    assert refused.code == 1 and "services/db.yml:1:8: image: the variable TAG has no value" in refused.err
    dry = dusty("compile", "--dry-run")
    assert dry.code == 0 and "the variable TAG has no value" in dry.out + dry.err
    assert dusty("vars", "set", "TAGG", "1").code == 1
    assert dusty("vars", "set", "TAG", "16").code == 0
    assert dusty("compile").code == 0
    entry = yaml.safe_load((dusty.home / "build/docker-compose.yml").read_text())["services"]["db"]
    assert entry["image"] == "db:16" and entry["environment"] == {"N": "of-bundle", "L": "$${HOME}"}
    listed = {row["name"]: (row["value"], row["from"]) for row in json.loads(dusty("vars", "list", "--json").out)}
    assert listed == {"TAG": ("16", "set here"), "NAME": ("of-bundle", "of a bundle")}
    assert dusty.log()[0].startswith("vars set TAG")
    places = {row["name"]: row["place"] for row in json.loads(dusty("vars", "list", "--json").out)}
    assert places == {"TAG": "", "NAME": "bundles/db.yml:2:14"}
    (dusty.specs / "vars.yml").write_text("TAG: {}\nNAME: {default: shop}\n")
    dusty("vars", "set", "NAME=mine")
    assert dusty("compile").code == 0
    assert '"N": mine' in (dusty.home / "build/docker-compose.yml").read_text()
    assert dusty("vars", "unset", "TAG").code == 0 and dusty("vars", "unset", "TAG").code == 1
    assert dusty("compile").code == 1


def held(folder: Path, value: str) -> list[str]:
    """The files below a folder that hold a value, git's packed objects read as git reads them."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and value.encode() in path.read_bytes()
    )


def test_a_secret_is_in_no_file_but_those_for_its_owner_alone(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    value = 's3cr"et $x'
    (dusty.specs / "vars.yml").write_text("PASSWORD: {secret: true, description: d}\nNAME: {default: shop}\n")
    dusty.write("services/db.yml", "image: db\nenvironment: ['URL=postgres://u:${{PASSWORD}}@db', N=1]\n")
    dusty.write("bundles/db.yml", "services: [db]\n")
    dusty("bundles", "activate", "--only", "db")
    refused = dusty("compile")
    assert refused.code == 1 and "the variable PASSWORD has no value" in refused.err
    dry = dusty("compile", "--dry-run")
    assert dry.code == 0 and "the variable PASSWORD has no value" in dry.out + dry.err
    assert dusty("vars", "set", "NAME").code == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(value + "\n"))
    assert dusty("vars", "set", "PASSWORD").code == 0
    assert dusty("compile").code == 0
    assert held(dusty.home, value) == ["secrets/PASSWORD"]
    env_file = dusty.home / "state/env/db.env"
    assert env_file.read_text() == 'URL="postgres://u:s3cr\\"et \\$x@db"\n'
    assert held(dusty.home, "s3cr") == ["secrets/PASSWORD", "state/env/db.env"]
    assert {path.stat().st_mode & 0o777 for path in (env_file, dusty.home / "secrets/PASSWORD")} == {0o600}
    entry = yaml.safe_load((dusty.home / "build/docker-compose.yml").read_text())["services"]["db"]
    assert entry["environment"] == {"N": "1"} and entry["env_file"] == [str(env_file)]
    listed = dusty("vars")
    assert "PASSWORD (set)" in listed.out and "s3cr" not in listed.out
    shown = [dusty(*words) for words in (("config", "list"), ("config", "log"), ("vars", "list", "--json"))]
    assert not any("s3cr" in each.out + each.err for each in shown)
    assert dusty.log()[0] == "vars set PASSWORD"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert dusty("vars", "set", "PASSWORD").code == 1
    assert dusty("vars", "set", "PASSWORD", "other").code == 0
    assert dusty("compile").code == 0 and "u:other@db" in env_file.read_text()
    assert dusty("vars", "unset", "PASSWORD").code == 0 and dusty("vars", "unset", "PASSWORD").code == 1
    assert not (dusty.home / "secrets/PASSWORD").exists()
    assert dusty("compile").code == 1


def test_a_value_in_config_yml_that_became_a_secret_is_moved_out(dusty: Chosen) -> None:
    (dusty.specs / "vars.yml").write_text("PASSWORD: {}\n")
    dusty("vars", "set", "PASSWORD", "plain")
    (dusty.specs / "vars.yml").write_text("PASSWORD: {secret: true}\n")
    listed = dusty("vars")
    assert "PASSWORD has no value" in listed.out and "its value in config.yml is not used" in listed.out + listed.err
    assert dusty("vars", "set", "PASSWORD", "new").code == 0
    assert "PASSWORD" not in (dusty.home / "config.yml").read_text()


def compiled(dusty: Chosen, *words: str) -> dict[str, str]:
    """The environment of db as it is compiled."""
    out = dusty.home / "out"
    assert dusty("compile", "--out", str(out), *words).code == 0
    found: dict[str, str] = yaml.safe_load((out / "docker-compose.yml").read_text())["services"]["db"]["environment"]
    return found


def test_values_of_a_user_beat_those_of_bundles_and_are_left_out_on_demand(dusty: Chosen) -> None:
    (dusty.specs / "vars.yml").write_text("ONE: {default: d}\nTWO: {default: d}\nSAFE: {secret: true}\nPORT: {}\n")
    dusty.write("services/db.yml", "image: db\nenvironment: {A: '${{ONE}} ${{TWO}}'}\n")
    dusty.write("bundles/db.yml", "services: [db]\nvars: {ONE: b, TWO: b}\n")
    dusty("bundles", "activate", "--only", "db")
    assert compiled(dusty) == {"A": "b b"}
    mine = dusty.home / "overrides/vars.yml"
    mine.parent.mkdir()
    mine.write_text("# mine\nONE: 017\nTWO: mine\n")
    assert compiled(dusty) == {"A": "017 mine"}
    assert dusty("compile").code == 0
    dusty("vars", "set", "TWO", "set")
    assert compiled(dusty) == {"A": "017 set"}
    assert compiled(dusty, "--no-overrides") == {"A": "b set"}
    session.current().has_overrides = True
    listed = {row["name"]: (row["from"], row["place"]) for row in json.loads(dusty("vars", "list", "--json").out)}
    assert listed["ONE"] == ("your override", f"{mine}:2:6") and listed["TWO"] == ("set here", "")
    assert dusty("compile").code == 0, "a changed file is noticed"
    traced = dusty("trace", "docker-compose.yml:services.db.environment.A").out
    assert traced == (
        "services/db.yml:2:18: environment.A\n"
        f"    ONE = 017 (your override, {mine}:2:6)\n"
        "    TWO = set (set here)\n"
    )  # fmt: skip
    mine.write_text("ONE: [1]\nTOW: x\nSAFE: x\nPORT: {default: x}\n")
    said = dusty("validate").out
    assert f"{mine}:1:6: ONE: must be a string, not a list" in said
    assert (
        f'{mine}:2:1: TOW: warning: the specs declare no variable named "TOW"' in said and 'did you mean "TWO"?' in said
    )
    assert f"{mine}:3:7: SAFE: SAFE is a secret" in said
    assert f"{mine}:4:7: PORT: must be a string, not a mapping" in said and "PORT: x" in said
    assert dusty("validate", "--no-overrides").code == 0


def test_a_variable_without_a_value_is_refused_wherever_the_stack_has_it_from(dusty: Chosen) -> None:
    (dusty.specs / "vars.yml").write_text("TAG: {}\nZONE: {}\nOTHER: {}\n")
    dusty.write("services/_base.yml", "image: db:${{TAG}}\nenvironment: {A: '${{OTHER}}'}\n")
    dusty.write("services/db.yml", "extends: _base\nenvironment: {A: b}\n")
    dusty.write("services/idle.yml", "image: db:${{OTHER}}\n")
    dusty.write("bundles/db.yml", "services: [db]\nenv: {db: {ZONE: '${{ZONE}}'}}\n")
    dusty("bundles", "activate", "--only", "db")
    refused = dusty("compile")
    assert refused.code == 1
    assert "services/_base.yml:1:8: image: the variable TAG has no value" in refused.err
    assert "bundles/db.yml:2:18: env.db.ZONE: the variable ZONE has no value" in refused.err
    assert "services/idle.yml:1:8: image: warning: the variable OTHER has no value" in refused.err
    assert "services/_base.yml:2:18: environment.A: warning: the variable OTHER has no value" in refused.err
    dusty("vars", "set", "TAG=1", "ZONE=x")
    suite = "test: {image: 'x:${{OTHER}}', suites: [{name: unit, command: [x]}]}\n"
    dusty.write("apps/own.yml", f"image: busybox\ncommands: {{always: [x]}}\n{suite}")
    dusty.write("bundles/db.yml", "services: [db]\napps: [own]\n")
    assert dusty("compile").code == 0, "tests are another matter"


def test_each_bundle_is_compiled_with_the_values_that_it_gives(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    (dusty.specs / "vars.yml").write_text("TAG: {}\n")
    (dusty.specs / "dodo.py").write_text("")
    dusty.write("services/db.yml", "image: db:${{TAG}}\n")
    dusty.write("services/idle.yml", "image: busybox\n")
    dusty.write("bundles/new.yml", "services: [db]\nvars: {TAG: '17'}\n")
    dusty.write("bundles/other.yml", "services: [idle]\n")
    every = dusty("compile", "--all-bundles")
    assert every.code == 0 and "has no value" not in every.out + every.err
    dusty.write("bundles/bare.yml", "services: [db]\n")
    every = dusty("compile", "--all-bundles")
    assert every.code == 0 and "the variable TAG has no value" in every.out + every.err
    monkeypatch.chdir(dusty.specs)
    dusty("bundles", "deactivate", "--all")
    out = dusty.home / "out"
    assert dusty("compile", "--out", str(out)).code == 0, "where no bundle is chosen, all count"
    assert "db:17" in (out / "docker-compose.yml").read_text()
