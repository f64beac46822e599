"""`dusty version`: versions of Dusty and of what it uses."""

from __future__ import annotations

from dusty_tasks import __version__, session
from dusty_tasks.console import say, table
from dusty_tasks.effects.engine.versions import read_versions
from dusty_tasks.verbs.shared.words import exactly, say_json


def run(words: list[str], json: bool = False, check: bool = False) -> int | None:
    """Print one line each. What is missing or does not answer is said in its line, and is no error.

    `check`: only whether there is a newer Dusty. Raises Failure where that cannot be told.
    """
    exactly("version", "", words)
    if check:
        tell_newer(json)
        return None
    found = read_versions(session.docker_host)
    if json:
        say_json({name: version or None for name, version, _why in found})
    else:
        say(table((), [(name, version or f"- ({why})") for name, version, why in found]))
    return None


def tell_newer(json: bool) -> None:
    """Ask the remote that this Dusty came from."""
    from dusty_tasks.effects.code.own_releases import is_checkout, read_newer

    newer = read_newer(__version__)
    if json:
        say_json({"dusty": __version__, "newer": newer.version or None, "commits": newer.has_commits})
        return
    how = "git pull in its checkout updates it" if is_checkout() else "install it again to update it"
    if newer.version:
        say(f"Dusty {newer.version} is out, and this is {__version__}; {how}")
    elif newer.has_commits:
        say(f"this is Dusty {__version__}, and its branch has newer commits; {how}")
    else:
        say(f"this is Dusty {__version__}, and there is no newer one")
