"""Compose's variables as variables of specs: `${NAME:-x}` becomes `${{NAME}}`, declared in vars.yml. Pure.

A variable of specs has one value. Where a Compose file uses one name with several defaults, each gets a name of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.interpolation import Use, rewritten, uses_in, value_of
from dusty_tasks.core.importing.short_forms import template_of

SECRET_LIKE = re.compile(
    r"(?i)(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|access|private|secret|signing|encryption|auth|master|fernet)_?key|apikey|dsn)(?:$|_)"
)
"""Names of variables whose values nobody writes into a repo."""
WORKING_FOLDER = "PWD"
OF_MACHINES = frozenset(
    "PWD HOME USER LOGNAME UID GID EUID SHELL PATH TERM HOSTNAME DISPLAY LANG TMPDIR SSH_AUTH_SOCK XDG_RUNTIME_DIR DOCKER_HOST".split()
)
"""What shells and systems set: each person has another value."""
_STRUCTURAL = (
    "image",
    "build",
    "volumes",
    "ports",
    "expose",
    "env_file",
    "label_file",
    "devices",
    "secrets",
    "configs",
)
"""Keys in which a blank in place of a variable is a mistake."""
_PATHS = ("volumes", "build", "env_file", "label_file")


_IN_A_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_TELLING = 6
"""Letters of a value that are no accident when another value holds them, too."""


def is_secret(name: str, value: str, hidden: Iterable[str] = ()) -> bool:
    """True for a variable whose name or value says that nobody should write it into a repo; `hidden` are known secrets."""
    return bool(SECRET_LIKE.search(name) or _IN_A_URL.search(value)) or any(text in value for text in hidden)


class Declared(NamedTuple):
    """A variable for vars.yml."""

    name: str
    default: str | None
    is_secret: bool = False
    description: str = ""


class Variables:
    """The variables of a project: what they stand for in both worlds, and which ones were written."""

    def __init__(self, values: Mapping[str, str], services: Mapping[str, Node], folder: str) -> None:
        self.values = dict(values)
        """What Compose takes them for, as .env and defaults say."""
        self.secrets: set[str] = set()
        self.required: set[str] = set()
        """Those that have no value until a person sets one."""
        self.declared: dict[str, Declared] = {}
        self._by_value: dict[tuple[str, str], str] = {}
        self._look_at(services, folder)

    def _look_at(self, services: Mapping[str, Node], folder: str) -> None:
        elsewhere: set[str] = set()
        blank: dict[str, str] = {}
        for key, node in _scalars(services):
            template = template_of(node)
            if key == "volumes" and node.value.startswith("~") and "HOME" not in self.values:
                blank["HOME"] = "/unset-HOME"
            for use in uses_in(template):
                if key != "environment":
                    elsewhere.add(use.name)
                if use.name in self.values or use.operator.endswith(("-", "+")):
                    continue
                if key in _STRUCTURAL or use.name in OF_MACHINES or use.operator:
                    leads = key in _PATHS and template[:1] == (use,)
                    sample = f"/unset-{use.name}" if leads or blank.get(use.name, "").startswith("/") else "1"
                    blank[use.name] = sample
        if WORKING_FOLDER in blank:
            blank[WORKING_FOLDER] = folder
        self.required = set(blank)
        self.values.update(blank)
        hidden = [value for name, value in self.values.items() if SECRET_LIKE.search(name) and len(value) >= _TELLING]
        for name, value in list(self.values.items()):
            if value and name not in blank and is_secret(name, value, hidden):
                if name in elsewhere:
                    self.required.add(name)
                else:
                    self.hide(name)

    def hide(self, name: str) -> None:
        """Keep the value of a variable out of the specs: each person sets it, and environment alone may use it."""
        self.secrets.add(name)
        self.values[name] = f"${{{{{name}}}}}"

    def secret(self, name: str) -> str:
        """What stands for a secret of a file of variables, declared under its name."""
        found = name
        while found in self.declared and not self.declared[found].is_secret:
            found = f"{found}_2"
        self.declared[found] = Declared(found, None, is_secret=True)
        return f"${{{{{found}}}}}"

    def text(self, node: Node) -> str:
        """A scalar's text as a spec has it."""
        return rewritten(template_of(node), self.use)

    def use(self, use: Use) -> str:
        """What stands for a use in a spec."""
        value = value_of(use, self.values)
        if use.operator.endswith("+"):
            return value
        name = self._name_for(use, value)
        return f"${{{{{name}}}}}"

    def named(self, name: str) -> str:
        """What stands for a variable that is handed through by its name."""
        return self.use(Use(name))

    def _name_for(self, use: Use, value: str) -> str:
        known = self._by_value.get((use.name, value))
        if known:
            return known
        taken = {name for (of, _), name in self._by_value.items() if of == use.name}
        name = (
            use.name
            if not taken
            else next(found for number in range(2, 1000) if (found := f"{use.name}_{number}") not in self.declared)
        )
        self._by_value[use.name, value] = name
        if use.name in self.secrets:
            self.declared[name] = Declared(name, None, is_secret=True)
        elif use.name in self.required and value == self.values.get(use.name):
            message = value_of(use._replace(operator="-"), {}) if use.operator.endswith("?") else ""
            self.declared[name] = Declared(name, None, description=message)
        else:
            note = f"{use.name}, where the Compose file gives it another default." if name != use.name else ""
            self.declared[name] = Declared(name, value, description=note)
        return name

    def given(self) -> dict[str, str]:
        """Values of the variables without a default, for a compile that proves something."""
        return {name: self.values.get(name, "1") for name in self.declared if self.declared[name].default is None}


def _scalars(services: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """Each text of the services with the key that it belongs to."""
    for service in services.values():
        for key, node in service.value.items():
            for scalar in _below(node):
                yield key, scalar


def _below(node: Node) -> Iterator[Node]:
    children: list[Any] = (
        list(node.value.values())
        if isinstance(node.value, dict)
        else node.value
        if isinstance(node.value, list)
        else []
    )
    if isinstance(node.value, str):
        yield node
    for child in children:
        yield from _below(child)


def uses_variables(node: Node) -> bool:
    """True if some text below a node uses a variable."""
    return any(True for scalar in _below(node) for _ in uses_in(template_of(scalar)))
