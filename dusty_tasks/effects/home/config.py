"""What the user chose: config.yml, changed one writer at a time, checked before and recorded after (docs/specs.md, "Settings").

An edit by hand becomes a change of its own in the history before the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from dusty_tasks.core.settings import history as choices
from dusty_tasks.core.settings import text_edit as config_text
from dusty_tasks.core.settings.history import AS_FOUND, BY_HAND, NOTE, REMOVED_BY_HAND, Entry
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure, ToolFailed, refuse_errors
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.home.config_history import History

Say = Callable[[str], None]
LONGEST_WAIT = 30.0


def change_config(home: str, what: str, change: Callable[[dict[str, Any]], None], say: Say | None = None) -> bool:
    """Change config.yml under its lock; True if anything changed.

    `change` edits the mapping in place (strings as written in the file; numbers and booleans may be set as such); `what`
    is the line in `config log`. The result is checked before it is written: Failure names every problem, and nothing has
    changed. Comments stay; where one cannot, `say` hears of it and the file as it was is kept as config.yml.orig.
    """
    with _turn(home):
        path = config_path(home)
        before = _text(path)
        wanted = _value(path, before)
        change(wanted)
        without_empty(wanted)
        after = config_text.edited(before, wanted)
        if after.text == before:
            return False
        _check(home, after.text)
        _record_edit_by_hand(home, say)
        if after.lost_comments:
            _keep_original(path, before, after.lost_comments, say)
        _write(path, after.text)
        _record(home, what, after.text, say)
        return True


def read_config(home: str) -> dict[str, Any]:
    """config.yml as a plain mapping, every scalar as written, {} for no file. Raises Failure if it cannot be read."""
    path = config_path(home)
    return _value(path, _text(path))


def config_path(home: str) -> str:
    """The file itself, also where config.yml is a link to it (a folder of dotfiles). Raises Failure where that is no file."""
    from dusty_tasks.effects.home.settings import check_is_file

    path = Paths(home).config
    check_is_file(path)
    return os.path.realpath(path)


def log(home: str) -> list[Entry]:
    """All changes, newest first; an edit by hand that is not recorded yet is not among them."""
    return History(home).entries()


def undo(home: str, change_id: str = "", say: Say | None = None) -> Entry:
    """Restore the state before a change: that of `change_id`, else of the newest one not yet undone; the change undone.

    The undo is a change itself, so it can be undone by its id. Raises Failure: nothing to undo, no such change, or the
    state to restore is not a valid config.yml any more.
    """
    history = History(home)
    with _turn(home):
        _record_edit_by_hand(home, say)
        entries = history.entries()
        undone = _change_to_undo(entries, change_id)
        restored = choices.state_before(entries, undone)
        text = history.text_at(restored)
        if text is None:
            Path(config_path(home)).unlink(missing_ok=True)
        else:
            _check(home, text)
            _write(config_path(home), text)
        _record(home, f"undo {undone.id}: {undone.what}", text, say, restores=restored)
        return undone


def _change_to_undo(entries: list[Entry], change_id: str) -> Entry:
    found = choices.named(entries, change_id) if change_id else choices.newest_standing(entries)
    if found is None and change_id:
        raise Failure(f'no change with the id "{change_id}"', f"{DUSTY} config log lists them")
    if found is None:
        raise Failure("there is no change to undo")
    if found.restores == NOTE:
        raise Failure(
            f"{found.what}: the bytes of assets are not kept in the history", f"{DUSTY} assets set puts them back"
        )
    if choices.is_beginning(entries, found):
        raise Failure("config.yml was there before its history began: there is nothing to go back to")
    return found


def record_note(home: str, what: str, say: Say | None = None) -> None:
    """Write into the history that something beside config.yml changed; no bytes of an asset go there."""
    with _turn(home):
        _record_edit_by_hand(home, say)
        _record(home, what, read_bytes(config_path(home)), say, restores=NOTE)


def without_empty(config: dict[str, Any]) -> None:
    """Drop groups that a change left empty: `host: {}` and `env: {web: {}}` say nothing. What is below may mean something."""
    env = config.get("env")
    for group in (env if isinstance(env, dict) else {}, config):
        for key in [key for key, value in group.items() if value == {}]:
            del group[key]


def _turn(home: str) -> AbstractContextManager[IO[str]]:
    """The lock of config.yml: a change takes milliseconds, so another writer waits for it instead of failing."""
    return held("config", home=home, wait=LONGEST_WAIT)


def _text(path: str) -> str:
    """The text of config.yml, '' for none. Raises Failure with the place of what makes it unreadable."""
    from dusty_tasks.core.specs.yaml_reader import values_of_yaml

    data = read_bytes(path)
    if data is None or not data.strip():
        return ""
    found = values_of_yaml(data, "config.yml", {})
    if not found.is_readable and found.problems[0].what != "empty file":
        raise Failure("\n".join(map(str, found.problems)), _way_out(path))
    return data.decode("utf-8-sig")


def _value(path: str, text: str) -> dict[str, Any]:
    try:
        return config_text.value_of(text)
    except ValueError as error:
        raise Failure(f"config.yml:{error}", _way_out(path)) from error


def _way_out(path: str) -> str:
    return f"fix {path}, or: {DUSTY} config undo"


def _check(home: str, text: str) -> None:
    """Raise Failure with every problem of `text` as a config.yml."""
    from dusty_tasks.core.text.problems import errors
    from dusty_tasks.effects.home.settings import settings_from

    refuse_errors(errors(settings_from(text.encode(), home)[1]), lambda _file: text.split("\n"))


def _write(path: str, text: str) -> None:
    """Write config.yml with the mode it has; a new one, or one with values of variables, which may be secrets, is for its owner alone."""
    try:
        mode = os.stat(path).st_mode & 0o777
    except OSError:
        mode = 0o600
    if _value(path, text).get("env"):
        mode &= 0o700
    write_atomically(path, text.encode(), mode)


def _keep_original(path: str, text: str, lost: tuple[str, ...], say: Say | None) -> None:
    original = f"{path}.orig"
    if not os.path.exists(original):
        write_atomically(original, text.encode(), 0o600)
    if say:
        say(
            f"config.yml: {len(lost)} comment{'s' * (len(lost) > 1)} could not be kept ({lost[0]}); the file as it was is {original}"
        )


def _record_edit_by_hand(home: str, say: Say | None) -> None:
    data, history = read_bytes(config_path(home)), History(home)
    try:
        if history.holds(data):
            return
        what = (BY_HAND if history.newest() else AS_FOUND) if data is not None else REMOVED_BY_HAND
    except ToolFailed:
        return  # Said when the change itself is recorded.
    _record(home, what, data, say)


def _record(home: str, what: str, content: str | bytes | None, say: Say | None, *, restores: str = "") -> None:
    """Commit `content` (None: no file). The change itself stands already, so trouble with git is said, not raised."""
    try:
        History(home).record(what, content.encode() if isinstance(content, str) else content, restores)
    except (ToolFailed, OSError) as trouble:
        if say:
            say(f"the history of config.yml could not be written: {trouble}")
