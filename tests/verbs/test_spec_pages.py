"""The tables of docs/specs.md say what the schemas say, and its examples are fine specs."""

from __future__ import annotations

import re

from dusty_tasks.cli import spec_pages
from dusty_tasks.core.settings.keys import KEYS


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
