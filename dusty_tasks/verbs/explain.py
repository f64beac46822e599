"""`dusty explain`: what the code of a problem means, with an example."""

from __future__ import annotations

from dusty_tasks.console import say, table_within, width
from dusty_tasks.core.text.codes import Code
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.words import exactly, say_json


def run(words: list[str], json: bool = False, **_options: object) -> int:
    """The page of a code, or the list of all. Raises Failure for a code that there is not."""
    from dusty_tasks.core.of_verbs.error_pages import as_text, explanations

    if not words:
        titles = [(str(code), explanation.title) for code, explanation in explanations().items()]
        if json:
            say_json([{"code": code, "title": title} for code, title in titles])
        else:
            say(table_within(width(), (), titles))
        return 0
    code = code_named(exactly("explain", "", words, "a code")[0])
    if json:
        say_json({"code": str(code), **explanations()[code]._asdict()})
    else:
        say(as_text(code))
    return 0


def code_named(word: str) -> Code:
    """The code that a word means, in small letters or as it is printed in a message. Raises Failure."""
    text = word.strip("[]").upper()
    try:
        return Code(text)
    except ValueError:
        from dusty_tasks.core.text.called import DUSTY

        raise Failure(f'no problem has the code "{word}"', f"{DUSTY} explain lists all codes") from None
