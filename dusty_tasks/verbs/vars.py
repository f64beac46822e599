"""`dusty vars`: what the variables of the specs stand for on this machine."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.specs.secret_values import USE
from dusty_tasks.core.specs.variables import Values, Variable
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.words import action_of, misuse, say_json, unknown


def run(words: list[str], json: bool = False) -> int | None:
    """List, set or unset variables; the next `up` applies them."""
    action, rest = action_of("vars", words, ("list", "set", "unset"))
    if action == "list":
        if rest:
            raise misuse("vars", f'vars list: unexpected argument "{rest[0]}"')
        list_variables(json)
    elif action == "set":
        set_variables(given(rest))
    else:
        unset_variables(rest)
    return None


def list_variables(as_json: bool) -> None:
    """Each variable of vars.yml, what it stands for, and who says so."""
    settings, values = session.settings(), session.variables()
    rows = [row_of(variable, values) for variable in values.declared.values()]
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("the specs declare no variables")
    for row in rows:
        say(line_of(row))
        if row["description"]:
            say(f"    {row['description']}")
    for name in sorted({*settings.vars, *settings.secrets} - values.declared.keys()):
        warn(f"{name} is set, and the specs declare no such variable")
    for name in sorted(settings.vars):
        if name in values.declared and values.declared[name].is_secret:
            warn(f"{name} is a secret, and its value in config.yml is not used ({DUSTY} vars set {name} moves it out)")


def row_of(variable: Variable, values: Values) -> dict[str, Any]:
    """What is told of a variable; of a secret not its value."""
    name, layer = variable.name, values.layers.get(variable.name)
    place = layer.places.get(name) if layer else None
    return {
        "name": name,
        "value": layer.texts[name] if layer else None,
        "from": "set here" if name in values.secrets else layer.source if layer else "",
        "place": str(place) if place else "",
        "secret": variable.is_secret,
        "description": variable.description,
    }


def line_of(row: dict[str, Any]) -> str:
    """A row as people read it."""
    if row["secret"] and row["from"]:
        return f"{row['name']} (set)"
    if row["value"] is None:
        return f"{row['name']} has no value"
    source = f"{row['from']}, {row['place']}" if row["place"] else row["from"]
    return f"{row['name']} = {row['value']} ({source})"


def given(words: list[str]) -> dict[str, str]:
    """The values of `NAME VALUE` or `NAME=VALUE…`; that of a secret alone is asked for. Raises Failure for names that the specs do not declare."""
    if not words:
        raise misuse("vars", "vars set needs NAME VALUE or NAME=VALUE…")
    known = _declared()
    if len(words) == 1 and "=" not in words[0]:
        if words[0] not in known:
            raise unknown("variable", words[0], known)
        if not known[words[0]].is_secret:
            raise misuse("vars", f'vars set: "{words[0]}" is not NAME=VALUE')
        found = {words[0]: asked(words[0])}
    elif len(words) == 2 and "=" not in words[0]:
        found = {words[0]: words[1]}
    else:
        for word in words:
            if "=" not in word:
                raise misuse("vars", f'vars set: "{word}" is not NAME=VALUE')
        found = {name: value for name, _, value in (word.partition("=") for word in words)}
    for name, value in found.items():
        if name not in known:
            raise unknown("variable", name, known)
        if "\0" in value or ("\n" in value and not known[name].is_secret):
            raise Failure(f"the value of {name} has more than one line", "one line of text")
        if USE.search(value) and not known[name].is_secret:
            raise Failure(
                f"the value of {name} cannot use another variable", "put them side by side where they are used"
            )
    return found


def asked(name: str) -> str:
    """A secret from who types it, unseen, or from what is piped to this process, without its last line end. Raises Failure for none."""
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value:
        raise Failure(f"no value of {name} was given", f"type it, or pipe it to {DUSTY} vars set {name}")
    return value


def _declared() -> dict[str, Variable]:
    return dict(session.variables().declared)


def set_variables(values: dict[str, str]) -> None:
    """Keep values in config.yml, with history; those of secrets in files of their own, of which history has the names."""
    from dusty_tasks.effects.home.config import change_config, record_note
    from dusty_tasks.effects.home.secrets import keep_secret

    known = _declared()
    secret = {name: value for name, value in values.items() if known[name].is_secret}
    values = {name: value for name, value in values.items() if name not in secret}
    if secret:
        for name, value in secret.items():
            keep_secret(session.home(), name, value)
        names = ", ".join(secret)
        if in_config := [name for name in secret if name in session.settings().vars]:
            _drop(in_config, f"vars set {' '.join(secret)}")
        else:
            record_note(session.home(), f"vars set {' '.join(secret)}", warn)
        say(f"set {names}; the next {DUSTY} up applies it")
        session.forget()
    if not values:
        return

    def change(config: dict[str, Any]) -> None:
        if not isinstance(config.get("vars"), dict):
            config["vars"] = {}
        config["vars"].update(values)

    names = ", ".join(values)
    if change_config(session.home(), f"vars set {' '.join(values)}", change, warn):
        say(f"set {names}; the next {DUSTY} up applies it")
    else:
        say(f"{names} had that value already")
    session.forget()


def unset_variables(names: list[str]) -> None:
    """Forget values; one that is not set is an error, and nothing changes."""
    from dusty_tasks.effects.home.config import record_note
    from dusty_tasks.effects.home.secrets import remove_secret

    if not names:
        raise misuse("vars", "vars unset needs NAME…")
    settings = session.settings()
    missing = [name for name in names if name not in settings.vars and name not in settings.secrets]
    if missing:
        known = ", ".join(sorted({*settings.vars, *settings.secrets}))
        raise Failure(f"{', '.join(missing)} is not set", f"set: {known or 'none'}")
    for name in names:
        if name in settings.secrets:
            remove_secret(session.home(), name)
    if in_config := [name for name in names if name in settings.vars]:
        _drop(in_config, f"vars unset {' '.join(names)}")
    else:
        record_note(session.home(), f"vars unset {' '.join(names)}", warn)
    session.forget()
    say(f"unset {', '.join(dict.fromkeys(names))}; the next {DUSTY} up applies it")


def _drop(names: list[str], what: str) -> None:
    """Take values out of config.yml."""
    from dusty_tasks.effects.home.config import change_config

    def change(config: dict[str, Any]) -> None:
        was_set = config.get("vars")
        for name in names:
            if isinstance(was_set, dict):
                was_set.pop(name, None)

    change_config(session.home(), what, change, warn)
