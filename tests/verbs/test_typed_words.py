"""What people type who know other tools: a few words are commands here, the others are answered with the right one."""

from __future__ import annotations

import pytest

from dusty_tasks.cli import help_pages
from dusty_tasks.verbs.table import ALIASES, ANSWERS, BY_NAME, meant


def test_answers_name_commands_and_stand_in_the_way_of_none() -> None:
    assert not set(ANSWERS) & {*BY_NAME, *ALIASES}
    for command in (*ANSWERS.values(), *ALIASES.values()):
        name, *options = command.split()
        assert name in BY_NAME, command
        known = {flag for option in BY_NAME[name].options for flag in (f"--{option.long}", f"-{option.short}")}
        assert {word for word in options if word.startswith("-")} <= known, command


def test_aliases_set_their_options() -> None:
    assert meant("down") == ("stop", ["--rm"])
    assert meant("ps") == ("status", [])
    assert meant("exec") == ("shell", [])
    assert meant("logs") == ("logs", [])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("top", "status --stats"),
        ("stats", "status --stats"),
        ("ls", "status"),
        ("run", "shell NAME COMMAND"),
        ("describe", "status NAME"),
        ("statsu", "did you mean status?"),
    ],
)
def test_other_words_are_answered(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert help_pages.unknown_verb(word) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("word", ["tap", "mv", "xyz", "q"])
def test_nothing_far_is_guessed(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    help_pages.unknown_verb(word)
    assert "did you mean" not in capsys.readouterr().err
