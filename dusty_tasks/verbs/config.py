"""`dusty config`: Dusty's settings, with their history."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import say, table, warn, width
from dusty_tasks.core.specs.repo_ids import drop_former_bundles
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import Tone, cut, painted
from dusty_tasks.core.text.safe import in_yaml, printable
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.repo_words import say_dropped
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path, repo_as_stored, say_json

if TYPE_CHECKING:
    from dusty_tasks.core.settings.keys import Key
    from dusty_tasks.core.settings.model import Settings


VALUE_SHARE = 3
"""On a terminal a value takes at most this part of the width."""


def run(words: list[str], json: bool = False, verbose: bool = False) -> int | None:
    """List, get, set, unset, log or undo; every change is checked first and recorded."""
    action, rest = action_of("config", words, ("list", "get", "set", "unset", "log", "undo"))
    if action == "list":
        exactly("config", "list", rest)
        list_keys(json, verbose)
    elif action == "get":
        get(*exactly("config", "get", rest, "a key"))
    elif action == "set":
        set_key(*exactly("config", "set", rest, "a key", "a value"))
    elif action == "unset":
        unset(*exactly("config", "unset", rest, "a key"))
    elif action == "log":
        exactly("config", "log", rest)
        print_log(json)
    else:
        undo(*exactly("config", "undo", rest, *("the ID of a change",) * bool(rest)))
    return None


def key_named(name: str) -> Key:
    """The key, or a Failure with the likeliest one."""
    from dusty_tasks.core.settings.keys import KEYS
    from dusty_tasks.core.text.problems import did_you_mean

    if name in KEYS:
        return KEYS[name]
    below = [key for key in KEYS if key.startswith(f"{name}.")]
    raise Failure(
        f'unknown key "{name}"', f"{name} is a group: {', '.join(below)}" if below else did_you_mean(name, KEYS)
    )


def effective(key: Key, settings: Settings) -> Any:
    """The value in force: as configured, else the default; None where there is neither."""
    if key.name == "assets":
        return {name: {"from": list(command)} for name, command in settings.asset_commands.items()}
    group, _, last = key.name.partition(".")
    holder, name = (settings.host, last) if group == "host" else (settings, key.name.replace(".", "_"))
    value = getattr(holder, name)
    if isinstance(value, tuple):
        return list(value)
    return None if value == "" else value


def shown(value: Any) -> str:
    """A value on one line: text as it is, lists and mappings as JSON (which is YAML, so `set` takes it back)."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float):
        return f"{value:g}"
    import json

    return json.dumps(value, ensure_ascii=False)


def places() -> Mapping[tuple[Any, ...], tuple[int, int]]:
    """Where each key stands in config.yml."""
    from dusty_tasks.core.specs.documents import Places
    from dusty_tasks.core.specs.yaml_reader import values_of_yaml
    from dusty_tasks.effects.doors.files import read_bytes
    from dusty_tasks.effects.home.config import config_path
    from dusty_tasks.effects.specs.schemas import read_schema

    found = values_of_yaml(read_bytes(config_path(session.home())) or b"", "config.yml", read_schema("config"))
    return Places(found.value, found.marks)


def rows() -> list[dict[str, Any]]:
    """Every key with its value in force, where that comes from, and what it may be."""
    from dusty_tasks.core.settings.keys import KEYS

    settings, found = session.settings(), places()
    rows = []
    for key in KEYS.values():
        place = found.get(tuple(key.name.split(".")))
        rows.append(
            {
                "key": key.name,
                "value": effective(key, settings),
                "default": key.default,
                "source": f"config.yml:{place[0]}:{place[1]}" if place else "default",
                "description": key.description,
                "values": key.values,
                "verb": key.verb,
            }
        )
    return rows


def list_keys(as_json: bool, verbose: bool = False) -> None:
    """Print all keys: a table, what was changed first; with `verbose` all that a key may be, in their order."""
    if as_json:
        say_json(rows())
    elif verbose:
        say("\n\n".join(entry(row) for row in rows()))
    else:
        say(key_table(rows(), width()))


def key_table(rows: list[dict[str, Any]], columns: int) -> str:
    """A line a key: its value and what it is for, cut to `columns` (0: not at all); first those that config.yml sets."""
    changed = [row for row in rows if row["source"] != "default"]
    others = [row for row in rows if row["source"] == "default"]
    room = columns // VALUE_SHARE if columns else 0

    def cells(row: dict[str, Any], tone: Tone | None) -> tuple[str, str, str]:
        value = printable(shown(row["value"]))
        value = cut(value, room) if room else value
        return row["key"], painted(value, tone) if tone else value, painted(row["description"], Tone.QUIET)

    heading = (painted("setting", Tone.QUIET), painted("value", Tone.QUIET), painted("what it is for", Tone.QUIET))
    head, *lines = table(
        heading, [*(cells(row, Tone.STRONG) for row in changed), *(cells(row, None) for row in others)]
    ).splitlines()
    parts = [
        *([head, *lines[: len(changed)], ""] if changed else []),
        painted("as they are by default:", Tone.QUIET),
        *lines[len(changed) :],
    ]
    said = "\n".join(cut(line, columns) if columns else line for line in parts)
    return f"{said}\n\n{DUSTY} config list -v describes each in more detail"


