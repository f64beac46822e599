"""`dusty vars`, and what compile and validate say of variables."""

from __future__ import annotations

import json

import yaml
from chosen import Chosen


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
    (dusty.specs / "vars.yml").write_text("TAG: {}\nNAME: {default: shop}\n")
    dusty("vars", "set", "NAME=mine")
    assert dusty("compile").code == 0
    assert '"N": mine' in (dusty.home / "build/docker-compose.yml").read_text()
    assert dusty("vars", "unset", "TAG").code == 0 and dusty("vars", "unset", "TAG").code == 1
    assert dusty("compile").code == 1
