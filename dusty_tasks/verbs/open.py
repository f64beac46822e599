"""`dusty open`: the page of an app in the browser."""

from __future__ import annotations

import shutil

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.names import not_in_the_stack
from dusty_tasks.verbs.shared.words import exactly

OPENERS = ("xdg-open", "wslview", "open")
"""What opens a URL in the browser that a person chose: Linux, WSL, macOS."""


def run(words: list[str], **_options: object) -> int | None:
    """Open the first URL of the app's routes; where no browser can be started, print it. Raises Failure if it has none."""
    (word,) = exactly("open", "", words, "the name of an app")
    name = session.settings().namespace.part(word)
    by_name = {container.name: container for container in session.wanted().containers}
    if name not in by_name:
        raise not_in_the_stack(name, by_name)
    urls = by_name[name].http_urls
    if not urls:
        raise Failure(f"{name} has no http route", f"{DUSTY} status {name} shows its ports")
    say(urls[0])
    opener = next((path for program in OPENERS if (path := shutil.which(program))), "")
    if opener:
        from dusty_tasks.effects.doors.process import run as run_program

        run_program([opener, urls[0]], check=False, timeout=10)
    return None
