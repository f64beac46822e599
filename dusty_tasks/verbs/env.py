"""`dusty env`: environment variables for apps and services, beside those of their specs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.words import action_of, local_path, misuse, say_json, unknown

Variables = dict[str, str | None]
"""None: the value that the caller of `up` has for it."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def run(words: list[str], file: str | None = None, all: bool = False, json: bool = False) -> int | None:
    """List, set or unset variables; the next `up` applies them."""
    action, rest = action_of("env", words, ("list", "set", "unset"))
    if file is not None and action != "set":
        raise misuse("env", f"--file belongs to set, not to {action}")
    if all and action != "unset":
        raise misuse("env", f"--all belongs to unset, not to {action}")
    if action == "list":
        list_variables(rest, json)
        return None
    if not rest:
        raise misuse("env", f"env {action} needs the name of an app or service")
    name, *rest = rest
    if action == "set":
        set_variables(name, given(rest, file))
    else:
        unset_variables(name, rest, all)
    return None


def list_variables(names: list[str], as_json: bool) -> None:
    """What is set, for one name or for all."""
    if len(names) > 1:
        raise misuse("env", f'env list: unexpected argument "{names[1]}"')
    stored = session.settings().env
    if names and names[0] not in stored:
        check_name(names[0], stored)
    shown = {name: stored[name] for name in sorted(stored) if stored[name] and (not names or name == names[0])}
    if as_json:
        say_json(shown)
    elif not shown:
        say(f"no variables are set{f' for {names[0]}' if names else ''}")
    for name, variables in () if as_json else shown.items():
        say(f"{name}:")
        for variable, value in sorted(variables.items()):
            say(f"  {variable} (from the caller of up)" if value is None else f"  {variable}={value}")


def check_name(name: str, also: Iterable[str] = ()) -> None:
    """Raise Failure unless `name` is an app or service of the specs, active or not."""
    specs = session.specs()
    known = {*specs.apps, *specs.services, *also}
    if name not in known:
        raise unknown("app or service", name, known)


def given(words: list[str], file: str | None) -> Variables:
    """The variables of `VAR VALUE`, `VAR=VALUE…` or a file. Raises Failure naming what is wrong with them."""
    if file is not None:
        if words:
            raise misuse("env", f'env set: give variables or --file, not both ("{words[0]}")')
        return variables_of_file(local_path(file))
    if not words:
        raise misuse("env", "env set needs VAR VALUE, VAR=VALUE… or --file F")
    if len(words) == 2 and "=" not in words[0]:
        return {checked(words[0]): words[1]}
    for word in words:
        if "=" not in word:
            raise misuse("env", f'env set: "{word}" is not VAR=VALUE')
    return {checked(name): value for name, _, value in (word.partition("=") for word in words)}


def variables_of_file(path: str) -> Variables:
    """The values `K=V` of a file; `K` alone is taken from the caller of `up`; blank lines and those with # are skipped."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().split("\n")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not UTF-8 text (byte {error.start + 1})") from error
    found: Variables = {}
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        where = f"{path}:{number}: "
        name = checked(_EXPORT.sub("", name).strip(), where)
        if equals and (opened := _OPEN.fullmatch(value)):
            for _, following in numbered:
                value += f"\n{following}"
                if _CLOSED[opened.group(1) or opened.group(2)].match(following):
                    break
        found[name] = unquoted(value, where) if equals else None
    if not found:
        raise Failure(f"{path} sets no variable", "lines of the form VAR=VALUE")
    return found


_EXPORT = re.compile(r"^\s*export\s+")
_OPEN = re.compile(r"""\s*(?:(')[^']*|(")(?:[^"\\]|\\.)*\\?)""")
"""A value whose quote does not end on its line."""
_CLOSED = {"'": re.compile(r"[^']*'"), '"': re.compile(r'(?:[^"\\]|\\.)*"')}
"""The beginning of the line on which it ends."""
_QUOTED = re.compile(r"""'([^']*)'\s*(?:\#.*)?|"((?:[^"\\]|\\.)*)"\s*(?:\#.*)?""", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def unquoted(value: str, where: str) -> str:
    """A value as files of this form mean it: what stands in quotes, with escapes in double ones; a comment after a blank is none of it. Raises Failure."""
    stripped = value.strip()
    if stripped[:1] not in ("'", '"'):
        return re.sub(r"\s#.*$", "", value).strip() if "#" in value else value
    match = _QUOTED.fullmatch(stripped)
    if not match:
        raise Failure(
            f"{where}the quote that opens the value is not closed",
            "'as it is', or \"with \\n and \\t\"; the quote may end on a later line",
        )
    single, double = match.groups()
    if single is not None:
        return single
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group(1)), double, flags=re.DOTALL)


def checked(name: str, where: str = "") -> str:
    """`name`, being the name of a variable. Raises Failure."""
    if not VARIABLE.fullmatch(name):
        raise Failure(
            f'{where}"{name}" is not the name of a variable', "letters, digits and _ only, a letter or _ first"
        )
    return name


def set_variables(name: str, variables: Variables) -> None:
    """Store them; a value that is there is replaced."""
    from dusty_tasks.effects.home.config import change_config

    check_name(name)

    def change(config: dict[str, Any]) -> None:
        of_name = _mapping_below(_mapping_below(config, "env"), name)
        of_name.update(variables)

    if change_config(session.home(), f"env set {name} {' '.join(variables)}", change, warn):
        say(f"{name}: set {', '.join(variables)}; the next {DUSTY} up applies it")
    else:
        say(f"{name}: {', '.join(variables)} had that value already")
    session.forget()


def unset_variables(name: str, names: list[str], all_of_them: bool) -> None:
    """Forget variables; one that is not set is an error, and nothing changes."""
    from dusty_tasks.effects.home.config import change_config

    if bool(names) == all_of_them:
        raise misuse("env", f"env unset needs VAR… or --all{', not both' if names else ''}")
    removed: list[str] = []

    def change(config: dict[str, Any]) -> None:
        of_name = _mapping_below(_mapping_below(config, "env"), name)
        missing = [variable for variable in names if variable not in of_name]
        if not of_name:
            check_name(name)
            raise Failure(f"{name}: no variable is set")
        if missing:
            raise Failure(f"{name}: {', '.join(missing)} is not set", f"set: {', '.join(sorted(of_name))}")
        removed[:] = list(dict.fromkeys(names)) or list(of_name)
        for variable in removed:
            del of_name[variable]

    change_config(session.home(), f"env unset {name} {' '.join(names) or '--all'}", change, warn)
    session.forget()
    say(f"{name}: unset {', '.join(removed)}; the next {DUSTY} up applies it")


def _mapping_below(config: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping at `key`, made where there is none or something else stands there (which the check would refuse)."""
    if not isinstance(config.get(key), dict):
        config[key] = {}
    below: dict[str, Any] = config[key]
    return below
