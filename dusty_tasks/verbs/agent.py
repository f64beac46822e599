"""`dusty agent`: tells the agents that work in a repo of Dusty, and takes that back."""

from __future__ import annotations

import os

from dusty_tasks.console import confirm, say, warn
from dusty_tasks.core.of_verbs import agent_files as files
from dusty_tasks.core.of_verbs.agent_tools import CHANGES
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path

Written = dict[str, tuple[str | None, str | None]]
"""Path -> its text before and after; None for a file that is not there."""


def run(words: list[str], allow: str | None = None, yes: bool = False) -> int | None:
    """Show what will be written into the repo, ask, and write it. Raises Failure for a file that cannot be changed safely."""
    action, rest = action_of("agent", words, ("init", "undo"), default="init")
    exactly("agent", action, rest, *("a folder",) * bool(rest))
    if allow not in (None, CHANGES):
        raise Failure(f'--allow takes "{CHANGES}", not "{allow}"')
    root = repo_root(local_path(rest[0] if rest else "."))
    written = changes(root, allow or "", is_undone=action == "undo")
    if not written:
        say("nothing to remove" if action == "undo" else f"{root} is set up for agents already")
        return None
    say("\n".join(difference(root, path, *texts) for path, texts in written.items()))
    if not confirm(f"Write {counted(len(written), 'file')} in {root}?", yes=yes):
        return 1
    for path, (_before, after) in written.items():
        if after is None:
            os.unlink(path)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomically(path, after.encode())
    say(f"removed from {root}" if action == "undo" else f"written; {DUSTY} agent undo removes it")
    if action == "init":
        from dusty_tasks.verbs import mcp

        if not mcp.is_there():
            warn(f"the MCP server needs a Python package; run {DUSTY} mcp once: it asks, then installs it")
    return None


def repo_root(folder: str) -> str:
    """The repo that a folder is in, else the folder itself. Raises Failure for none."""
    if not os.path.isdir(folder):
        raise Failure(f"there is no folder {folder}")
    above = folder
    while not os.path.lexists(os.path.join(above, ".git")):
        if above == os.path.dirname(above):
            return folder
        above = os.path.dirname(above)
    return above


def changes(root: str, allowed: str, *, is_undone: bool) -> Written:
    """What becomes of each file that would change. Raises Failure."""
    found: Written = {}
    for registration in files.REGISTRATIONS:
        if registration.only_in and not os.path.isdir(os.path.join(root, registration.only_in)):
            continue
        path = os.path.realpath(os.path.join(root, registration.path))
        before = text_of(path)
        try:
            after = (
                files.unregistered(before, registration)
                if is_undone
                else files.registered(before, registration, allowed)
            )
        except files.NotJson as error:
            raise Failure(f"{path}: {error}", "add the server by hand: docs/agents.md shows how") from None
        found[path] = before, after
    path = os.path.realpath(os.path.join(root, files.GUIDE_FILE))
    before = text_of(path)
    found[path] = before, files.unguided(before) if is_undone else files.guided(before)
    return {path: texts for path, texts in found.items() if texts[0] != texts[1]}


def text_of(path: str) -> str | None:
    """The text of a file. Raises Failure for one that is not UTF-8, and for what is no file."""
    data = read_bytes(path)
    if data is None:
        if os.path.lexists(path):
            raise Failure(f"{path} is not a regular file")
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8") from None


def difference(root: str, path: str, before: str | None, after: str | None) -> str:
    """A unified diff, with the names as in the repo."""
    from difflib import unified_diff

    name = os.path.relpath(path, root)
    lines = unified_diff(
        (before or "").splitlines(),
        (after or "").splitlines(),
        name if before is not None else "/dev/null",
        name if after is not None else "/dev/null",
        lineterm="",
    )
    return "\n".join(lines)
