"""docs/verbs.md says what the table of verbs says."""
from __future__ import annotations

from dusty_tasks.verbs import pages
from dusty_tasks.verbs.declared import VERBS


def test_the_document_is_what_the_table_makes() -> None:
    assert pages.PATH.read_text(encoding="utf-8") == pages.document(), "run: python -m dusty_tasks.verbs.pages"


def test_every_verb_and_option_is_in_it() -> None:
    text = pages.document()
    for verb in VERBS:
        assert f"### {verb.name}\n" in text and f"(#{verb.name})" in text
        assert all(f"`--{option.long}" in pages.section(verb) for option in verb.options)
