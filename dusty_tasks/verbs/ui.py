"""`dusty ui`: the stack on one local page, until interrupted."""

from __future__ import annotations

import importlib
import importlib.util
import secrets
import sys

from dusty_tasks import session
from dusty_tasks.console import confirm, say
from dusty_tasks.core.of_verbs.ui_requests import NAME
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.machine.browser import open_in_browser
from dusty_tasks.verbs.shared.words import exactly

REQUIREMENTS = "requirements-ui.txt"


def run(words: list[str], port: int | None = None, no_open: bool = False, yes: bool = False) -> int | None:
    """Serve the page until ^C. Raises Failure if its server is not installed, or the port is taken."""
    exactly("ui", "", words)
    ensure_server(yes)
    from dusty_tasks.operations.ui import server
    from dusty_tasks.operations.ui.feed import Feed
    from dusty_tasks.operations.ui.watching import Watching

    try:
        on = server.listening(port or 0)
    except (OSError, OverflowError) as error:
        raise Failure(
            f"port {port} on 127.0.0.1 cannot be used: {error}", "leave out --port to use a free one"
        ) from None
    token, feed = secrets.token_urlsafe(32), Feed()
    watching = Watching(session.home(), feed)
    number = on.getsockname()[1]
    url = f"http://{NAME}:{number}/#{token}"
    say(f"{url}\nanyone who has this address can use it; ^C stops the server and leaves the stack running")
    watching.start()
    try:
        if not no_open:
            open_in_browser(url)
        server.serve(server.application(watching, feed, number, token), on)
    finally:
        watching.close()
    return None


def ensure_server(yes: bool) -> None:
    """The packages that only this verb needs; in a checkout they are installed after asking. Raises Failure."""
    if is_there():
        return
    from dusty_tasks import bootstrap

    hint = "pip install 'dusty[ui]'"
    if not (bootstrap.ROOT / REQUIREMENTS).is_file() or sys.prefix != str(bootstrap.ROOT / ".venv"):
        raise Failure("the page needs starlette and uvicorn, which are not installed", hint)
    if not confirm("The page needs starlette and uvicorn. Install them into .venv?", yes=yes):
        raise Failure("starlette and uvicorn are not installed", hint)
    if bootstrap.main([REQUIREMENTS]):
        raise Failure("starlette and uvicorn could not be installed", hint, code=2)
    importlib.invalidate_caches()
    if not is_there():
        raise Failure("starlette and uvicorn were installed, but cannot be imported", hint, code=2)


def is_there() -> bool:
    return all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn"))
