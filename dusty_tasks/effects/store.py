"""What the user chose: config.yml, changed one writer at a time, with its history in git beside it (spec-language 5, config).

Every change is a commit in `$DUSTY_HOME/config.git`, a bare repository of mode 0700 that holds nothing but config.yml; an
edit by hand becomes a commit of its own before the next change. A commit says who, when and what.
"""
from __future__ import annotations

import getpass
import hashlib
import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, NamedTuple

from dusty_tasks.core import config_text
from dusty_tasks.effects.failures import Failure, ToolFailed
from dusty_tasks.effects.files import read_bytes, write_atomically
from dusty_tasks.effects.lock import held

AS_FOUND, BY_HAND, REMOVED_BY_HAND = "config.yml as it was found", "edited by hand", "removed by hand"
RESTORES = "Restores: "
"""Line of a commit made by undo: the commit whose state it restores, or `nothing` for the time before the first one."""
NOTHING = "nothing"
NOTE = "note"
"""Stands in place of a commit where config.yml is not concerned: the store of assets changed."""
LONGEST_WAIT = 30.0


class Entry(NamedTuple):
    """One change of config.yml."""

    id: str
    time: str
    """ISO 8601 with offset."""
    who: str
    what: str
    restores: str = ""
    """For an undo: the full id of the commit whose state came back, `nothing`, or `note` for a change of assets."""
    full_id: str = ""


def change_config(home: str, what: str, change: Callable[[dict[str, Any]], None],
                  say: Callable[[str], None] | None = None) -> bool:
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
        _record(home, what, after.text, say=say)
        return True


def read_config(home: str) -> dict[str, Any]:
    """config.yml as a plain mapping, every scalar as written, {} for no file. Raises Failure if it cannot be read."""
    path = config_path(home)
    return _value(path, _text(path))


def config_path(home: str) -> str:
    """The file itself, also where config.yml is a link to it (a folder of dotfiles)."""
    return os.path.realpath(os.path.join(home, "config.yml"))


def log(home: str) -> list[Entry]:
    """All changes, newest first; an edit by hand that is not recorded yet is not among them."""
    if not _tip(home):
        return []
    ended = _git(home, "log", "--format=%H%x1f%aI%x1f%an <%ae>%x1f%s%x1f%(trailers:key=Restores,valueonly)%x1e", "main")
    return [_entry(line.strip("\n").split("\x1f")) for line in ended.split("\x1e") if line.strip()]


def _entry(fields: list[str]) -> Entry:
    full_id, when, who, what, restores = fields
    return Entry(full_id[:8], when, who, what, restores.strip(), full_id)


def undo(home: str, change_id: str = "", say: Callable[[str], None] | None = None) -> Entry:
    """Restore the state before a change: that of `change_id`, else of the newest one not yet undone; the change undone.

    The undo is a commit itself, so it can be undone by its id. Raises Failure: nothing to undo, no such change, or the
    state to restore is not a valid config.yml any more.
    """
    with _turn(home):
        _record_edit_by_hand(home, say)
        entries = log(home)
        undone = _chosen(entries, change_id) if change_id else _newest_standing(entries)
        older = entries[entries.index(undone) + 1:]
        if undone.what == AS_FOUND and not older:
            raise Failure("there is no change to undo: config.yml was there before its history began")
        restored = older[0].full_id if older else NOTHING
        text = _text_at(home, restored)
        if text is None:
            Path(config_path(home)).unlink(missing_ok=True)
        else:
            _check(home, text)
            _write(config_path(home), text)
        _record(home, f"undo {undone.id}: {undone.what}", text, restores=restored, say=say)
        return undone


def record_note(home: str, what: str, say: Callable[[str], None] | None = None) -> None:
    """Write into the history that something beside config.yml changed; no bytes of an asset go there."""
    with _turn(home):
        _record_edit_by_hand(home, say)
        _record(home, what, read_bytes(config_path(home)), restores=NOTE, say=say)


def _chosen(entries: list[Entry], change_id: str) -> Entry:
    found = [entry for entry in entries if len(change_id) >= 4 and entry.full_id.startswith(change_id.lower())]
    if not found:
        raise Failure(f'no change with the id "{change_id}"', "dusty config log lists them")
    if found[0].restores == NOTE:
        raise Failure(f"{found[0].what}: the bytes of assets are not kept in the history", "dusty assets set puts them back")
    return found[0]


