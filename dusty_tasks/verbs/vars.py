"""`dusty vars`: what the variables of the specs stand for on this machine."""

from __future__ import annotations

from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.specs.variables import Variable
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
    from dusty_tasks.effects.specs.read import read_variables

    settings = session.settings()
    values = read_variables(session.specs_root(), settings.bundles, settings.vars)
    rows = [
        {
            "name": variable.name,
            "value": values.given.get(variable.name),
            "from": _source(variable, values.given.get(variable.name), settings.vars),
            "description": variable.description,
        }
        for variable in values.declared.values()
    ]
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("the specs declare no variables")
    for row in rows:
        value = "has no value" if row["value"] is None else f"= {row['value']} ({row['from']})"
        say(f"{row['name']} {value}")
        if row["description"]:
            say(f"    {row['description']}")
    for name in sorted(settings.vars.keys() - values.declared.keys()):
        warn(f"{name} is set, and the specs declare no such variable")


def _source(variable: Variable, value: str | None, was_set: dict[str, str]) -> str:
    if value is None:
        return ""
    if variable.name in was_set:
        return "set here"
    return "default" if value == variable.default else "of a bundle"


def given(words: list[str]) -> dict[str, str]:
    """The values of `NAME VALUE` or `NAME=VALUE…`. Raises Failure for names that the specs do not declare."""
    if not words:
        raise misuse("vars", "vars set needs NAME VALUE or NAME=VALUE…")
    if len(words) == 2 and "=" not in words[0]:
        found = {words[0]: words[1]}
    else:
        for word in words:
            if "=" not in word:
                raise misuse("vars", f'vars set: "{word}" is not NAME=VALUE')
        found = {name: value for name, _, value in (word.partition("=") for word in words)}
    known = _declared()
    for name, value in found.items():
        if name not in known:
            raise unknown("variable", name, known)
        if "\n" in value or "\0" in value:
            raise Failure(f"the value of {name} has more than one line", "one line of text")
    return found


def _declared() -> dict[str, Variable]:
    from dusty_tasks.effects.specs.read import read_variables

    return dict(read_variables(session.specs_root(), (), {}).declared)


def set_variables(values: dict[str, str]) -> None:
    """Keep values in config.yml, with history."""
    from dusty_tasks.effects.home.config import change_config

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
    from dusty_tasks.effects.home.config import change_config

    if not names:
        raise misuse("vars", "vars unset needs NAME…")

    def change(config: dict[str, Any]) -> None:
        kept = config.get("vars")
        was_set: dict[str, Any] = kept if isinstance(kept, dict) else {}
        missing = [name for name in names if name not in was_set]
        if missing:
            raise Failure(f"{', '.join(missing)} is not set", f"set: {', '.join(sorted(was_set)) or 'none'}")
        for name in dict.fromkeys(names):
            del was_set[name]

    change_config(session.home(), f"vars unset {' '.join(names)}", change, warn)
    session.forget()
    say(f"unset {', '.join(dict.fromkeys(names))}; the next {DUSTY} up applies it")
