"""docs/verbs.md says what the table of verbs says."""

from __future__ import annotations

from dusty_tasks.cli import doc_pages as pages
from dusty_tasks.core.text.called import in_called_name
from dusty_tasks.verbs.help_texts import DETAILS
from dusty_tasks.verbs.table import VERBS


def test_the_document_is_what_the_table_makes(bless: bool) -> None:
    if bless:
        pages.main()
    assert pages.PATH.read_text(encoding="utf-8") == pages.document(), "run: python -m dusty_tasks.cli.doc_pages"


def test_what_is_explained_is_a_verb_and_fits_a_terminal() -> None:
    assert set(DETAILS) <= {verb.name for verb in VERBS}
    assert max(len(line) for text in DETAILS.values() for line in in_called_name(text).splitlines()) <= 126


def test_every_verb_and_option_is_in_it() -> None:
    text = pages.document()
    for verb in VERBS:
        assert f"### {verb.name}\n" in text and f"(#{verb.name})" in text
        assert all(f"`--{option.long}" in pages.section(verb) for option in verb.options)
