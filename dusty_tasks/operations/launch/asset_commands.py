"""Assets that a command of the user's makes (`assets: {KEY: {from: [op, read, …]}}` in config.yml): read when they are due, kept like all others.

What the command prints goes into the store of assets and nowhere else: no log, artifact or message holds it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.memo import digest
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed
from dusty_tasks.effects.home.assets import LARGEST, keep_asset, set_keys

EVERY = 24 * 3600
"""Seconds after which a command is run again: passwords are changed elsewhere."""
LONGEST = 300.0
"""Seconds for one command, which may ask its user something."""


def read_due_assets(keys: Collection[str]) -> None:
    """Run the commands of those of `keys` that have one and are due. Raises Failure naming each that failed, and why."""
    commands = {key: command for key, command in session.settings().asset_commands.items() if key in keys}
    if not commands:
        return
    notes, now = _notes(), time.time()
    due = _due(commands, notes, set_keys(session.base_home()), now)
    failures = []
    for key in due:
        try:
            keep_asset(session.base_home(), key, _output(key, commands[key]))
        except Failure as failure:
            failures.append(failure)
            continue
        say(f"read asset {key} from {commands[key][0]}")
        notes[key] = {"command": digest(commands[key]), "at": now}
    if due:
        write_if_changed(_notes_path(), json.dumps(notes).encode(), 0o600)
    if failures:
        raise Failure("\n".join(map(str, failures)), code=max(failure.code for failure in failures))


def _due(
    commands: Mapping[str, tuple[str, ...]], notes: Mapping[str, Any], kept: Collection[str], now: float
) -> list[str]:
    """Those that are not set, whose command is another one, or that were read a day ago."""
    due = []
    for key, command in sorted(commands.items()):
        note = notes.get(key)
        note = note if isinstance(note, dict) else {}
        at = note.get("at")
        is_fresh = isinstance(at, (int, float)) and 0 <= now - at < EVERY
        if key not in kept or note.get("command") != digest(command) or not is_fresh:
            due.append(key)
    return due


def _output(key: str, command: tuple[str, ...]) -> bytes:
    """What the command prints, as it is. Raises Failure with what it said about its failure."""
    hint = f"run it by hand, or {DUSTY} assets set {key} <path> without assets.{key} in config.yml"
    try:
        ended = process.run(list(command), timeout=LONGEST, errors="surrogateescape")
    except ToolFailed as failed:
        raise Failure(f"asset {key}: {failed.what}", hint, code=2) from None
    data = ended.out.encode("utf-8", "surrogateescape")
    if ended.code:
        said = ended.err.strip().encode("utf-8", "surrogateescape").decode("utf-8", "replace") or "it printed nothing"
        raise Failure(f"asset {key}: {command[0]} exited with status {ended.code}: {said}", hint, code=2)
    if not data:
        raise Failure(f"asset {key}: {command[0]} printed nothing", hint, code=2)
    if len(data) > LARGEST:
        raise Failure(f"asset {key}: {command[0]} printed more than {size_text(LARGEST)}", hint, code=2)
    return data


def _notes_path() -> str:
    return session.paths().kept("asset_commands.json")


def _notes() -> dict[str, Any]:
    """Key -> digest of the command and time of its last run; lost, each is run once more."""
    try:
        found = json.loads(read_bytes(_notes_path()) or b"{}")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
