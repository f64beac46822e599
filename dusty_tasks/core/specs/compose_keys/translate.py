"""Compose keys, version 1 or today's, as today's Compose Specification (docs/specs.md, "Services").

What comes out holds no key that Dusty sets itself. `$` stays one character here; the renderer doubles it. Paths stay as
written: joining them to a repo, the specs repo or the Docker host's root is the renderer's work, too.
"""

from __future__ import annotations

import re
from typing import Any

from dusty_tasks.core.specs.build import at, mappings
from dusty_tasks.core.specs.compose_keys import containers, networks, volumes
from dusty_tasks.core.specs.compose_keys.known import (
    BESIDE_COMPOSE,
    IGNORED_BY_ROLE,
    KEYS_OF_APPS,
    KNOWN_KEYS,
    OF_THE_PROCESS,
    REFUSED,
    REFUSED_FILES,
)
from dusty_tasks.core.specs.compose_keys.translation import Names, Rule, Translated, Translation
from dusty_tasks.core.specs.compose_values import (
    PORT_TYPES,
    is_well_typed,
    published_port,
)
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.rules import NOT_INTERPOLATED_HINT, Wrong
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import nearest
from dusty_tasks.core.text.safe import shown

_READ_IN_THE_CONTAINER = (
    "command",
    "entrypoint",
    "healthcheck",
    "post_start",
    "pre_stop",
    "image",
    "volumes",
    "ports",
    "build",
)
"""Keys in which a shell of the container may expand `${NAME}`, or that refuse it themselves."""
_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+?][^}]*)?\}"
_ESCAPED = r"\$\$(?=[A-Za-z_{(])"
"""What Compose files have for one `$` that a shell is to see."""
_ONE_OR_LIST = ("expose", "ports", "dns", "dns_search", "tmpfs", "env_file")
_RULES: dict[str, Rule] = {**networks.RULES, **volumes.RULES, **containers.RULES}


def translate_main(document: Document, names: Names) -> Translated:
    """The container of an app or service itself."""
    if document.kind == "service":
        return _translate(document, document.value, (), "service", names)
    return _translate(document, at(document.value, "compose"), ("compose",), "app", names)


def translate_suites(document: Document, names: Names) -> list[Translated]:
    """The test containers of an app or lib, one a suite, in their order."""
    return [
        _translate(document, suite.get("compose"), (*path, "compose"), "suite", names)
        for path, suite in mappings(document.value, "test", "suites")
    ]


def _translate(document: Document, value: Any, base: KeyPath, role: str, names: Names) -> Translated:
    if not isinstance(value, dict):
        return Translated({}, [], [])
    translation = Translation(document, value, base, role, names)
    for key, written in value.items():
        _key(translation, key, written)
    networks.finish(translation)
    volumes.finish(translation)
    return Translated(
        translation.compose,
        translation.references,
        translation.problems,
        translation.volume_driver,
        translation.network,
    )


def _key(translation: Translation, key: str, value: Any) -> None:
    """One key, by its own rule or as it is."""
    ignored = IGNORED_BY_ROLE[translation.role]
    if translation.role == "app" and not translation.has_commands:
        ignored = {key: hint for key, hint in ignored.items() if key not in OF_THE_PROCESS}
    if key not in ignored:
        _warn_of_dollars(translation, (*translation.base, key), value, may_expand=key in _READ_IN_THE_CONTAINER)
    if key in ignored:
        translation.warn(key, Code.IGNORED_KEY, f"ignored: Dusty sets {key} itself", ignored[key])
    elif key == "extends" and translation.role == "service":
        _extends(translation, value)
    elif key in BESIDE_COMPOSE:
        if translation.role != "service":
            translation.say(
                (key,),
                Code.MISPLACED_KEY,
                f"{key} is not a Compose key",
                f"write {key} beside compose, not in it",
            )
    elif key in REFUSED:
        translation.say((key,), Code.UNSUPPORTED_KEY, *REFUSED[key])
    elif key in REFUSED_FILES:
        translation.say((key,), Code.UNSUPPORTED_KEY, f"{key} are not supported", REFUSED_FILES[key][translation.role])
    elif key in _ONE_OR_LIST:
        _list(translation, key, value)
    elif rule := _RULES.get(key):
        rule(translation, value)
    else:
        _as_it_is(translation, key, value)


def _warn_of_dollars(translation: Translation, path: KeyPath, value: Any, *, may_expand: bool) -> None:
    """Compose would put something in place of `${NAME}`, and one `$` for two; here they stay. `may_expand`: a shell may see `${NAME}`."""
    if isinstance(value, dict):
        for key, part in value.items():
            _warn_of_dollars(translation, (*path, key), part, may_expand=may_expand)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _warn_of_dollars(translation, (*path, index), part, may_expand=may_expand)
    elif not isinstance(value, str) or "$" not in value:
        return
    elif re.search(_ESCAPED, value):
        _warn_of_dollar(translation, path, "$$ stays two characters", "write one $, which needs no escaping here")
    elif not may_expand and (found := re.search(_VARIABLE, value)):
        hint = f"{NOT_INTERPOLATED_HINT}; `{DUSTY} env set` gives a value to one person"
        _warn_of_dollar(translation, path, f"{found.group()} stays as it is", hint)


def _warn_of_dollar(translation: Translation, path: KeyPath, what: str, hint: str) -> None:
    what = f"{what}: nothing is interpolated"
    translation.problems.append(translation.document.problem(path, Code.NOT_INTERPOLATED, what, hint, is_warning=True))


def _as_it_is(translation: Translation, key: str, value: Any) -> None:
    if key not in KNOWN_KEYS and not key.startswith("x-"):
        known = (*KNOWN_KEYS, *BESIDE_COMPOSE, "image_requires_login") if translation.role == "service" else KNOWN_KEYS
        guess = nearest(key, known)
        hint = f'did you mean "{guess}"?' if guess else "x-… for a note of your own"
        what = f"no Compose version knows the key {shown(key)}"
        translation.say_at_key(key, Code.UNKNOWN_COMPOSE_KEY, what, KEYS_OF_APPS.get(key, hint))
        return
    translation.compose[key] = value


def _extends(translation: Translation, value: Any) -> None:
    """What is still there of `extends`: its base could not be merged, which was said unless it has Compose's form."""
    if isinstance(value, dict):
        name = value.get("service")
        translation.say(
            ("extends",),
            Code.UNSUPPORTED_KEY,
            "extends names one other service, whose lists are replaced and not appended to",
            f"extends: {name if isinstance(name, str) else '<service>'}",
        )


def _list(translation: Translation, key: str, value: Any) -> None:
    """Keys that take one value or a list of them."""
    items = list(value) if isinstance(value, list) else [value] if isinstance(value, str) else []
    translation.compose[key] = items
    if key != "ports":
        return
    for index, item in enumerate(items):
        if not is_well_typed(item, PORT_TYPES):
            continue
        try:
            published_port(item)
        except Wrong as wrong:
            translation.say((key, index) if isinstance(value, list) else (key,), wrong.code, wrong.what, wrong.hint)
