"""The stacks of examples/gallery: their specs are fine, and the pages that lead to them know them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from chosen import Chosen

ROOT = Path(__file__).resolve().parents[2]
STACKS = sorted(path.name for path in (ROOT / "examples/gallery").iterdir())


@pytest.mark.parametrize("name", STACKS)
def test_the_specs_of_a_stack_are_fine(dusty: Chosen, name: str) -> None:
    ended = dusty("validate", str(ROOT / "examples/gallery" / name / "specs"))
    assert (ended.code, ended.err) == (0, "") and "specs are fine" in ended.out
    assert f"examples/gallery/{name}/README.md" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", STACKS)
def test_the_readme_of_a_stack_copies_it_and_names_its_repo_and_bundle(name: str) -> None:
    folder = ROOT / "examples/gallery" / name
    text = (folder / "README.md").read_text()
    assert f"cp -r examples/gallery/{name} ~/" in text
    (repo,) = {
        line.partition(" ")[2] for spec in folder.glob("specs/apps/*.yml") for line in spec.read_text().splitlines()
        if line.startswith("repo: ")
    }  # fmt: skip
    assert f"dusty repos override {repo} ~/" in text
    assert (folder / f"specs/bundles/{text.partition('bundles activate ')[2].split()[0]}.yml").exists()
