"""Verbs that need no specs do not read them: not broken ones, not hundreds of them."""

from __future__ import annotations

import pytest
from chosen import Chosen

from dusty_tasks.effects.specs import read as spec_files


@pytest.mark.parametrize(
    "words",
    [
        ["config", "list"],
        ["config", "get", "routing"],
        ["config", "set", "routing", "network"],
        ["config", "unset", "routing"],
        ["config", "log"],
        ["config", "undo"],
        ["bundles", "deactivate", "shop"],
        ["env", "list"],
        ["env", "unset", "web", "A"],
        ["assets", "read", "WEB_KEY"],
        ["assets", "unset", "WEB_KEY"],
        ["completion", "bash"],
        ["completion", "complete", "bundles", ""],
        ["version"],
    ],
    ids=" ".join,
)
def test_no_spec_is_read(dusty: Chosen, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for preparing in (
        ["bundles", "activate", "shop"],
        ["env", "set", "web", "A=1"],
        ["assets", "set", "WEB_KEY", "/etc/hostname"],
    ):
        assert dusty(*preparing).code == 0

    def refuse(*_words: object, **_options: object) -> None:
        raise AssertionError("specs were read")

    monkeypatch.setattr(spec_files, "read_documents", refuse)
    ended = dusty(*words)
    assert ended.code == 0, ended.err
