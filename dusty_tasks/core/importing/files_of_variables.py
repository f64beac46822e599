"""Files of `env_file`, as the specs have them: copied, without what nobody writes into a repo. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from dusty_tasks.core.importing.compose_yaml import Refused
from dusty_tasks.core.importing.dotenv import BadLine, variables_of
from dusty_tasks.core.importing.surroundings import Surroundings
from dusty_tasks.core.importing.variables import Variables, is_secret
from dusty_tasks.core.specs.variables import NAME
from dusty_tasks.core.text.problems import Place

FOLDER = "env_files"
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")


class Copied(NamedTuple):
    """One file of variables."""

    path: str
    """Below the specs."""
    text: str | None = None
    """What is to be written there; None where nothing is."""
    secrets: dict[str, str] = {}
    """Variables that are not in the copy -> what stands for them in a spec."""
    is_absent: bool = False


def copied(path: str, is_raw: bool, around: Surroundings, folder: str, variables: Variables) -> Copied:
    """What becomes of the file at an absolute path. Raises Refused for a file that Compose cannot read."""
    inside = path.startswith(around.specs.rstrip("/") + "/")
    parts = [part for part in posixpath.relpath(path, folder).split("/") if part not in ("..", ".")]
    there = posixpath.relpath(path, around.specs) if inside else posixpath.join(FOLDER, *parts)
    data = around.read(path)
    if data is None:
        return Copied(there, is_absent=True)
    text = data.decode("utf-8", "replace")
    try:
        found = variables_of(text, variables.values, is_raw=is_raw)
    except BadLine as error:
        raise Refused(Place(path, error.line), "this line is not NAME=value") from None
    secrets = {
        name: value if "${{" in value else variables.secret(name)
        for name, value in found.items()
        if value and NAME.fullmatch(name) and ("${{" in value or is_secret(name, value))
    }
    if not secrets and (is_raw or "$" not in text):
        return Copied(there, None if inside else text)
    kept = {name: value for name, value in found.items() if name not in secrets}
    return Copied(posixpath.join(FOLDER, *parts), text_of_variables(kept, is_raw), secrets)


def text_of_variables(values: dict[str, str | None], is_raw: bool) -> str:
    """A file that reads as these values."""
    return "".join(
        f"{name}{'' if value is None else '=' + _written(value, is_raw)}\n" for name, value in values.items()
    )


def _written(value: str, is_raw: bool) -> str:
    if is_raw or _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'"{escaped}"'
