"""`dusty open`: the page of an app in the browser."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.machine.browser import open_in_browser
from dusty_tasks.operations.names import not_in_the_stack
from dusty_tasks.verbs.shared.words import exactly


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
    open_in_browser(urls[0])
    return None
