"""Variables that are secrets: in the stack and its artifacts stands `${{NAME}}`, and only the file for Compose has the value. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.text.key_path import KeyPath

USE = re.compile(r"\$\{\{ *([^{}]*?) *\}\}")
UNSET = "unset-"
"""Before the name of a variable without a value, in what is compiled only to be looked at."""


def may_hold_secrets(kind: str, path: KeyPath) -> bool:
    """True for a value that Compose can read from a file: of an environment variable of an app, service or test suite."""
    *parents, _variable = path or ("",)
    if kind == "service":
        return parents == ["environment"]
    if kind == "bundle":
        return parents[:1] == ["env"] and len(parents) == 2
    if kind == "app" and parents == ["compose", "environment"]:
        return True
    return parents[:2] == ["test", "suites"] and parents[3:] == ["compose", "environment"]


def templates_in(environment: Mapping[str, Any], by_bundle: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The variables of a container whose values hold secrets; those that bundles give win."""
    whole = {**environment, **{name: text for name, (text, _) in by_bundle.items()}}
    return {name: text for name, text in whole.items() if isinstance(text, str) and USE.search(text)}


def with_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """A text with the values of secrets; a placeholder for one that has none."""
    return USE.sub(lambda use: secrets.get(use[1], f"{UNSET}{use[1]}"), text)
