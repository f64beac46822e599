"""The tables of docs/specs.md say what the schemas say, and its examples are fine specs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.cli import spec_pages
from dusty_tasks.cli.parsing import parse
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.of_verbs.explanation import files_of
from dusty_tasks.core.settings.keys import KEYS
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.verbs.table import BY_NAME, meant


def test_the_tables_are_what_the_schemas_make(bless: bool) -> None:
    if bless:
        spec_pages.main()
    text = spec_pages.PATH.read_text(encoding="utf-8")
    assert spec_pages.document(text) == text, "run: python -m dusty_tasks.cli.spec_pages"
    assert set(re.findall(r"<!-- keys of (\w+) -->", text)) == {"app", "bundle", "config", "lib", "test"}


def test_every_setting_is_in_it_with_its_default() -> None:
    text = spec_pages.table("config")
    for key in KEYS.values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{key.name}` |"))
        assert key.description in row
        assert not key.default or str(key.default).lower() in row.lower() or key.kind == "mapping"


def test_the_examples_are_one_specs_repo_without_a_problem(tmp_path: Path) -> None:
    text = spec_pages.PATH.read_text(encoding="utf-8")
    files = files_of("\n".join(re.findall(r"```yaml\n(# \w+/.*?)```", text, re.DOTALL)))
    assert {path.partition("/")[0] for path in files} == {"apps", "bundles", "libs", "services"}
    for path, example in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(example)
    specs, problems = session.read_whole_specs(tmp_path)
    assert problems == []
    made = assemble_with_ports(specs, specs.bundles, Settings(home="/h"), {})
    assert made.problems == [] and {"web", "postgres", "mail"} <= {*made.stack.apps, *made.stack.services}


def test_each_kind_has_its_example_before_its_table() -> None:
    text = spec_pages.PATH.read_text(encoding="utf-8")
    for title in ("## Bundles", "## Apps", "## Libs", "## Tests of an app or lib", "## Services"):
        section = text.partition(f"{title}\n")[2].partition("\n## ")[0]
        assert 0 <= section.find("```yaml") < section.find("|"), title


@pytest.mark.parametrize("page", ["questions", "troubleshooting"])
def test_what_the_pages_tell_to_type_is_there(page: str) -> None:
    text = (spec_pages.PATH.parent / f"{page}.md").read_text(encoding="utf-8")
    for words in re.findall(r"`dusty ([^`]+)`", text):
        name, *rest = words.split()
        verb = BY_NAME[meant(name)[0]]
        if verb.verbatim_after < 0:
            parse(verb, rest)
