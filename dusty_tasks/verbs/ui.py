"""`dusty ui`: the stack on one local page, until interrupted."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.ui_requests import authority
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.machine.browser import is_confined, opened_privately
from dusty_tasks.operations.machine import extras
from dusty_tasks.verbs.shared.words import exactly

EXTRA = extras.Extra("ui", "the page", "the Python packages starlette and uvicorn", "are")


def run(words: list[str], port: int | None = None, no_open: bool = False, yes: bool = False) -> int | None:
    """Serve the page until ^C. Raises Failure if its server is not installed, or the port is taken."""
    exactly("ui", "", words)
    with page(port or 0, is_opened=not no_open, yes=yes) as serve:
        serve()
    return None


@contextmanager
def page(port: int = 0, *, is_opened: bool = True, yes: bool = False) -> Iterator[Callable[[], None]]:
    """The page with its address said; what is yielded serves it until interrupted, in whatever thread. Raises Failure as run() does."""
    if not is_there():
        extras.provide(EXTRA, yes=yes)
    from dusty_tasks.operations.ui import server
    from dusty_tasks.operations.ui.feed import Feed
    from dusty_tasks.operations.ui.watching import Watching

    try:
        on = server.listening(port)
    except (OSError, OverflowError) as error:
        raise Failure(
            f"port {port} on loopback cannot be used: {error}", "leave out --port to use a free one"
        ) from None
    token, feed, number = secrets.token_urlsafe(32), Feed(), on[0].getsockname()[1]
    watching = Watching(session.home(), feed)
    url = f"http://{authority(number)}/#{token}"
    say(f"{url}\nanyone who has this address can use it; ^C stops the server and leaves the stack running", as_is=True)
    is_opened = is_opened and not _is_left_to_the_person()
    watching.start()
    try:
        with opened_privately(url, session.paths().kept("ui")) if is_opened else nullcontext():
            yield partial(server.serve, server.application(watching, feed, number, token), on)
    finally:
        watching.close()


def _is_left_to_the_person() -> bool:
    """True, with a word about it, where the browser could not read the file that hands over the address."""
    if not is_confined():
        return False
    say("the browser is a snap, which cannot read private files: open the address yourself")
    return True


def is_there() -> bool:
    return all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn"))
