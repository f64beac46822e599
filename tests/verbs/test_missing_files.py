"""Files that specs name and that are not there: Compose would refuse them, so compile and validate do."""

from __future__ import annotations

from pathlib import Path

from chosen import Chosen

from dusty_tasks.core.text.safe import shown


def test_files_of_variables_and_labels_must_be_there(dusty: Chosen, tmp_path: Path) -> None:
    outside = tmp_path / "outside.env"
    dusty.write(
        "services/db.yml",
        f"image: busybox:1\nenv_file:\n- env/db.env\n- path: env/own.env\n  required: false\n- {outside}\nlabel_file: db.labels\n",
    )
    dusty.write("bundles/db.yml", "services: [db]\n")
    answer = dusty("validate")
    said = answer.out + answer.err
    assert answer.code == 1
    assert 'services/db.yml:3:3: env_file[0]: "env/db.env" is missing' in said and "own.env" not in said
    assert 'services/db.yml:7:13: label_file[0]: "db.labels" is missing' in said
    assert "outside.env" not in said  # CI has no files of a person's machine
    (dusty.specs / "env").mkdir()
    (dusty.specs / "env/db.env").touch()
    (dusty.specs / "db.labels").touch()
    assert dusty("validate").code == 0
    dusty("bundles", "activate", "db")
    refused = dusty("compile")
    assert (
        refused.code == 1
        and f"services/db.yml:6:3: env_file[2]: {shown(str(outside))} is not on this machine" in refused.err
    )
    outside.touch()
    assert dusty("compile").code == 0