def _newest_standing(entries: list[Entry]) -> Entry:
    """The change that made the present state: an undo stands for the state it restored."""
    by_id = {entry.full_id: entry for entry in entries}
    older = dict(zip((entry.full_id for entry in entries), entries[1:], strict=False))
    standing = entries[0] if entries else None
    while standing and standing.restores:
        standing = older.get(standing.full_id) if standing.restores == NOTE else by_id.get(standing.restores)
    if standing is None:
        raise Failure("there is no change to undo")
    return standing


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
    from dusty_tasks.core.yaml_values import values_of_yaml

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
    return f"mend {path}, or: dusty config undo"


def _check(home: str, text: str) -> None:
    """Raise Failure with every problem of `text` as a config.yml."""
    from dusty_tasks.core.problems import errors, report
    from dusty_tasks.effects.settings_file import settings_from

    problems = errors(settings_from(text.encode(), home)[1])
    if problems:
        raise Failure(report(problems))


def _write(path: str, text: str) -> None:
    """Write config.yml with the mode it has; a new one is for its owner alone, for env values may be secrets."""
    try:
        mode = os.stat(path).st_mode & 0o777
    except OSError:
        mode = 0o600
    write_atomically(path, text.encode(), mode)


def _keep_original(path: str, text: str, lost: tuple[str, ...], say: Callable[[str], None] | None) -> None:
    original = f"{path}.orig"
    if not os.path.exists(original):
        write_atomically(original, text.encode(), 0o600)
    if say:
        say(f"config.yml: {len(lost)} comment{'s' * (len(lost) > 1)} could not be kept ({lost[0]}); the file as it was is {original}")


def _record_edit_by_hand(home: str, say: Callable[[str], None] | None) -> None:
    data, recorded = read_bytes(config_path(home)), _recorded_blob(home)
    if data is None and recorded:
        _record(home, REMOVED_BY_HAND, None, say=say)
    elif data is not None and _blob_id(data) != recorded:
        _record(home, BY_HAND if _tip(home) else AS_FOUND, data, say=say)


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _tip(home: str) -> str:
    """The newest commit's id, or '' before the first one; no process is needed to tell that, as a rule."""
    loose = read_bytes(os.path.join(home, "config.git/refs/heads/main"))
    if loose or not os.path.exists(os.path.join(home, "config.git/packed-refs")):
        return (loose or b"").decode("ascii", "replace").strip()
    return _git(home, "rev-parse", "--quiet", "--verify", "main", check=False).strip()


def _recorded_blob(home: str) -> str:
    return _git(home, "rev-parse", "--quiet", "--verify", "main:config.yml", check=False).strip() if _tip(home) else ""


def _text_at(home: str, commit: str) -> str | None:
    """config.yml as it was at `commit`, None where there was none."""
    if commit == NOTHING or not _git(home, "ls-tree", "--name-only", commit, "config.yml").strip():
        return None
    return _git(home, "cat-file", "blob", f"{commit}:config.yml")


def _record(home: str, what: str, content: str | bytes | None, *, restores: str = "",
            say: Callable[[str], None] | None = None) -> None:
    """Commit `content` (None: no file). The change itself stands already, so trouble with git is said, not raised."""
    data = content.encode() if isinstance(content, str) else content
    line = " ".join("".join(character if character.isprintable() else " " for character in what).split())
    message = line + (f"\n\n{RESTORES}{restores}\n" if restores else "\n")
    try:
        if not os.path.exists(os.path.join(home, "config.git/HEAD")):
            Path(home, "config.git").mkdir(mode=0o700, exist_ok=True)
            _git(home, "init", "--quiet", "--bare", "--initial-branch=main", "--template=")
        _git(home, "fast-import", "--quiet", stdin=_stream(message.encode(), data, bool(_tip(home))))
    except ToolFailed as failure:
        if say:
            say(f"config.yml is changed, but its history could not be written: {failure}")


def _stream(message: bytes, data: bytes | None, has_parent: bool) -> bytes:
    """One commit in the form of git fast-import: a single process, whatever is in the texts."""
    who = f"{_user_name()} <{_user_name()}@{socket.gethostname()}> {int(time.time())} {time.strftime('%z')}".encode()
    lines = [b"commit refs/heads/main", b"author " + who, b"committer " + who, b"data %d" % len(message), message]
    lines += [b"from refs/heads/main^0"] if has_parent else []
    lines += [b"D config.yml"] if data is None else [b"M 100644 inline config.yml", b"data %d" % len(data), data]
    return b"\n".join(lines) + b"\ndone\n"


def _user_name() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return "".join(character for character in name if character.isalnum() or character in "._-") or "unknown"


def _git(home: str, *words: str, stdin: bytes | None = None, check: bool = True) -> str:
    """git on the history alone: nothing of the user's configuration or surroundings has a say."""
    from dusty_tasks.effects import process

    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    argv = ["git", "--git-dir", os.path.join(home, "config.git"), *words]
    return process.run(argv, input=stdin, env=env, check=check).out