def entry(row: dict[str, Any]) -> str:
    """A key with its value, meaning, origin and allowed values, the current one marked."""
    lines = [f"*  {row['key']} = {shown(row['value'])}".rstrip(), f"   {row['description']}"]
    lines += [
        f" {'>' if value == row['value'] else '   '} {value}: {meaning}" for value, meaning in row["values"].items()
    ]
    changed_by = f"; changed by dusty {row['verb']}" if row["verb"] else ""
    return "\n".join([*lines, f"   ({row['source']}{changed_by})"])


def get(name: str) -> None:
    """Print the bare value in force."""
    say(shown(effective(key_named(name), session.settings())), as_is=True)


def set_key(name: str, word: str) -> None:
    """Check a value and store it: the word itself, the content of @file, or of stdin for `-`."""
    from dusty_tasks.core.settings.keys import check_value
    from dusty_tasks.core.specs.rules import Wrong

    key = settable(name)
    value = value_of_text(key, text_of(word))
    if name == "specs_repo":
        value = repo_as_stored(value)
    try:
        check_value(key, value)
    except Wrong as wrong:
        as_list = ""
        if key.kind == "strings" and isinstance(value, str):
            items = ", ".join(map(in_yaml, value.split(", ")))
            as_list = f"{DUSTY} config set {name} {shlex.quote(f'[{items}]')}"
        raise Failure(f"{name}: {wrong.what}", as_list or wrong.hint) from wrong
    *groups, last = name.split(".")
    dropped: list[str] = []

    def change(config: dict[str, Any]) -> None:
        dropped.extend(drop_former_bundles(config, value) if name == "specs_repo" else ())
        for group in groups:
            if not isinstance(config.get(group), dict):
                config[group] = {}
            config = config[group]
        config[last] = value

    save(
        f"config set {name} {shown(value) if key.kind != 'mapping' else '…'}",
        change,
        lambda: f"{name} = {shown(effective(key, session.settings()))}",
    )
    say_dropped(dropped)
    if name == "host.ssh" and (address := session.settings().host.address):
        warn(
            f"host.address is still {address}; if the machine is another one: {DUSTY} config unset host.address, then {DUSTY} start"
        )


def settable(name: str) -> Key:
    """The key, unless another verb is in charge of it."""
    key = key_named(name)
    if key.verb:
        raise Failure(
            f"{name} cannot be changed with config", f"{DUSTY} {key.verb} does; see {DUSTY} {key.verb} --help"
        )
    return key


def value_of_text(key: Key, text: str) -> Any:
    """A typed text as a value of the key: YAML where it takes a list or mapping."""
    from dusty_tasks.core.settings import keys as setting_keys
    from dusty_tasks.core.settings import text_edit as config_text

    if key.kind not in ("strings", "mapping"):
        return setting_keys.value_of_text(key, text)
    try:
        return config_text.structure_of(text)
    except ValueError as error:
        from dusty_tasks.core.specs.yaml_trouble import QUOTED

        raise Failure(f"{key.name}: not YAML: {error}", QUOTED if {*"*&!@`%"}.intersection(text) else "") from error


def text_of(word: str) -> str:
    """What a word of `config set` stands for. Raises Failure for a file that cannot be read."""
    try:
        if word == "-":
            data = sys.stdin.buffer.read()
        elif word.startswith("@"):
            data = Path(local_path(word[1:])).read_bytes()
        else:
            return word
        return data.decode("utf-8-sig").removesuffix("\n")
    except OSError as error:
        raise Failure(f"{word[1:]}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{word}: not UTF-8 text (byte {error.start + 1})") from error


def unset(name: str) -> None:
    """Return a key to its default."""
    settable(name)
    *groups, last = name.split(".")
    dropped: list[str] = []

    def change(config: dict[str, Any]) -> None:
        dropped.extend(drop_former_bundles(config, "") if name == "specs_repo" else ())
        for group in groups:
            config = config[group] if isinstance(config.get(group), dict) else {}
        config.pop(last, None)

    save(f"config unset {name}", change, lambda: f"{name}: back to its default")
    say_dropped(dropped)


def save(what: str, change: Any, done: Callable[[], str]) -> None:
    """Store a change and say what is so now, or that there was none."""
    from dusty_tasks.effects.home.config import change_config

    changed = change_config(session.home(), what, change, warn)
    session.forget()
    say(done() if changed else f"{done()} (no change)")


def print_log(as_json: bool) -> None:
    """All changes, newest first."""
    from dusty_tasks.effects.home import config as store

    entries = store.log(session.home())
    if as_json:
        say_json([{"id": entry.id, "time": entry.time, "who": entry.who, "what": entry.what} for entry in entries])
    elif not entries:
        say("no changes yet")
    else:
        say(table(("id", "time", "who", "what"), [(entry.id, entry.time, entry.who, entry.what) for entry in entries]))


def undo(change_id: str = "") -> None:
    """Restore the state before a change."""
    from dusty_tasks.effects.home import config as store

    undone = store.undo(session.home(), change_id, warn)
    session.forget()
    say(
        f"undone: {undone.id} {undone.what}"
        if not change_id
        else f"restored the state before {undone.id} {undone.what}"
    )
